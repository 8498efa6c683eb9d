"""Opening: by this service if it holds an identity; otherwise, with the sealed file, by a person who holds one."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.age.keys import fingerprint_of
from app.config import Settings
from app.db.database import DATABASE_FILE
from app.models.access.clients import Scope
from app.models.concerns.examples import FULL_EXAMPLE
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.sealing import read_identities
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import a_concern, add
from tests.support.databases import files_of, raw_connection
from tests.support.desk import Desk, desk_of
from tests.support.live import LiveServer
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

AGE = "application/age"
JSON = "application/json"
CANARY = "Canary-Alex-Example"
SECRET = b"AGE-SECRET-KEY"

Receipt = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """An identity in a file, away from every server, and its recipient."""

    path: Path
    recipient: str

    def opens(self, sealed: bytes) -> Any:
        return json.loads(read_identities(self.path).decrypt(sealed))


@pytest.fixture
def make_key(tmp_path: Path) -> Callable[[str], Key]:
    def make(name: str) -> Key:
        path = tmp_path / "away" / name
        return Key(path, create_identity(path, at=A_TUESDAY))

    return make


def raise_concern(http: Any, told: dict[str, Any], *additions: str) -> Receipt:
    """Raise a concern and add to it."""
    receipt: Receipt = http.post("/v1/concerns", json=told).json()
    for words in additions:
        added = add(http, receipt, words)
        assert added.status_code == 201
    return receipt


def sealed_texts(data_dir: Path) -> list[bytes]:
    """Every sealed text of the database."""
    asked = "SELECT sealed FROM concerns UNION ALL SELECT sealed FROM entries"
    with raw_connection(data_dir) as connection:
        return [sealed for (sealed,) in connection.execute(asked)]


def resealings(data_dir: Path) -> list[tuple[str, str]]:
    """Return the recorded resealings, each with the state of its concern."""
    asked = "SELECT state, detail FROM audit_entries JOIN concerns ON reference = chain WHERE act = 'resealed'"
    with raw_connection(data_dir) as connection:
        return list(connection.execute(asked))


@pytest.fixture
def away(make_key: Callable[[str], Key], tmp_path: Path) -> Iterator[tuple[Desk, Key]]:
    """A desk whose service holds no identity, and the key that opens what it receives."""
    key = make_key("duty-team")
    service = a_service(data_dir=tmp_path / "data", seal_to=(key.recipient,))
    with TestClient(service) as client:
        yield desk_of(service, client), key


@pytest.fixture
def receiving(make_key: Callable[[str], Key], tmp_path: Path) -> Iterator[tuple[LiveServer, Key]]:
    """A server in a process of its own that knows only a recipient, and the key that it does not know."""
    key = make_key("duty-team")
    with LiveServer(tmp_path / "data", seal_to=key.recipient) as server:
        yield server, key


def test_a_service_with_an_identity_shows_every_word_and_addition(client: TestClient, desk: Desk) -> None:
    receipt = raise_concern(client, FULL_EXAMPLE, "First.", "Second.")

    answer = desk.get(f"/concerns/{receipt['reference'].lower().replace('-', '')}")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.json()["submission"] == FULL_EXAMPLE
    told = [(each["number"], each["addition"]["concern"]["narrative"]) for each in answer.json()["additions"]]
    assert told == [(1, "First."), (2, "Second.")]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", [AGE, f"{AGE}, {JSON};q=0.5", f"{JSON};q=0.1, application/*"])
def test_the_sealed_file_is_given_if_the_caller_prefers_it(
    client: TestClient, desk: Desk, settings: Settings, accept: str
) -> None:
    reference = raise_concern(client, a_concern(), "First.")["reference"]

    answer = desk.get(f"/concerns/{reference}", Accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, AGE)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{reference}.age"'
    assert answer.headers["Additions"] == "1"
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    assert unsealer.open(answer.content, reference=reference)["submission"] == a_concern()


@pytest.mark.parametrize("accept", ["*/*", AGE, f"{JSON}, {AGE};q=0.1", "application/*"])
def test_a_service_without_an_identity_gives_only_sealed_files(away: tuple[Desk, Key], accept: str) -> None:
    desk, key = away
    reference = raise_concern(desk.http, a_concern(), "First.")["reference"]

    whole = desk.get(f"/concerns/{reference}", Accept=accept)
    added = desk.get(f"/concerns/{reference}/additions/1", Accept=accept)

    assert [(answer.status_code, answer.headers["Content-Type"]) for answer in (whole, added)] == [(200, AGE)] * 2
    assert key.opens(whole.content)["submission"] == a_concern()
    assert key.opens(added.content)["addition"] == {"concern": {"narrative": "First."}}
    assert desk.get(f"/concerns/{reference}/additions/2").status_code == 404


@pytest.mark.parametrize("accept", [JSON, "text/html", f"*/*, {AGE};q=0"])
def test_without_an_identity_a_request_for_plain_words_gets_406_unrecorded(away: tuple[Desk, Key], accept: str) -> None:
    desk, _ = away
    reference = raise_concern(desk.http, a_concern())["reference"]

    answer = desk.get(f"/concerns/{reference}", Accept=accept)

    assert (answer.status_code, answer.json()["type"]) == (406, "/v1/problems/not-opened-here")
    record = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    assert [row["act"] for row in record] == ["received"]


@pytest.mark.skipif(shutil.which("age") is None and "CI" not in os.environ, reason="the age command is not installed")
def test_debian_s_own_age_opens_the_file_with_each_of_several_identities(
    make_key: Callable[[str], Key], tmp_path: Path
) -> None:
    keys = [make_key(f"worker-{number}") for number in range(3)]
    recipients = tuple(key.recipient for key in keys)
    service = a_service(data_dir=tmp_path / "data", seal_to=recipients)
    with TestClient(service) as client:
        desk = desk_of(service, client)
        sealed = desk.get(f"/concerns/{raise_concern(client, FULL_EXAMPLE)['reference']}").content
        (entry,) = desk.get("/concerns").json()["concerns"]

    opened = [
        subprocess.run(["age", "-d", "-i", key.path], input=sealed, capture_output=True, check=True) for key in keys
    ]

    assert [json.loads(each.stdout)["submission"] for each in opened] == [FULL_EXAMPLE] * 3
    assert entry["recipients"] == [fingerprint_of(recipient) for recipient in recipients]
    other = subprocess.run(["age", "-d", "-i", make_key("other").path], input=sealed, capture_output=True, check=False)
    assert (other.returncode, other.stdout) == (1, b"")


@pytest.mark.slow
def test_the_command_opens_on_the_worker_s_machine_what_is_sealed(
    receiving: tuple[LiveServer, Key], make_key: Callable[[str], Key]
) -> None:
    server, key = receiving
    with server.client() as http:
        reference = raise_concern(http, FULL_EXAMPLE, "First.", "Second.")["reference"]
    to = ("--url", server.url)
    reader = server.new_key(Scope.READ)

    opened = guidance("desk", "open", reference.lower(), "--identity", key.path, *to, DESK_KEY=reader)
    others = guidance("desk", "open", reference, "--identity", make_key("other").path, *to, DESK_KEY=reader)
    unknown = guidance("desk", "open", reference, "--identity", key.path, *to, DESK_KEY="omg_invented")

    told = json.loads(opened.stdout)
    assert (told["reference"], told["submission"]) == (reference, FULL_EXAMPLE)
    assert [each["addition"]["concern"]["narrative"] for each in told["additions"]] == ["First.", "Second."]
    assert [(each.returncode, each.stdout) for each in (others, unknown)] == [(1, "")] * 2
    assert "The service returned 401." in unknown.stderr
    assert "Traceback" not in others.stderr + unknown.stderr


@pytest.mark.slow
def test_a_server_with_only_recipients_holds_no_plain_word_or_identity(
    make_key: Callable[[str], Key], tmp_path: Path
) -> None:
    recipient = make_key("duty-team").recipient
    server = LiveServer(tmp_path / "data", seal_to=recipient, is_forked=False)  # so that its environment is its own
    with server, server.client() as http:
        receipt = raise_concern(http, a_concern(concern={"narrative": CANARY}), f"{CANARY} once more")
        reader = {"Authorization": f"Bearer {server.new_key(Scope.READ)}", "Accept": JSON}
        refused = http.get(f"/v1/desk/concerns/{receipt['reference']}", headers=reader)
        process = Path(f"/proc/{server.pid}")
        held = {path: path.read_bytes() for path in [process / "environ", process / "cmdline", server.log]}
        held |= files_of(server.data_dir)

    assert refused.status_code == 406
    assert b"GUIDANCE_SEAL_TO=age1" in held[process / "environ"]
    for word in (CANARY.encode(), SECRET):
        assert [str(path) for path, content in held.items() if word in content] == []
    assert any(path.name == DATABASE_FILE or path.parent.name == "pg_wal" for path in held)
    assert len(sealed_texts(server.data_dir)) == 2


@pytest.mark.slow
def test_a_retired_key_opens_nothing_after_everything_is_resealed(
    receiving: tuple[LiveServer, Key], make_key: Callable[[str], Key]
) -> None:
    server, old = receiving
    new = make_key("new")
    data_dir = server.data_dir
    with server.client() as http:
        raise_concern(http, a_concern(), "First.")
    server.stop()
    with (
        LiveServer(data_dir, seal_to=f"{old.recipient} {new.recipient}") as overlapping,
        overlapping.client() as http,
    ):
        raise_concern(http, a_concern())
    assert [bool(old.opens(sealed)) for sealed in sealed_texts(data_dir)] == [True] * 3
    assert new.opens(sealed_texts(data_dir)[1])["submission"] == a_concern()
    with LiveServer(data_dir, seal_to=new.recipient):
        before = sealed_texts(data_dir)

        wrong = guidance("keys", "reseal", "--identity", new.path, "--data-dir", data_dir, SEAL_TO=new.recipient)
        resealed = guidance("keys", "reseal", "--identity", old.path, "--data-dir", data_dir, SEAL_TO=new.recipient)
        again = guidance("keys", "reseal", "--identity", old.path, "--data-dir", data_dir, SEAL_TO=new.recipient)

        files = {path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}
    assert (wrong.returncode, wrong.stdout) == (1, "1 re-encrypted\n")  # the one that was sealed to both
    assert wrong.stderr.count("not encrypted to this identity; left unchanged") == 2
    assert (resealed.returncode, resealed.stdout, again.stdout) == (0, "2 re-encrypted\n", "0 re-encrypted\n")
    assert [new.opens(sealed).get("submission") for sealed in sealed_texts(data_dir)] == [
        a_concern(),
        a_concern(),
        None,
    ]
    assert [path.name for path, content in files.items() if any(sealed[40:] in content for sealed in before)] == []
    recorded = resealings(data_dir)
    assert [state for state, _ in recorded] == ["received"] * 3
    digests = [hashlib.sha256(sealed).hexdigest() for sealed in sealed_texts(data_dir)]
    details = [json.loads(detail) for _, detail in recorded]
    assert {each["sealed_sha256"] for each in details} == set(digests)
    assert all(each["recipients"] == [fingerprint_of(new.recipient)] for each in details)
    assert guidance("verify", "--data-dir", data_dir).returncode == 0
    assert not any(new.recipient in told.stdout + told.stderr for told in (wrong, resealed, again))
