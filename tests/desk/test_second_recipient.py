"""What is added and noted is sealed to every recipient: the second alone can open it, and hand it over."""

import base64
import json
from pathlib import Path
from typing import Any

import pyrage
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.services.keys import create_identity
from app.services.sealing import read_identities
from tests.support.clock import A_TUESDAY
from tests.support.concerns import Concern, add
from tests.support.databases import raw_connection
from tests.support.desk import desk_of

ADDED = "Alex Example came home."
NOTED = "Spoke to the school."


def words_for(identity: pyrage.x25519.Identity, data_dir: Path, kind: str) -> Any:
    with raw_connection(data_dir) as database:
        ((sealed,),) = database.execute(f"SELECT sealed FROM entries WHERE kind = '{kind}'").fetchall()  # noqa: S608  # own names
    return json.loads(pyrage.decrypt(bytes(sealed), [identity]))


def test_each_identity_alone_opens_a_note_and_an_addition_and_the_second_alone_hands_everything_over(
    tmp_path: Path, a_concern: Concern
) -> None:
    paths = [tmp_path / "first.txt", tmp_path / "second.txt", tmp_path / "neighbour.txt"]
    first, second, neighbour = (create_identity(path, at=A_TUESDAY) for path in paths)
    data_dir = tmp_path / "data"
    settings = Settings(data_dir=data_dir, seal_to=(first, second), seal_identity_file=paths[1], deliver=False)
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        desk = desk_of(service, client)
        receipt = client.post("/v1/concerns", json=a_concern()).json()
        assert add(client, receipt, ADDED).status_code == 201
        assert desk.act(receipt["reference"], "notes", text=NOTED).status_code == 201
        hand_over = desk.act(
            receipt["reference"], "hand-over", recipient=neighbour, body="Example Council", reason="It lives there."
        ).json()

        for path in paths[:2]:
            (identity,) = read_identities(path).identities
            assert words_for(identity, data_dir, "addition")["addition"]["concern"]["narrative"] == ADDED
            assert words_for(identity, data_dir, "note")["note"]["text"] == NOTED

    package = json.loads(read_identities(paths[2]).decrypt(base64.b64decode(hand_over["package"])))
    assert package["concern"]["submission"] == a_concern()
    assert [each["addition"]["concern"]["narrative"] for each in package["additions"]] == [ADDED]
