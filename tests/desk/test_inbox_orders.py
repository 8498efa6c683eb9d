"""Pages of the inbox: by every filter and every two, in each order, each page is the next part of the whole."""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, Row, event, insert, select
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import for_writing
from app.db.tables import table_of
from app.main import create_app
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.desk.inbox_filters import InboxOrder
from app.services.audit.audit_log import Actor
from app.services.desk.inbox import InboxQuery, count_states, list_inbox, position_of
from tests.support.clock import A_TUESDAY
from tests.support.load import A_CONCERN
from tests.support.loops import some_by_day
from tests.support.publishing import SLUG

pytestmark = pytest.mark.slow

MANY = 240
ROWS_OF_A_PAGE = 39
HOUR = dt.timedelta(hours=1)
NOW = A_TUESDAY + 60 * HOUR  # some of what waits is overdue
JO = Actor("example-desk", "192.0.2.10", NOW)
EACH: dict[str, dict[str, Any]] = {
    "person": {"assigned_to": "Worker 7"},
    "unassigned": {"assigned_to": ""},
    "danger": {"danger": "not_sure"},
    "guide": {"guide": SLUG},
    "received": {"state": ConcernState.RECEIVED},
    "closed": {"state": ConcernState.CLOSED},
    "overdue": {"overdue": True},
    "not overdue": {"overdue": False},
    "changed": {"changed_since": A_TUESDAY + 20 * HOUR},
    "reference": {"reference": "001"},
    "in danger": {"waits_in_danger": True},
}
PAIRS = [(one, other) for one, other in itertools.combinations(EACH, 2) if not EACH[one].keys() & EACH[other].keys()]
CHOSEN = [{}, *EACH.values(), *(EACH[one] | EACH[other] for one, other in PAIRS)]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The database of a service with many concerns, which are copies of a real one; every seventh is a test."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("full") / "data", deliver=False)
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        assert client.post("/v1/concerns", json=A_CONCERN).status_code == 201
        engine: Engine = service.state.context.engine
        table = table_of(ConcernRow)
        with for_writing(engine).begin() as connection:
            one = dict(connection.execute(select(*(each for each in table.c if each.computed is None))).one()._mapping)
            connection.execute(insert(table), [one | changes_of(number) for number in range(MANY)])
        yield engine


def changes_of(number: int) -> dict[str, Any]:
    """Return what the copy of that number has of its own."""
    state = ("received", "acknowledged", "received", "closed", "closed")[number % 5]
    received_at = A_TUESDAY + number // 3 * dt.timedelta(minutes=50)  # three at a time
    return {
        "reference": f"{number:04X}-{number:04X}-TEST",
        "received_at": received_at,
        "acknowledge_by": received_at + 24 * HOUR,
        "changed_at": received_at + (number % 11) * HOUR,
        "state": state,
        "acknowledged_at": None if state == "received" else received_at + (number % 48) * HOUR,
        "closed_at": received_at + 60 * HOUR if state == "closed" else None,
        "immediate_danger": ("no", "no", "yes", "not_sure")[number % 4],
        "assigned_to": f"Worker {number % 20}" if number % 3 else "",
        "test": number % 7 == 0,
    }


def is_overdue(row: Row[Any]) -> bool:
    return row.waiting == 0 and row.due < NOW and not row.test


def matches(row: Row[Any], filters: dict[str, Any]) -> bool:
    """Return whether the row is what the filters say, by its own columns."""
    found = {
        "assigned_to": lambda value: row.assigned_to == value,
        "danger": lambda value: row.immediate_danger == value,
        "guide": lambda value: row.guide == value,
        "state": lambda value: row.state == value,
        "overdue": lambda value: is_overdue(row) is value,
        "changed_since": lambda value: row.changed_at >= value,
        "reference": row.reference.startswith,
        "waits_in_danger": lambda _: row.waiting == 0 and row.danger <= 1,
    }
    return all(found[name](value) for name, value in filters.items())


def whole(session: Session, order: InboxOrder, test: bool) -> list[Row[Any]]:
    found = list_inbox(session, InboxQuery(order, test), actor=JO, after=None, limit=MANY + 2)
    if order is InboxOrder.URGENT:
        return sorted(found, key=lambda row: (row.waiting, row.danger, row.due, row.reference))
    time = "received_at" if order is InboxOrder.NEWEST else "changed_at"
    return sorted(found, key=lambda row: (getattr(row, time), row.reference), reverse=True)


@some_by_day(order=InboxOrder, test=[False, True])
def test_pages_by_every_filter_and_pair_make_up_the_whole_inbox(full: Engine, order: InboxOrder, test: bool) -> None:
    some = 0
    with Session(full) as session:
        everything = whole(session, order, test)
        for filters in CHOSEN:
            query, after = InboxQuery(order, test, **filters), None
            pages: list[str] = []
            while found := list_inbox(session, query, actor=JO, after=after, limit=ROWS_OF_A_PAGE):
                pages += [each.reference for each in found]
                after = position_of(found[-1], query)

            expected = [each.reference for each in everything if matches(each, filters)]
            assert pages == expected, filters
            some += bool(expected)

    assert len(everything) > MANY / 10
    assert some > len(CHOSEN) / 2


@pytest.mark.embedded  # PostgreSQL reads a small table whole
def test_a_page_by_urgency_reads_each_part_of_the_inbox_from_its_beginning(full: Engine) -> None:
    asked: list[Any] = []
    event.listen(full, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    with Session(full) as session:
        list_inbox(session, InboxQuery(InboxOrder.URGENT), actor=JO, after=None, limit=ROWS_OF_A_PAGE)
        ((statement, parameters),) = [each for each in asked if "FROM concerns" in each[0]]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()

    searches = [row[-1] for row in plan if "ix_concerns_urgency (waiting=? AND danger<?)" in row[-1]]
    assert len(searches) == 3  # otherwise rare danger in an addition is looked for among all concerns
    assert len([row for row in plan if row[-1].startswith("SCAN concerns USING INDEX ix_concerns_urgency")]) == 1


def test_the_summary_counts_what_the_inbox_lists(full: Engine) -> None:
    with Session(full) as session:
        counts = count_states(session, now=NOW)
        rows = whole(session, InboxOrder.URGENT, test=False)

    assert counts == {state.value: sum(row.state == state for row in rows) for state in ConcernState} | {
        "overdue": sum(map(is_overdue, rows))
    }
