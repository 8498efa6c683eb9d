"""Retention and erasure: words go for good when they may; what nobody acknowledged, and what is on hold, never goes."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.clock import utc_now
from app.config import Settings
from app.db.database import DATABASE_FILE
from app.services.audit.known_time import note_time
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import add, raise_concern, token_of
from tests.support.databases import raw_connection
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LONG_AGO = dt.datetime(2020, 1, 7, 9, 30, tzinfo=dt.UTC)  # to the command's own clock
PIECE = 16
EVERY_SEALED_TEXT = "SELECT sealed FROM concerns UNION ALL SELECT sealed FROM entries"
LENGTHS = [7 * 1.6**step for step in range(19)]  # to 33,000 characters: within a page, a whole page, many pages

Raise = Callable[..., dict[str, Any]]
Database = Callable[..., list[Any]]


@pytest.fixture
def raised(client: TestClient, desk: Desk) -> Raise:
    """Raise a concern with an addition, and bring it to a state."""

    def bring(state: str = "received", *, held: bool = False, **changes: Any) -> dict[str, Any]:
        receipt = raise_concern(client, **changes)
        assert add(client, receipt).status_code == 201
        acts: list[tuple[str, dict[str, Any]]] = [
            ("acknowledgement", {"up_to_addition": 1}),
            ("outcome", {"outcome": "early_help"}),
        ]
        for act, told in acts[: ("received", "acknowledged", "closed").index(state)]:
            assert desk.act(receipt["reference"], act, **told).status_code == 200
        if held:
            assert hold(desk, receipt).status_code == 200
        return receipt

    return bring


def hold(desk: Desk, receipt: dict[str, Any], *, held: bool = True) -> Any:
    return desk.act(receipt["reference"], "hold", held=held, reason="A made-up reason.")


def erase(desk: Desk, receipt: dict[str, Any]) -> Any:
    return desk.act(receipt["reference"], "erasure", reason="A made-up reason.")


@pytest.fixture
def database(client: TestClient, settings: Settings) -> Iterator[Database]:
    """The database as somebody else asks it, with none of this service's settings."""
    assert client.get("/health/ready").is_success
    with raw_connection(settings.data_dir) as connection:
        yield lambda statement, *values: connection.execute(statement, values).fetchall()


@pytest.fixture
def erased_after(service: FastAPI) -> Callable[..., set[str]]:
    """The references of what retention erases after so many days."""
    context = service.state.context

    def run(days: float, acknowledged: int | None, closed: int | None) -> set[str]:
        at, periods = A_TUESDAY + dt.timedelta(days=days), RetentionPeriods(acknowledged, closed)
        return set(erase_due_concerns(context.engine, context.writer, periods, at=at, is_clock_checked=True))

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "acknowledged", "closed", "gone"),
    [
        (30.1, 30, None, {"acknowledged"}),
        (30.1, None, 30, {"closed"}),
        (30.1, 30, 30, {"acknowledged", "closed"}),
        (30, 30, 30, set()),
        (30.1, 31, 29, {"closed"}),
        (9999, None, None, set()),
    ],
)
def test_each_state_has_its_own_period_and_keeps_words_without_one(
    raised: Raise, erased_after: Callable[..., set[str]], days: float, acknowledged: int, closed: int, gone: set[str]
) -> None:
    references = {state: raised(state)["reference"] for state in ("received", "acknowledged", "closed")}

    erased = erased_after(days, acknowledged, closed)

    assert erased == {references[state] for state in gone}


def test_no_setting_erases_an_unacknowledged_or_held_concern(
    raised: Raise, desk: Desk, erased_after: Callable[..., set[str]], database: Database
) -> None:
    waiting = raised("received")["reference"]
    held = [raised(state, held=True) for state in ("received", "acknowledged", "closed")]

    erased = erased_after(100_000, 1, 1)

    assert erased == set()
    assert database("SELECT count(*) FROM concerns WHERE sealed IS NULL OR erased_at IS NOT NULL") == [(0,)]
    for receipt in held:
        hold(desk, receipt, held=False)
    assert erased_after(100_000, 1, 1) == {receipt["reference"] for receipt in held[1:]}
    assert desk.get(f"/concerns/{waiting}").status_code == 200


def test_an_addition_keeps_the_concern_until_acknowledged_and_a_whole_period_after(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock, erased_after: Callable[..., set[str]]
) -> None:
    receipt = raised("closed")
    clock.time = A_TUESDAY + dt.timedelta(days=1)
    add(client, receipt)
    clock.time = A_TUESDAY + dt.timedelta(days=29)
    assert erased_after(100_000, 1, 1) == set()  # nobody has acknowledged it
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=2)

    assert erased_after(31, 30, 30) == set()
    assert erased_after(59.1, 30, 30) == {receipt["reference"]}


@for_each("days", ["0", "-1", "1000000000", "thirty"])
@for_each("name", ["retention_acknowledged_days", "retention_closed_days"])
def test_a_period_beyond_a_century_or_not_in_days_is_refused(name: str, days: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: days})


@pytest.mark.embedded
@pytest.mark.parametrize(("state", "held"), [("received", False), ("acknowledged", True), ("closed", True)])
@pytest.mark.parametrize("table", ["concerns", "entries"])
def test_the_database_refuses_to_lose_concerns_and_their_entries(
    raised: Raise, database: Database, state: str, held: bool, table: str
) -> None:
    raised(state, held=held)
    before = database(f"SELECT * FROM {table}")  # noqa: S608  # its own name
    changes = ["sealed = NULL", "sealed = x'00'", "sealed = substr(sealed, 2)", "sealed = NULL, recipients = '[]'"]
    if table == "concerns":
        changes += ["sealed = NULL, held = 0", "sealed = NULL, held = 0, state = 'acknowledged'", "state = 'received '"]

    for statement in [*(f"UPDATE {table} SET {change}" for change in changes), f"DELETE FROM {table}"]:  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError, match=r"a concern|an entry"):
            database(statement)

    assert database(f"SELECT * FROM {table}") == before  # noqa: S608  # its own name


def test_erasure_waits_for_acknowledgement_and_the_end_of_a_hold(raised: Raise, desk: Desk) -> None:
    receipt = raised("received", held=True)
    answers = [erase(desk, receipt)]
    desk.act(receipt["reference"], "acknowledgement")
    answers.append(erase(desk, receipt))  # what was added still waits
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    answers.append(erase(desk, receipt))
    hold(desk, receipt, held=False)
    answers += [erase(desk, receipt), erase(desk, receipt)]

    assert [answer.status_code for answer in answers] == [409, 409, 409, 200, 410]
    kinds = [answer.json().get("type", "").rpartition("/")[2] for answer in answers]
    assert kinds == ["not-acknowledged", "not-acknowledged", "on-hold", "", "concern-erased"]


@pytest.mark.slow
def test_after_an_erasure_the_row_the_record_and_the_counts_stay(
    raised: Raise, client: TestClient, desk: Desk, settings: Settings, clock: SettableClock
) -> None:
    receipt = raised("closed")
    raised("acknowledged")
    path, key = f"/concerns/{receipt['reference']}", token_of(receipt)
    desk.get(path)
    status = client.get(receipt["links"]["self"], headers=key).json()
    (before,) = [each for each in desk.get("/concerns").json()["concerns"] if each["reference"] == receipt["reference"]]
    counts = desk.get("/summary").json()
    clock.time = A_TUESDAY + dt.timedelta(hours=1)

    erased = erase(desk, receipt)

    moment = "2026-11-24T10:30:00Z"
    own = {"erased_at": moment, "changed_at": moment, "remnants": erased.json()["remnants"]}
    assert erased.json() == before | own
    assert [desk.get(place).status_code for place in (path, f"{path}/additions/1")] == [410, 410]
    assert desk.get("/summary").json() == counts
    assert client.get(receipt["links"]["self"], headers=key).json() == status
    record = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]
    assert [row["act"] for row in record] == ["received", "added", "acknowledged", "closed", "opened", "erased"]
    assert record[-1]["detail"] == "A made-up reason."
    assert guidance("verify", "--data-dir", settings.data_dir).returncode == 0


def pieces_left(data_dir: Path, former: list[bytes]) -> set[str]:
    """Return the files that still hold any piece of the former texts, at any place."""
    pieces = {text[at : at + PIECE] for text in former for at in range(len(text) - PIECE + 1)}
    files = {path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}
    return {
        path.name
        for path, content in files.items()
        if any(content[at : at + PIECE] in pieces for at in range(len(content)))
    }


@pytest.mark.embedded
def test_an_erasure_leaves_no_piece_of_the_sealed_texts_in_a_file(
    raised: Raise, desk: Desk, settings: Settings, database: Database
) -> None:
    receipt = raised("acknowledged")
    former = [text for (text,) in database(EVERY_SEALED_TEXT)]

    assert erase(desk, receipt).status_code == 200

    assert len(former) == 2
    wait_until(lambda: not pieces_left(settings.data_dir, former))  # a reader may hold the log for a moment


@pytest.mark.slow
@pytest.mark.embedded
def test_erasures_and_a_purge_leave_no_sealed_text_in_any_file(
    raised: Raise, desk: Desk, settings: Settings, clock: SettableClock, database: Database
) -> None:
    clock.time = LONG_AGO
    receipts = [
        raised(state, concern={"narrative": "x" * int(length)})
        for length in LENGTHS
        for state in ("acknowledged", "closed")
    ]
    former = [text for (text,) in database(EVERY_SEALED_TEXT)]
    assert pieces_left(settings.data_dir, former) >= {DATABASE_FILE}

    for receipt in receipts[::3]:
        assert erase(desk, receipt).status_code == 200
    periods = {"RETENTION_ACKNOWLEDGED_DAYS": "365", "RETENTION_CLOSED_DAYS": "730"}
    purge = ("desk", "purge", "--clock-checked", "--data-dir", settings.data_dir)
    told = [guidance(*purge, **chosen) for chosen in ({}, periods, periods)]

    left = len(receipts) - len(receipts[::3])
    assert [each.stdout for each in told] == ["0 erased\n", f"{left} erased\n", "0 erased\n"]
    assert database("SELECT count(sealed), count(erased_at) FROM concerns") == [(0, len(receipts))]
    wait_until(lambda: not pieces_left(settings.data_dir, former))  # a reader may hold the log for a moment


@pytest.mark.slow
def test_a_serving_process_erases_concerns_that_are_due(
    raised: Raise, service: FastAPI, settings: Settings, clock: SettableClock, database: Database
) -> None:
    clock.time = LONG_AGO
    waiting, due = raised("received"), raised("acknowledged")
    service.state.context.writer.run(note_time, utc_now(), is_checked=True)
    with LiveServer(settings.data_dir, retention_acknowledged_days="365") as server:
        wait_until(lambda: database("SELECT reference FROM concerns WHERE sealed IS NULL"))

    assert database("SELECT reference FROM concerns WHERE sealed IS NULL") == [(due["reference"],)]
    acts = database("SELECT client, act, detail FROM audit_entries WHERE chain = ? ORDER BY number", due["reference"])
    assert acts[-1] == ("retention", "erased", '{"reason":"kept for 365 days"}')
    kept = database("SELECT count(*) FROM audit_entries WHERE chain = ? AND act = 'erased'", waiting["reference"])
    assert kept == [(0,)]
    assert '"event":"concerns_erased"' in server.log.read_text()
