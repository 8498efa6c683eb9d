"""Reopening: a concern closed by a slip is open again, on the record, and its periods start again."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.models.audit.rows import DeskAct
from app.models.events.rows import EventKind, EventRow
from app.services.audit.audit_log import by_itself, record_action
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern, status_of
from tests.support.databases import raw_connection
from tests.support.desk import Desk, acts_on
from tests.support.people import context_of_service

pytestmark = pytest.mark.slow

REASON = "Closed by mistake."
OTHER = "no_further_action"


@pytest.fixture
def receipt(client: TestClient) -> dict[str, Any]:
    return raise_concern(client)


@pytest.fixture
def closed(desk: Desk, receipt: dict[str, Any]) -> str:
    reference = str(receipt["reference"])
    assert desk.act(reference, "acknowledgement").status_code == 200
    assert close(desk, reference).status_code == 200
    return reference


def close(desk: Desk, reference: str, outcome: str = "early_help") -> Any:
    return desk.act(reference, "outcome", outcome=outcome, shared_with_reporter=True)


def reopen(desk: Desk, reference: str) -> Any:
    return desk.act(reference, "reopening", reason=REASON)


def events_about(service: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    with Session(context_of_service(service).engine) as session:
        rows = session.exec(select(EventRow).order_by(EventRow.id))  # type: ignore[arg-type]  # a column
        return [(row.kind, row.data) for row in rows if row.kind.startswith("concern.")]


def test_a_reopened_concern_is_acknowledged_and_without_an_outcome(
    service: FastAPI, desk: Desk, closed: str, clock: SettableClock
) -> None:
    clock.time = A_TUESDAY + dt.timedelta(hours=1)

    entry = reopen(desk, closed).json()

    assert (entry["state"], entry["closed_at"], entry["outcome"]) == ("acknowledged", None, None)
    assert (entry["reopened_at"], entry["changed_at"]) == ("2026-11-24T10:30:00Z",) * 2
    assert acts_on(service, closed)[-1] == (DeskAct.REOPENED, "example-desk", REASON)
    assert list(find_faults(context_of_service(service).engine)) == []


def test_a_reopened_concern_is_closed_again_with_another_outcome(
    service: FastAPI, desk: Desk, closed: str, clock: SettableClock
) -> None:
    refused = close(desk, closed, OTHER)
    reopen(desk, closed)
    clock.time = A_TUESDAY + dt.timedelta(days=1)

    entry = close(desk, closed, OTHER).json()

    assert refused.json()["type"] == "/v1/problems/outcome-given"
    assert (entry["state"], entry["outcome"], entry["closed_at"]) == ("closed", OTHER, "2026-11-25T09:30:00Z")
    assert entry["reopened_at"] == "2026-11-24T09:30:00Z"
    assert list(find_faults(context_of_service(service).engine)) == []


def test_an_open_concern_is_not_reopened_and_nothing_is_recorded(
    service: FastAPI, desk: Desk, receipt: dict[str, Any]
) -> None:
    reference = receipt["reference"]
    answers = [reopen(desk, reference)]
    desk.act(reference, "acknowledgement")
    answers.append(reopen(desk, reference))

    assert [(each.status_code, each.json()["type"]) for each in answers] == [(409, "/v1/problems/not-closed")] * 2
    assert DeskAct.REOPENED not in [act for act, _, _ in acts_on(service, reference)]


def test_a_repeated_reopening_only_adds_an_entry(
    service: FastAPI, desk: Desk, closed: str, clock: SettableClock
) -> None:
    first = reopen(desk, closed).json()
    clock.time = A_TUESDAY + dt.timedelta(hours=1)

    again = reopen(desk, closed)

    assert (again.status_code, again.json()["reopened_at"]) == (200, first["reopened_at"])
    assert [act for act, _, _ in acts_on(service, closed)].count(DeskAct.REOPENED) == 2
    assert [kind for kind, _ in events_about(service)].count(EventKind.CONCERN_REOPENED) == 1
    assert list(find_faults(context_of_service(service).engine)) == []


def test_an_erased_concern_stays_closed(service: FastAPI, settings: Settings, desk: Desk, closed: str) -> None:
    context = context_of_service(service)
    desk.act(closed, "erasure", reason="A made-up reason.")

    refused = reopen(desk, closed)

    assert (refused.status_code, refused.json()["type"]) == (410, "/v1/problems/concern-erased")
    assert list(find_faults(context.engine)) == []
    context.writer.run(record_action, closed, DeskAct.REOPENED, by_itself(A_TUESDAY))  # only the record says so
    with raw_connection(settings.data_dir) as database, pytest.raises(Exception, match="while its text is there"):
        database.execute("UPDATE concerns SET state = 'acknowledged'")


def test_an_event_tells_that_a_concern_is_open_again(service: FastAPI, desk: Desk, closed: str) -> None:
    reopen(desk, closed)

    kind, data = events_about(service)[-1]

    assert kind == EventKind.CONCERN_REOPENED
    assert data["reopened_at"] == "2026-11-24T09:30:00Z"
    assert "closed_at" not in data


def test_the_reporter_sees_it_acknowledged_and_no_outcome(
    client: TestClient, desk: Desk, receipt: dict[str, Any], closed: str
) -> None:
    before = status_of(client, receipt)
    reopen(desk, closed)

    after = status_of(client, receipt)

    assert (before["state"], before["outcome"]) == ("closed", "early_help")
    assert (after["state"], after["closed_at"], after["outcome"], after["outcome_text"]) == (
        "acknowledged",
        None,
        None,
        None,
    )
    assert after["acknowledged_at"] == before["acknowledged_at"]
    assert REASON not in str(after)


@pytest.fixture
def erased_after(service: FastAPI) -> Callable[[float], set[str]]:
    """The references of what retention erases after so many days, with periods of 30 days."""
    context = context_of_service(service)

    def run(days: float) -> set[str]:
        at, periods = A_TUESDAY + dt.timedelta(days=days), RetentionPeriods(30, 30)
        return set(erase_due_concerns(context.engine, context.writer, periods, at=at, is_clock_checked=True))

    return run


def test_retention_starts_again_at_the_reopening(
    desk: Desk, closed: str, clock: SettableClock, erased_after: Callable[[float], set[str]]
) -> None:
    clock.time = A_TUESDAY + dt.timedelta(days=29)
    reopen(desk, closed)

    assert erased_after(31) == set()  # although it was acknowledged 31 days ago
    assert erased_after(58.9) == set()
    assert erased_after(59.1) == {closed}


def test_retention_starts_again_at_the_next_closing(
    desk: Desk, closed: str, clock: SettableClock, erased_after: Callable[[float], set[str]]
) -> None:
    clock.time = A_TUESDAY + dt.timedelta(days=10)
    reopen(desk, closed)
    clock.time = A_TUESDAY + dt.timedelta(days=20)
    close(desk, closed)

    assert erased_after(49.9) == set()
    assert erased_after(50.1) == {closed}


def test_figures_count_a_closing_until_it_is_taken_back(desk: Desk, closed: str) -> None:
    def closed_today() -> int:
        return int(desk.get("/figures?days=1").json()["days"][-1]["closed"])

    before = closed_today()
    reopen(desk, closed)
    open_again = closed_today()
    close(desk, closed)

    assert (before, open_again, closed_today()) == (1, 0, 1)
    assert desk.get("/summary").json()["closed"] == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE concerns SET state = 'acknowledged'",
        "UPDATE concerns SET closed_at = NULL",
        "UPDATE concerns SET outcome = NULL",
        "UPDATE concerns SET reopened_at = received_at",
    ],
)
def test_the_database_refuses_a_reopening_that_is_not_recorded(
    settings: Settings, desk: Desk, closed: str, change: str
) -> None:
    assert desk.get(f"/concerns/{closed}").status_code == 200

    with raw_connection(settings.data_dir) as database, pytest.raises(Exception, match="only with its audit log entry"):
        database.execute(change)


@pytest.mark.parametrize("column", ["closed_at", "outcome"])
def test_the_database_never_lets_a_closing_be_replaced(
    settings: Settings, desk: Desk, closed: str, column: str
) -> None:
    assert desk.act(closed, "outcome", outcome="early_help").status_code == 200  # the last entry is a closing

    value = "'no_further_action'" if column == "outcome" else "acknowledge_by"
    with raw_connection(settings.data_dir) as database, pytest.raises(Exception, match="never altered"):
        database.execute(f"UPDATE concerns SET {column} = {value}")  # noqa: S608  # own names
