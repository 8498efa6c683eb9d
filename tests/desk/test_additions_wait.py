"""An addition waits like its concern: its own clock, its own acknowledgement, and nobody erases it before."""

import datetime as dt
import itertools
import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from app.services.concerns.deadlines import append_overdue_events
from app.services.concerns.receipts import NEW_WORRY
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, raise_concern, status_of
from tests.support.databases import RawConnection
from tests.support.desk import Desk
from tests.support.publishing import a_key

pytestmark = pytest.mark.slow

A_MINUTE = dt.timedelta(minutes=1)
A_FRIDAY = dt.datetime(2026, 11, 27, 16, 0, tzinfo=dt.UTC)
THE_MONDAY = "2026-11-30T16:00:00Z"

Raise = Callable[..., dict[str, Any]]


@pytest.fixture
def raised(client: TestClient, desk: Desk) -> Raise:
    """Raise a concern, bring it to a state, and then add to it: an answer about danger for each addition."""

    def bring(state: str = "closed", *dangers: str | None, **changes: Any) -> dict[str, Any]:
        receipt = raise_concern(client, **changes)
        acts: list[tuple[str, dict[str, Any]]] = [("acknowledgement", {}), ("outcome", {"outcome": "early_help"})]
        for act, body in acts[: ("received", "acknowledged", "closed").index(state)]:
            assert desk.act(receipt["reference"], act, **body).status_code == 200
        for danger in dangers:
            assert add(client, receipt, danger=danger).status_code == 201
        return receipt

    return bring


def entry_of(desk: Desk, receipt: dict[str, Any]) -> dict[str, Any]:
    inbox: list[dict[str, Any]] = desk.get("/concerns?limit=200").json()["concerns"]
    return next(entry for entry in inbox if entry["reference"] == receipt["reference"])


def waiting(desk: Desk, receipt: dict[str, Any]) -> list[int]:
    """The numbers of the additions that nobody has acknowledged."""
    listed = desk.get(f"/concerns/{receipt['reference']}/additions?limit=200").json()["additions"]
    numbers = [each["number"] for each in listed if each["acknowledged_at"] is None]
    assert entry_of(desk, receipt)["additions_waiting"] == len(numbers)
    return numbers


def test_an_addition_has_its_own_working_day_for_reporter_and_desk(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    receipt = raised("closed")
    clock.time = A_FRIDAY

    answer = add(client, receipt, danger="no").json()

    entry, status = entry_of(desk, receipt), status_of(client, receipt)
    assert answer["acknowledge_by"] == entry["addition_acknowledge_by"] == THE_MONDAY
    assert "Monday 30 November 2026 at 16:00" in answer["next_steps"][-1]
    assert (entry["state"], entry["acknowledge_by"]) == ("closed", "2026-11-25T09:30:00Z")
    assert (entry["additions_waiting"], entry["addition_danger"], entry["overdue"]) == (1, "no", False)
    assert status["additions"] == [
        {
            "number": 1,
            "added_at": "2026-11-27T16:00:00Z",
            "acknowledge_by": THE_MONDAY,
            "acknowledge_by_promised": True,
            "call_from": THE_MONDAY,
            "acknowledged_at": None,
        }
    ]
    assert status["next_steps"][1:] == [*answer["next_steps"][2:], NEW_WORRY]


def test_an_addition_is_overdue_after_its_time_until_it_is_acknowledged(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    receipt = raised("acknowledged", None, None)
    raised("acknowledged")
    seen = []
    for clock.time in (A_TUESDAY + dt.timedelta(days=1), A_TUESDAY + dt.timedelta(days=1) + A_MINUTE):
        summary = desk.get("/summary").json()
        late = [entry["reference"] for entry in desk.get("/concerns?overdue=true").json()["concerns"]]
        assert late == ([receipt["reference"]] if entry_of(desk, receipt)["overdue"] else [])
        seen.append((len(late), summary["overdue"], summary["additions_waiting"], summary["additions_overdue"]))
    steps = status_of(client, receipt)["next_steps"]
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=2)
    summary = desk.get("/summary").json()

    assert seen == [(0, 0, 2, 0), (1, 1, 2, 2)]
    assert steps[1].startswith("A social worker should have acknowledged what you added by Wednesday 25 November")
    assert (summary["acknowledged"], summary["overdue"]) == (2, 0)
    assert (summary["additions_waiting"], summary["additions_overdue"]) == (0, 0)
    assert not entry_of(desk, receipt)["overdue"]
    assert len(desk.get("/concerns?overdue=false").json()["concerns"]) == 2


def test_each_addition_has_its_events_once_without_any_word_of_it(
    client: TestClient, service: FastAPI, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    receipt = raised("acknowledged", "yes", None)
    clock.time = A_TUESDAY + dt.timedelta(days=3)
    writer = service.state.context.writer

    found = [append_overdue_events(writer, now=clock.time, limit=1) for _ in range(4)]
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=2)
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=2)

    events = client.get("/v1/events", headers=a_key(client, Scope.EVENTS, name="case-system")).json()["events"]
    of_additions = [event for event in events if "addition" in event["data"]]
    assert found == [1, 1, 0, 0]
    assert [(event["type"], event["data"]["addition"]) for event in of_additions] == [
        (f"concern.{kind}", number)
        for kind, number in itertools.product(("added", "addition_overdue", "addition_acknowledged"), (1, 2))
    ]
    assert of_additions[0]["data"]["addition_acknowledge_by"] == "2026-11-24T10:30:00Z"
    assert of_additions[0]["data"]["links"]["addition"] == f"/v1/desk/concerns/{receipt['reference']}/additions/1"
    assert "danger" not in str(events)


@pytest.mark.parametrize("state", ["", "&state=acknowledged"])
def test_the_urgent_order_puts_danger_first_and_waiting_additions_before_others(
    desk: Desk, raised: Raise, clock: SettableClock, state: str
) -> None:
    known = "acknowledged" if state else "received"
    quiet = raised("acknowledged", immediate_danger="yes")
    first_unread = raised(known, *([None] if state else []), immediate_danger="yes")
    clock.time += A_MINUTE
    calm = raised("acknowledged", "no")
    unsure = raised("acknowledged", "not_sure")
    clock.time += A_MINUTE
    danger = raised("acknowledged", "yes", "no")

    def order() -> list[str]:
        return [entry["reference"] for entry in desk.get(f"/concerns?limit=200{state}").json()["concerns"]]

    before = order()
    desk.act(danger["reference"], "acknowledgement", up_to_addition=1)
    after = order()
    desk.act(danger["reference"], "acknowledgement", up_to_addition=2)
    seen = order()

    first, second, third, fourth, last = (each["reference"] for each in (danger, first_unread, unsure, calm, quiet))
    by_deadline = [first, second] if state else [second, first]  # an unread first report in danger is due as early
    assert before == [*by_deadline, third, fourth, last]
    assert after == [second, first, third, fourth, last]  # the concern's own danger is never lowered
    assert seen == [second, third, fourth, last, first]


def test_an_acknowledgement_covers_what_it_names_and_nothing_that_came_later(desk: Desk, raised: Raise) -> None:
    receipt = raised("received", None, None, None)
    reference = receipt["reference"]
    seen = [waiting(desk, receipt)]

    for body in ({}, {"up_to_addition": 2}, {"up_to_addition": 2}, {}, {"up_to_addition": 1}, {"up_to_addition": 3}):
        answer = desk.act(reference, "acknowledgement", **body)
        assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged")
        seen.append(waiting(desk, receipt))

    assert seen == [[1, 2, 3], [1, 2, 3], [3], [3], [3], [3], []]


def test_an_earlier_acknowledgement_does_not_cover_a_new_addition(
    client: TestClient, desk: Desk, raised: Raise
) -> None:
    receipt = raised("acknowledged", None)
    looked_at = desk.get(f"/concerns/{receipt['reference']}").json()["additions"]
    add(client, receipt, danger="yes")

    desk.act(receipt["reference"], "acknowledgement", up_to_addition=looked_at[-1]["number"])

    assert waiting(desk, receipt) == [2]
    assert entry_of(desk, receipt)["addition_danger"] == "yes"


def test_a_number_that_no_addition_has_acknowledges_nothing(desk: Desk, raised: Raise) -> None:
    receipt = raised("received", None)
    reference = receipt["reference"]

    beyond = desk.act(reference, "acknowledgement", up_to_addition=2)
    odd = [desk.act(reference, "acknowledgement", up_to_addition=each) for each in (-1, 1_000_001, "one", None, 1.5)]
    one = [desk.act(reference, f"additions/{number}/acknowledgement") for number in (2, 0, "01")]

    assert [answer.status_code for answer in (beyond, *odd)] == [422] * 6
    assert {answer.json()["errors"][0]["pointer"] for answer in (beyond, *odd)} == {"#/up_to_addition"}
    assert [answer.status_code for answer in one] == [404] * 3
    assert entry_of(desk, receipt)["state"] == "received"
    assert waiting(desk, receipt) == [1]


def test_one_addition_is_acknowledged_after_its_concern_and_only_once(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    receipt = raised("received", None, "yes", None)
    path = "additions/2/acknowledgement"

    early = desk.act(receipt["reference"], path)
    desk.act(receipt["reference"], "acknowledgement")
    clock.time += A_MINUTE
    answer = desk.act(receipt["reference"], path)
    clock.time += A_MINUTE
    again = desk.act(receipt["reference"], path)

    assert (early.status_code, early.json()["type"]) == (409, "/v1/problems/not-acknowledged")
    assert (answer.status_code, answer.json()["additions_waiting"], answer.json()["addition_danger"]) == (200, 2, None)
    moment = {"changed_at": "2026-11-24T09:32:00Z"}
    assert again.json() == answer.json() | moment
    assert waiting(desk, receipt) == [1, 3]
    moments = [each["acknowledged_at"] for each in status_of(client, receipt)["additions"]]
    assert moments == [None, "2026-11-24T09:31:00Z", None]
    assert status_of(client, receipt)["acknowledged_at"] == "2026-11-24T09:30:00Z"


def test_the_record_has_each_opening_and_acknowledgement_with_addition_numbers(desk: Desk, raised: Raise) -> None:
    reference = raised("received", None, None, None)["reference"]

    desk.get(f"/concerns/{reference}")
    desk.get(f"/concerns/{reference}/additions?limit=2")
    desk.get(f"/concerns/{reference}/additions/3")
    desk.act(reference, "acknowledgement", up_to_addition=2)
    desk.act(reference, "additions/3/acknowledgement")
    desk.act(reference, "acknowledgement")

    record = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    assert [row["act"] for row in record[:4]] == ["received", "added", "added", "added"]
    assert [(row["act"], row["detail"]) for row in record[4:]] == [
        ("opened", "opened here, additions 1 to 3"),
        ("opened", "additions 1 to 2"),
        ("opened", "sealed file of addition 3"),
        ("acknowledged", "with additions 1 to 2"),
        ("acknowledged", "addition 3"),
        ("acknowledged", ""),
    ]


@pytest.mark.parametrize("state", ["acknowledged", "closed"])
def test_nobody_and_no_retention_erases_an_addition_that_is_not_acknowledged(
    service: FastAPI, desk: Desk, raised: Raise, state: str
) -> None:
    receipt = raised(state, "yes", None)
    reference, context = receipt["reference"], service.state.context

    def purge() -> list[str]:
        at = A_TUESDAY + dt.timedelta(days=100_000)
        periods = RetentionPeriods(1, 1)
        return list(erase_due_concerns(context.engine, context.writer, periods, at=at, is_clock_checked=True))

    def erase() -> Any:
        return desk.act(reference, "erasure", reason="A made-up reason.")

    refused, erased = [erase()], [purge()]
    desk.act(reference, "additions/2/acknowledgement")
    refused.append(erase())
    erased.append(purge())
    opened = desk.get(f"/concerns/{reference}")
    desk.act(reference, "acknowledgement", up_to_addition=2)

    assert [answer.status_code for answer in refused] == [409, 409]
    assert {answer.json()["type"] for answer in refused} == {"/v1/problems/not-acknowledged"}
    assert erased == [[], []]
    assert [each["number"] for each in opened.json()["additions"]] == [1, 2]
    assert erase().status_code == 200
    assert desk.get(f"/concerns/{reference}/additions").status_code == 410


def test_the_database_keeps_unacknowledged_additions_and_all_acknowledgements(
    desk: Desk, raised: Raise, database: RawConnection
) -> None:
    reference = raised("closed", None, None)["reference"]
    desk.act(reference, "additions/1/acknowledgement")
    before = [database.execute(f"SELECT * FROM {table}").fetchall() for table in ("concerns", "entries")]  # noqa: S608  # own names
    empty, moment = ("x''", "'2026-11-24 09:30:00.000000'")
    if not isinstance(database, sqlite3.Connection):
        empty, moment = "''::bytea", "'2026-11-24 09:30:00+00'"
    of_both = "number > 0"
    statements = [
        f"UPDATE entries SET {change} WHERE kind = 'addition' AND {which}"  # noqa: S608  # own names
        for change, which in (
            ("sealed = NULL", "number = 2"),
            (f"sealed = {empty}", "number = 2"),
            ("sealed = NULL, recipients = '[]'", "number = 2"),
            (f"sealed = NULL, acknowledged_at = {moment}", "number = 2"),
            ("acknowledged_at = '2026-11-24 10:00:00.000000'", "number = 2"),  # not on the record
            ("acknowledged_at = NULL", "number = 1"),
            ("acknowledged_at = '2026-11-24 10:00:00.000000'", "number = 1"),
            ("acknowledge_by = '2036-11-24 09:30:00.000000'", of_both),
            ("received_at = '2026-11-23 09:30:00.000000'", of_both),
            ("immediate_danger = 'yes'", of_both),
            ("number = number + 10", of_both),
            ("reference = 'another'", of_both),
        )
    ]
    statements += [
        f"UPDATE concerns SET erased_at = {moment}",  # noqa: S608  # own names
        "UPDATE concerns SET sealed = NULL",
        "INSERT INTO entries (reference, kind, number, received_at, author, acknowledge_by, recipients, sealed, "  # noqa: S608  # own names
        "acknowledged_at) SELECT reference, kind, 3, received_at, author, acknowledge_by, recipients, sealed, "
        f"{moment} FROM entries WHERE kind = 'addition' AND number = 1",
        "DELETE FROM entries WHERE kind = 'addition'",
    ]

    for statement in statements:
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RestrictViolation), match=r"an? (entry|concern)"):
            database.execute(statement)

    assert [database.execute(f"SELECT * FROM {table}").fetchall() for table in ("concerns", "entries")] == before  # noqa: S608  # own names
