"""The digest of every sealed text is on the record from its receipt, and nothing changes without an entry."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.models.audit.details import SealDetails
from app.models.audit.entry_kinds import EntryKind
from app.services.audit.audit_log import Actor
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import make_sealer, read_identities
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.databases import RawConnection, drop_triggers, fail_writes
from tests.support.desk import Desk

pytestmark = pytest.mark.slow

WORDS = "Alex Example was not at school."
OTHER_WORDS = "Sam Invented came home late."
FORGED = b"age-encryption.org/v1 forged"


@pytest.fixture
def raised(client: TestClient) -> Callable[..., str]:
    """Raise a concern with those words and an addition, and return its reference."""

    def bring(words: str = WORDS, **changes: Any) -> str:
        receipt = raise_concern(client, concern={"narrative": words}, **changes)
        added = add(client, receipt, f"More: {words}")
        assert added.status_code == 201
        return str(receipt["reference"])

    return bring


def tables(database: RawConnection) -> list[list[Any]]:
    names = ("concerns", "entries", "stored_receipts", "events", "audit_entries", "chains", "checkpoints")
    return [database.execute(f"SELECT * FROM {name}").fetchall() for name in names]  # noqa: S608  # own names


def exchange_texts(database: RawConnection, one: str, other: str) -> None:
    texts = dict(database.execute("SELECT reference, sealed FROM concerns").fetchall())
    for reference, sealed in ((one, texts[other]), (other, texts[one])):
        database.execute("UPDATE concerns SET sealed = ? WHERE reference = ?", (sealed, reference))


def test_the_digest_of_a_sealed_text_is_recorded_at_receipt(
    raised: Callable[..., str], database: RawConnection
) -> None:
    reference = raised()

    ((sealed,),) = database.execute("SELECT sealed FROM concerns").fetchall()
    ((added,),) = database.execute("SELECT sealed FROM entries WHERE kind = 'addition'").fetchall()
    rows = database.execute("SELECT act, client, address, detail FROM audit_entries ORDER BY number").fetchall()
    assert [row[:3] for row in rows] == [(act, "reporter", "not recorded") for act in ("received", "added")]
    entries = [SealDetails.model_validate_json(row[3]) for row in rows]
    assert [(each.place, each.sealed_sha256) for each in entries] == [
        (None, hashlib.sha256(sealed).hexdigest()),
        ((EntryKind.ADDITION, 1), hashlib.sha256(added).hexdigest()),
    ]
    chain = database.execute("SELECT name, length FROM chains WHERE name = ?", (reference,)).fetchall()
    assert chain == [(reference, 2)]


@pytest.mark.parametrize("table", ["audit_entries", "chains"])
def test_a_concern_whose_receipt_cannot_be_recorded_is_not_stored(
    client: TestClient, database: RawConnection, table: str
) -> None:
    fail_writes(database, "INSERT", table)

    answer = client.post("/v1/concerns", json=a_concern())

    assert answer.status_code == 503
    assert tables(database)[0] == []


REFUSED = [
    "UPDATE concerns SET sealed = :forged, recipients = '[\"0000000000000000\"]'",
    "UPDATE concerns SET sealed = :forged",
    "UPDATE concerns SET recipients = '[]'",
    "UPDATE concerns SET state = 'acknowledged'",
    "UPDATE concerns SET state = 'closed' WHERE state = 'acknowledged'",
    "UPDATE concerns SET sealed = NULL WHERE state = 'acknowledged'",
    "UPDATE concerns SET erased_at = received_at",
    "UPDATE concerns SET acknowledged_at = received_at",
    "UPDATE concerns SET closed_at = received_at",
    "UPDATE concerns SET outcome = 'early_help'",
    "UPDATE concerns SET outcome_shared = true",
    "UPDATE concerns SET held = true",
    "UPDATE concerns SET acknowledge_by = '2030-01-01 00:00:00.000000'",
    "UPDATE concerns SET immediate_danger = 'no'",
    "UPDATE concerns SET status_token_sha256 = :forged",
    "UPDATE concerns SET received_at = '2020-01-01 00:00:00.000000'",
    "UPDATE concerns SET reference = '0000-0000-0000'",
    "UPDATE concerns SET form_version = form_version + 1",
    "UPDATE concerns SET referral_source = '1A'",
    "UPDATE entries SET sealed = :forged WHERE kind = 'addition'",
    "UPDATE entries SET sealed = :forged, recipients = '[\"0000000000000000\"]' WHERE kind = 'addition'",
    "UPDATE entries SET sealed = NULL WHERE kind = 'addition'",
    "UPDATE entries SET received_at = '2020-01-01 00:00:00.000000' WHERE kind = 'addition'",
    "UPDATE entries SET number = number + 1 WHERE kind = 'addition'",
    "UPDATE events SET kind = 'concern.closed'",
    "UPDATE events SET data = '{}'",
    "DELETE FROM events",
    "UPDATE stored_receipts SET sealed_receipt = :forged",
    "DELETE FROM stored_receipts",
    "UPDATE audit_entries SET position = position + 1000",
    "DELETE FROM audit_entries",
    "UPDATE checkpoints SET note = 'another'",
    "DELETE FROM checkpoints",
    "UPDATE deliveries SET message = 'another'",
    "UPDATE event_readers SET confirmed = 0",
]


def test_the_database_refuses_what_comes_without_its_audit_log_entry(
    client: TestClient,
    desk: Desk,
    service: FastAPI,
    raised: Callable[..., str],
    database: RawConnection,
) -> None:
    raised(immediate_danger="yes")
    desk.act(raised(), "acknowledgement")
    desk.get(f"/concerns/{raised()}")
    client.post("/v1/concerns", json=a_concern(), headers={"Idempotency-Key": "an-example-of-a-key"})
    context: AppContext = service.state.context
    context.checkpoints.make(at=A_TUESDAY)
    database.execute(
        "INSERT INTO deliveries (event_id, webhook, message, state, attempts, due) "
        "SELECT id, 'example', 'msg', 'pending', 0, at FROM events WHERE id = 1"
    )
    database.execute("INSERT INTO event_readers (client, confirmed) VALUES ('example', 1)")
    before = tables(database)

    accepted = []
    for statement in REFUSED:
        forged = {"forged": FORGED} if ":forged" in statement else {}
        try:
            database.execute(statement, forged)
        except Exception as refusal:
            assert "RestrictViolation" in type(refusal).__name__ or "IntegrityError" in type(refusal).__name__, refusal  # noqa: PT017  # the drivers' errors have no common class
            continue
        accepted.append(statement)

    assert accepted == []
    assert tables(database) == before


def test_texts_that_were_exchanged_are_shown_under_no_reference(
    desk: Desk, raised: Callable[..., str], database: RawConnection
) -> None:
    one, other = raised(WORDS), raised(OTHER_WORDS)
    drop_triggers(database)
    exchange_texts(database, one, other)

    answers = [desk.get(f"/concerns/{reference}", Accept="application/json") for reference in (one, other)]

    assert [(each.status_code, each.json()["type"]) for each in answers] == [
        (500, "/v1/problems/sealed-text-misplaced")
    ] * 2
    assert not any(words in each.text for each in answers for words in (WORDS, OTHER_WORDS))


def test_additions_that_were_exchanged_are_not_shown_in_each_others_place(
    desk: Desk, raised: Callable[..., str], database: RawConnection
) -> None:
    one, other = raised(WORDS), raised(OTHER_WORDS)
    drop_triggers(database)
    texts = dict(database.execute("SELECT reference, sealed FROM entries WHERE kind = 'addition'").fetchall())
    database.execute("UPDATE entries SET sealed = ? WHERE kind = 'addition' AND reference = ?", (texts[other], one))

    answer = desk.get(f"/concerns/{one}", Accept="application/json")

    assert (answer.status_code, OTHER_WORDS in answer.text) == (500, False)


def test_resealing_goes_on_past_a_misplaced_or_unreadable_text(
    service: FastAPI, settings: Settings, raised: Callable[..., str], database: RawConnection, tmp_path: Path
) -> None:
    one, other, unreadable, whole = raised(), raised(), raised(), raised()
    drop_triggers(database)
    exchange_texts(database, one, other)
    database.execute("UPDATE concerns SET sealed = ? WHERE reference = ?", (FORGED, unreadable))
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    new = create_identity(tmp_path / "new.txt", at=A_TUESDAY)
    context: AppContext = service.state.context

    result = reseal(
        context.engine,
        context.writer,
        unsealer,
        make_sealer([new]),
        actor=Actor("key-holder", "command line", A_TUESDAY),
    )

    assert result.count == 5  # four additions, and the one whole concern
    assert [str(text) for text in result.unopened] == [unreadable]
    assert {str(text) for text in result.misplaced} == {one, other}
    faults = dict(find_faults(context.engine))
    assert set(faults) == {f"concern {each}" for each in (one, other, unreadable)}
    ((sealed,),) = database.execute("SELECT sealed FROM concerns WHERE reference = ?", (whole,)).fetchall()
    assert read_identities(tmp_path / "new.txt").open(sealed, reference=whole)["reference"] == whole


def test_a_resealing_is_on_the_record_of_each_concern_and_verifies(
    service: FastAPI, settings: Settings, raised: Callable[..., str], database: RawConnection, tmp_path: Path
) -> None:
    reference = raised()
    context: AppContext = service.state.context
    new = make_sealer([create_identity(tmp_path / "new.txt", at=A_TUESDAY)])
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)

    result = reseal(
        context.engine,
        context.writer,
        unsealer,
        new,
        actor=Actor("key-holder", "command line", A_TUESDAY),
    )

    acts = database.execute("SELECT act FROM audit_entries WHERE chain = ? ORDER BY number", (reference,)).fetchall()
    assert result.count == 2
    assert [act for (act,) in acts] == ["received", "added", "resealed", "resealed"]
    assert list(find_faults(context.engine)) == []
