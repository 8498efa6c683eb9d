"""Team notes: sealed like the concern, on its record, erased and resealed with it, never for the reporter."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.age.keys import fingerprint_of
from app.config import Settings
from app.main import create_app
from app.models.access.clients import Scope
from app.models.audit.details import SealDetails
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind, EntryPlace
from app.services.audit.audit_log import Actor
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import make_sealer, read_identities
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern, token_of
from tests.support.databases import Unguarded, files_of, raw_connection
from tests.support.desk import Desk, desk_of, worker_of
from tests.support.service import a_service

pytestmark = pytest.mark.slow

CANARY = "QuetzalNote rang twice"
OPERATOR = Actor("operator", "this machine", A_TUESDAY)

Receipt = dict[str, Any]


def write(desk: Desk, receipt: Receipt, text: str = CANARY, **headers: str) -> Any:
    path = f"/v1/desk/concerns/{receipt['reference']}/notes"
    return desk.http.post(path, json={"text": text}, headers=desk.headers | headers)


def read(desk: Desk, receipt: Receipt, query: str = "") -> Any:
    return desk.get(f"/concerns/{receipt['reference']}/notes{query}")


def test_a_note_is_read_with_its_author_and_recorded_by_its_digest(
    settings: Settings, desk: Desk, robin: Desk, receipt: Receipt
) -> None:
    written = write(robin, receipt)
    write(desk, receipt, "Second.")

    found = read(desk, receipt).json()["notes"]
    assert (written.status_code, written.json()["text"]) == (201, None)
    assert [(each["number"], each["text"], each["by"]) for each in found] == [
        (1, CANARY, "desk-of-robin/Robin Example"),
        (2, "Second.", "example-desk"),
    ]
    assert found[0]["written_at"] == "2026-11-24T09:30:00Z"
    with raw_connection(settings.data_dir) as database:
        ((sealed,),) = database.execute("SELECT sealed FROM entries WHERE kind = 'note' AND number = 1").fetchall()
    rows = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]
    assert [row["act"] for row in rows] == ["received", "noted", "noted", "opened"]
    entry = SealDetails.model_validate(rows[1]["details"])
    assert (entry.place, entry.sealed_sha256) == (EntryPlace(EntryKind.NOTE, 1), hashlib.sha256(sealed).hexdigest())
    assert rows[-1]["detail"] == "notes 1 to 2"


def test_no_reporter_sees_a_note_and_no_file_holds_its_words(
    client: TestClient, settings: Settings, robin: Desk, receipt: Receipt
) -> None:
    own = token_of(receipt)
    before = client.get(receipt["links"]["self"], headers=own).json()

    write(robin, receipt)

    assert client.get(receipt["links"]["self"], headers=own).json() == before
    as_reporter = client.get(f"/v1/desk/concerns/{receipt['reference']}/notes", headers=own)
    assert as_reporter.status_code == 401
    assert [path for path, content in files_of(settings.data_dir).items() if CANARY.encode() in content] == []


def test_without_an_identity_notes_come_in_pages_with_sealed_files(tmp_path: Path) -> None:
    recipient = create_identity(tmp_path / "away", at=A_TUESDAY)
    service = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with TestClient(service) as client:
        desk = desk_of(service, client)
        receipt = raise_concern(client)
        for number in range(3):
            write(desk, receipt, f"Number {number}.")

        first = read(desk, receipt, "?limit=2").json()
        rest = client.get(first["links"]["next"], headers=desk.headers).json()
        sealed = client.get(rest["notes"][0]["links"]["self"], headers=desk.headers)
        absent = desk.get(f"/concerns/{receipt['reference']}/notes/4")

    assert [[each["number"] for each in page["notes"]] for page in (first, rest)] == [[1, 2], [3]]
    assert {each["text"] for each in first["notes"]} == {None}
    assert (rest["next_cursor"], sealed.headers["Content-Type"], sealed.headers["Notes"]) == (
        None,
        "application/age",
        "3",
    )
    opened = read_identities(tmp_path / "away").open(sealed.content, reference=receipt["reference"])
    assert (opened["note"], opened["author"]) == ({"text": "Number 2."}, "example-desk")
    assert absent.status_code == 404


def test_a_retry_writes_no_second_note_even_after_the_erasure(
    client: TestClient, desk: Desk, robin: Desk, receipt: Receipt
) -> None:
    key = {"Idempotency-Key": "a-key"}
    elsewhere = raise_concern(client)

    first, again, other = write(desk, receipt, **key), write(desk, receipt, **key), write(desk, receipt, "B.", **key)
    others = [write(robin, receipt, **key), write(desk, elsewhere, **key), write(desk, receipt)]
    written = [each["number"] for each in read(desk, receipt).json()["notes"]]
    desk.act(receipt["reference"], "acknowledgement")
    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")
    late = write(desk, receipt, **key)

    assert [each.status_code for each in (first, again, other, late)] == [201, 201, 422, 201]
    assert again.content == late.content == first.content
    assert again.headers["Idempotency-Replayed"] == late.headers["Idempotency-Replayed"] == "true"
    assert [(each.status_code, each.headers.get("Idempotency-Replayed")) for each in others] == [(201, None)] * 3
    assert written == [1, 2, 3]


def test_notes_are_erased_with_the_concern_and_none_can_be_written_after(
    service: FastAPI, settings: Settings, desk: Desk, receipt: Receipt
) -> None:
    write(desk, receipt)
    desk.act(receipt["reference"], "acknowledgement")

    erased = desk.act(receipt["reference"], "erasure", reason="A made-up reason.")

    assert erased.status_code == 200
    assert (write(desk, receipt).status_code, read(desk, receipt).status_code) == (410, 410)
    with raw_connection(settings.data_dir) as database:
        assert [
            tuple(row) for row in database.execute("SELECT number, sealed FROM entries WHERE kind = 'note'").fetchall()
        ] == [(1, None)]
    assert list(find_faults(service.state.context.engine)) == []


def test_notes_are_resealed_with_the_concern_and_read_with_the_new_key(
    service: FastAPI, settings: Settings, desk: Desk, receipt: Receipt, tmp_path: Path
) -> None:
    write(desk, receipt)
    recipient = create_identity(tmp_path / "new", at=A_TUESDAY)
    context = service.state.context
    old = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)

    resealed = reseal(context.engine, context.writer, old, make_sealer([recipient]), actor=OPERATOR)

    assert (resealed.count, resealed.unopened, resealed.misplaced) == (2, (), ())
    with raw_connection(settings.data_dir) as database:
        ((sealed,),) = database.execute("SELECT sealed FROM entries WHERE kind = 'note'").fetchall()
    opened = read_identities(tmp_path / "new").open(sealed, reference=receipt["reference"])
    assert opened["note"] == {"text": CANARY}
    assert read(desk, receipt).json()["type"] == "/v1/problems/not-opened-here"
    last = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"][-2]
    assert (last["act"], last["detail"].split(" ")[:2]) == ("resealed", ["note", "1"])
    assert last["detail"].endswith(fingerprint_of(recipient))
    assert list(find_faults(context.engine)) == []


FORGED = b"age-encryption.org/v1 forged"
CHANGES = {
    "its words": (
        "UPDATE entries SET sealed = :forged WHERE kind = 'note'",
        "only with its audit log entry",
        ["note 1 is not the one"],
    ),
    "no words": ("UPDATE entries SET sealed = NULL WHERE kind = 'note'", "not erased|only with", ["note 1 is missing"]),
    "its author": (
        "UPDATE entries SET author = 'nobody' WHERE kind = 'note'",
        "keeps its number",
        ["note 1 has another time or author than its audit log entry", "note 1 was altered since it came"],
    ),
    "its time": (
        "UPDATE entries SET received_at = '2026-11-23 09:30:00.000000' WHERE kind = 'note'",
        "keeps its number",
        ["note 1 has another time or author", "note 1 was altered since it came"],
    ),
    "no row": ("DELETE FROM entries WHERE kind = 'note'", "never deleted", ["note 1 is missing"]),
    "another row": (
        "INSERT INTO entries (reference, kind, number, received_at, author, recipients, sealed, overdue_announced, "
        "due_soon_announced) "
        "SELECT reference, kind, 2, received_at, author, recipients, sealed, false, false FROM entries"
        " WHERE kind = 'note'",
        "on the record",
        ["note 2 is not recorded"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_an_unrecorded_change_to_notes_and_verify_finds_it(
    service: FastAPI, settings: Settings, desk: Desk, receipt: Receipt, change: str
) -> None:
    write(desk, receipt)
    desk.get(f"/concerns/{receipt['reference']}")
    statement, why, faults = CHANGES[change]
    values = {"forged": FORGED} if ":forged" in statement else ()
    assert list(find_faults(service.state.context.engine)) == []

    with raw_connection(settings.data_dir) as database:
        with pytest.raises(Exception, match=why):
            database.execute(statement, values)
        Unguarded(database).execute(statement, values)

    found = [words for _, words in find_faults(service.state.context.engine)]
    assert len(found) == len(faults)
    assert all(fault in words for fault, words in zip(faults, found, strict=True)), found


def test_a_forged_erasure_does_not_release_a_held_or_unacknowledged_note(
    settings: Settings, desk: Desk, receipt: Receipt
) -> None:
    write(desk, receipt)
    with raw_connection(settings.data_dir) as database:
        Unguarded(database).execute("UPDATE audit_entries SET act = 'erased' WHERE act = 'noted'")

        with pytest.raises(Exception, match="is not acknowledged, or is on hold"):
            database.execute("UPDATE entries SET sealed = NULL WHERE kind = 'note'")


def test_notes_of_a_concern_have_a_limit_even_on_two_nodes(
    service: FastAPI, client: TestClient, settings: Settings, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ENTRY_SPECS[EntryKind.NOTE]
    assert (spec.most, spec.most_bytes) == (500, 7_000_000)
    monkeypatch.setitem(ENTRY_SPECS, EntryKind.NOTE, replace(spec, most=5))
    with TestClient(create_app(settings, service.state.context.clock)) as another, ThreadPoolExecutor(8) as callers:
        desks = [desk_of(service, client), worker_of(service, another, "Robin Example")]
        writing = [callers.submit(write, desks[number % 2], receipt) for number in range(12)]
        statuses = [each.result().status_code for each in writing]
    monkeypatch.setitem(ENTRY_SPECS, EntryKind.NOTE, replace(spec, most_bytes=2_000))
    large = write(desks[0], receipt)

    assert sorted(statuses) == [201] * 5 + [409] * 7
    assert (large.status_code, large.json()["type"]) == (409, "/v1/problems/too-many-notes")


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
def test_a_note_without_words_or_with_too_many_is_refused(desk: Desk, receipt: Receipt, text: str) -> None:
    assert write(desk, receipt, text).status_code == 422
    assert read(desk, receipt).json()["notes"] == []


def test_a_reader_writes_no_note_and_a_misplaced_note_is_not_shown(
    service: FastAPI, client: TestClient, settings: Settings, desk: Desk, receipt: Receipt
) -> None:
    reader = worker_of(service, client, "Kim Example", Scope.READ)
    write(desk, receipt)
    assert add(client, receipt).status_code == 201
    with raw_connection(settings.data_dir) as database:
        Unguarded(database).execute(
            "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE kind = 'addition') WHERE kind = 'note'"
        )

    assert write(reader, receipt).status_code == 403
    assert read(reader, receipt).json()["type"] == "/v1/problems/sealed-text-misplaced"
