"""A note that is sealed where it is typed: the service never has the words, and everything opens it as any other."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.entries import MAX_NOTE_FILE_BYTES, MAX_NOTE_LENGTH, MAX_RECIPIENTS
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import make_sealer, seal_written, written_plaintext
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.databases import Unguarded, raw_connection
from tests.support.desk import Desk, desk_of
from tests.support.service import a_service

pytestmark = pytest.mark.slow

CANARY = "QuetzalSealed rang twice"
ANOTHER = "4F7K-926W-0X37"
OTHER_KEYS = "#/recipients: these are not the current keys of this service: encrypt it again to the current keys"
NO_NOTE = "#/sealed: this is not a note about this concern encrypted to those keys"


def recipients_of(desk: Desk) -> list[str]:
    found: list[str] = desk.get("/recipients").json()["recipients"]
    return found


def send(desk: Desk, reference: str, sealed: bytes, recipients: list[str], **headers: str) -> Any:
    body = {"sealed": base64.b64encode(sealed).decode(), "recipients": recipients}
    return desk.http.post(f"/v1/desk/concerns/{reference}/notes", json=body, headers=desk.headers | headers)


def faults_of(answer: Any) -> list[str]:
    return [f"{each['pointer']}: {each['detail']}" for each in answer.json()["errors"]]


def notes_of(desk: Desk, reference: str) -> Any:
    return desk.get(f"/concerns/{reference}/notes").json()


def test_a_sealed_note_is_read_with_the_record_s_author_and_time(
    service: FastAPI, desk: Desk, robin: Desk, reference: str
) -> None:
    keys = recipients_of(robin)

    written = send(robin, reference, seal_written(EntryKind.NOTE, CANARY, reference, keys), keys)

    (note,) = notes_of(desk, reference)["notes"]
    assert (written.status_code, written.json()["number"]) == (201, 1)
    assert (note["text"], note["by"], note["written_at"]) == (
        CANARY,
        "desk-of-robin/Robin Example",
        "2026-11-24T09:30:00Z",
    )
    assert list(find_faults(service.state.context.engine)) == []


def refused_files(reference: str, keys: list[str], others: list[str]) -> dict[str, tuple[bytes, list[str], list[str]]]:
    """Return each file that the desk could not open, with the keys that are said of it and what is said of it."""
    own, both = (
        seal_written(EntryKind.NOTE, CANARY, reference, keys),
        seal_written(EntryKind.NOTE, CANARY, reference, [*keys, *others]),
    )
    no_note = make_sealer(keys).seal(json.dumps({"reference": reference, "addition": {}}).encode())
    no_words = make_sealer(keys).seal(json.dumps({"reference": reference, "note": {"text": 1}}).encode())
    return {
        "other keys": (own, others, [OTHER_KEYS]),
        "a key too many": (both, [*keys, *others], [OTHER_KEYS]),
        "no key": (own, [], [OTHER_KEYS]),
        "a key twice": (own, keys * 2, [OTHER_KEYS]),
        "sealed to another key than it says": (
            seal_written(EntryKind.NOTE, CANARY, reference, others),
            keys,
            [NO_NOTE],
        ),
        "sealed to a key more than it says": (both, keys, [NO_NOTE]),
        "about another concern": (seal_written(EntryKind.NOTE, CANARY, ANOTHER, keys), keys, [NO_NOTE]),
        "no note": (no_note, keys, [NO_NOTE]),
        "no words": (no_words, keys, [NO_NOTE]),
        "half an age file": (own[:60], keys, [NO_NOTE]),
    }


def test_a_note_that_the_desk_could_not_open_is_refused(
    desk: Desk, robin: Desk, reference: str, tmp_path: Path
) -> None:
    keys, others = recipients_of(desk), [create_identity(tmp_path / "other.txt", at=A_TUESDAY)]

    for name, (sealed, said, faults) in refused_files(reference, keys, others).items():
        answer = send(robin, reference, sealed, said)

        assert (answer.status_code, faults_of(answer)) == (422, faults), name
        assert CANARY not in answer.text
    assert notes_of(desk, reference)["notes"] == []


def test_a_request_has_words_or_a_sealed_file_of_limited_size(desk: Desk, reference: str) -> None:
    keys = recipients_of(desk)
    sealed = base64.b64encode(seal_written(EntryKind.NOTE, CANARY, reference, keys)).decode()
    large = base64.b64encode(seal_written(EntryKind.NOTE, "x" * MAX_NOTE_FILE_BYTES, reference, keys)).decode()
    bodies: list[dict[str, Any]] = [
        {},
        {"text": "A.", "sealed": sealed, "recipients": keys},
        {"text": "A.", "recipients": keys},
        {"sealed": sealed},
        {"sealed": large, "recipients": keys},
        {"sealed": "bm8gYWdl", "recipients": keys},
        {"sealed": sealed, "recipients": ["age1nonsense"]},
        {"sealed": sealed, "recipients": keys * (MAX_RECIPIENTS + 1)},
    ]

    assert [desk.act(reference, "notes", **body).status_code for body in bodies] == [422] * len(bodies)
    assert notes_of(desk, reference)["notes"] == []


@pytest.mark.any_database
def test_the_longest_note_fits_however_its_characters_are_written(tmp_path: Path) -> None:
    keys = [create_identity(tmp_path / str(number), at=A_TUESDAY) for number in range(MAX_RECIPIENTS)]

    sealed = make_sealer(keys).seal(written_plaintext(EntryKind.NOTE, "\x01" * MAX_NOTE_LENGTH, ANOTHER))

    assert len(sealed) <= MAX_NOTE_FILE_BYTES


@pytest.fixture
def far_away(tmp_path: Path) -> Iterator[tuple[TestClient, Desk, str, list[str]]]:
    """A service that cannot read, its desk, a concern, and its two keys."""
    keys = [create_identity(tmp_path / name, at=A_TUESDAY) for name in ("first", "second")]
    settings = Settings(data_dir=tmp_path / "data", seal_to=tuple(keys), deliver=False)
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        yield client, desk_of(service, client), raise_concern(client)["reference"], keys


def test_a_note_is_sealed_to_every_key_of_the_settings(
    far_away: tuple[TestClient, Desk, str, list[str]],
) -> None:
    client, desk, reference, keys = far_away

    assert recipients_of(desk) == keys
    assert send(desk, reference, seal_written(EntryKind.NOTE, CANARY, reference, keys), keys[::-1]).status_code == 201
    assert send(desk, reference, seal_written(EntryKind.NOTE, CANARY, reference, keys[:1]), keys[:1]).status_code == 422
    assert send(desk, reference, seal_written(EntryKind.NOTE, CANARY, reference, keys[:1]), keys).status_code == 422
    assert client.get("/v1/desk/recipients").status_code == 401


def test_a_retry_gets_the_first_answer_even_after_the_keys_change(
    far_away: tuple[TestClient, Desk, str, list[str]], tmp_path: Path
) -> None:
    _, desk, reference, keys = far_away
    sealed, key = seal_written(EntryKind.NOTE, CANARY, reference, keys), {"Idempotency-Key": "a-key"}
    first, again = (send(desk, reference, sealed, keys, **key) for _ in range(2))

    new = (create_identity(tmp_path / "new", at=A_TUESDAY),)
    changed = a_service(data_dir=tmp_path / "data", seal_to=new)
    with TestClient(changed) as client:
        there = Desk(client, desk.headers)
        late, another = send(there, reference, sealed, keys, **key), send(there, reference, sealed, keys)

    assert [each.status_code for each in (first, again, late, another)] == [201, 201, 201, 422]
    assert again.content == late.content == first.content


@pytest.mark.parametrize(
    "claims", [{"author": "desk-of-robin/Sam Example"}, {"received_at": "2026-11-23T09:30:00Z"}], ids=("author", "time")
)
def test_a_note_with_another_author_or_time_is_not_shown(
    desk: Desk, robin: Desk, reference: str, settings: Settings, claims: dict[str, str]
) -> None:
    keys = recipients_of(desk)
    send(robin, reference, seal_written(EntryKind.NOTE, CANARY, reference, keys), keys)
    own = {"author": "desk-of-robin/Robin Example", "received_at": "2026-11-24T09:30:00Z"}

    def exchange(said: dict[str, str]) -> Any:
        forged = make_sealer(keys).seal(written_plaintext(EntryKind.NOTE, "Forged.", reference, **said))
        with raw_connection(settings.data_dir) as database:
            Unguarded(database).execute("UPDATE entries SET sealed = :forged WHERE kind = 'note'", {"forged": forged})
        return notes_of(desk, reference)

    assert exchange(own)["notes"][0]["text"] == "Forged."
    assert exchange(own | claims)["type"] == "/v1/problems/sealed-text-misplaced"
