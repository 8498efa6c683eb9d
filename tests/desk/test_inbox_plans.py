"""How the database finds pages of the inbox and figures of days: from one index each, by every filter."""

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, inspect, select
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.concerns.tables import BY_URGENCY, FILTERED, ConcernRow, ConcernState
from app.models.desk.inbox import InboxOrder
from app.services.desk.figures import read_figures
from app.store.database import for_writing
from app.store.disclosures import Actor
from app.store.inbox import InboxFilters, InboxQuery, count_states, list_inbox, position_of
from app.store.tables import table_of
from app.web.context import AppContext
from tests.support.clock import A_TUESDAY
from tests.support.databases import on_postgresql, raw_connection
from tests.support.load import A_CONCERN
from tests.support.publishing import SLUG

pytestmark = pytest.mark.slow

MANY = 20_000
ROWS_OF_A_PAGE = 51
HOUR = dt.timedelta(hours=1)

FILTERS = {
    "of a person": (InboxFilters(assigned_to="Worker 7"), InboxOrder.URGENT, "ix_concerns_assigned_urgency"),
    "unassigned": (InboxFilters(assigned_to=""), InboxOrder.URGENT, "ix_concerns_assigned_urgency"),
    "danger": (InboxFilters(danger="not_sure"), InboxOrder.URGENT, "ix_concerns_danger_urgency"),
    "guide": (InboxFilters(guide=SLUG), InboxOrder.URGENT, "urgency"),  # all have it: the order alone will do
    "state": (InboxFilters(state=ConcernState.CLOSED), InboxOrder.URGENT, "ix_concerns_state_urgency"),
    "changed": (InboxFilters(changed_since=A_TUESDAY), InboxOrder.CHANGED, "ix_concerns_changed"),
    "lately": (InboxFilters(changed_since=A_TUESDAY + 300 * HOUR), InboxOrder.CHANGED, "ix_concerns_changed"),
    "reference": (InboxFilters(reference="0009-0"), InboxOrder.URGENT, "reference"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppContext]:
    """The context of a service with many concerns, which are copies of a real one."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("full"), deliver=False)
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        assert client.post("/v1/concerns", json=A_CONCERN).status_code == 201
        engine: Engine = service.state.context.engine
        table = table_of(ConcernRow)
        with for_writing(engine).begin() as connection:
            one = dict(connection.execute(select(*(each for each in table.c if each.computed is None))).one()._mapping)
            connection.execute(insert(table), [one | changes_of(number) for number in range(MANY)])
        if on_postgresql():
            with raw_connection(settings.data_dir) as database:
                database.execute("VACUUM (ANALYZE) concerns")  # as PostgreSQL does by itself, sooner or later
        yield service.state.context


@pytest.fixture(scope="module")
def full(filled: AppContext) -> Engine:
    return filled.engine


def changes_of(number: int) -> dict[str, Any]:
    """Return what the copy of that number has of its own: most are closed, and each person has 1 in 200."""
    state = ("received", "acknowledged", *["closed"] * 8)[number % 10]
    received_at = A_TUESDAY + number * dt.timedelta(minutes=1)
    return {
        "reference": f"{number:04X}-{number:04X}-TEST",
        "received_at": received_at,
        "acknowledge_by": received_at + 24 * HOUR,
        "changed_at": received_at,
        "state": state,
        "acknowledged_at": None if state == "received" else received_at + (number % 48) * HOUR,
        "closed_at": received_at + 60 * HOUR if state == "closed" else None,
        "immediate_danger": ("no", "no", "yes", "not_sure")[number % 4],
        "assigned_to": f"Worker {number % 200}" if number % 3 else "",
    }


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that has, after the block, how the database finds each page and count of this thread."""
    thread = get_ident()  # the workers of the service read concerns, too
    statements: list[tuple[str, Any]] = []
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def listen(_connection: Any, _cursor: Any, words: str, values: Any, *_rest: Any) -> None:
        if "FROM concerns" in words and get_ident() == thread:
            statements.append((words, values))

    yield plans
    event.remove(engine, "before_cursor_execute", listen)
    explain = "EXPLAIN " if on_postgresql() else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        plans += [str(connection.exec_driver_sql(explain + words, values).all()) for words, values in statements]


@pytest.mark.parametrize("name", FILTERS)
def test_a_filtered_page_is_a_range_of_one_index_in_its_order_wherever_it_begins(full: Engine, name: str) -> None:
    filters, order, index = FILTERS[name]
    query = InboxQuery(order, filters)

    with plans_of(full) as plans, Session(full) as session:
        first = list_inbox(session, query, now=A_TUESDAY, after=None, limit=ROWS_OF_A_PAGE)
        list_inbox(session, query, now=A_TUESDAY, after=position_of(first[-1], query), limit=ROWS_OF_A_PAGE)

    assert len(plans) == 2
    for plan in plans:
        # where a filter keeps much of the inbox, the planner of PostgreSQL may read the order's own index instead
        assert index in plan or (on_postgresql() and "Index Scan using ix_concerns_urgency" in plan)
        assert [way for way in ("SCAN concerns", "Seq Scan") if way in plan] == []
        if name != "reference":  # few: they are sorted
            assert [way for way in ("TEMP B-TREE", "Sort") if way in plan] == []


NOW = A_TUESDAY + 200 * HOUR  # some of what waits is overdue
EACH: dict[str, dict[str, Any]] = {
    "person": {"assigned_to": "Worker 7"},
    "unassigned": {"assigned_to": ""},
    "danger": {"danger": "not_sure"},
    "guide": {"guide": SLUG},
    "received": {"state": ConcernState.RECEIVED},
    "closed": {"state": ConcernState.CLOSED},
    "overdue": {"overdue": True},
    "not overdue": {"overdue": False},
    "changed": {"changed_since": NOW},
    "reference": {"reference": "0009-0"},
    "in danger": {"waits_in_danger": True},
}
PAIRS = [(one, other) for one, other in itertools.combinations(EACH, 2) if not EACH[one].keys() & EACH[other].keys()]


@pytest.mark.embedded
@pytest.mark.parametrize("order", InboxOrder)
@pytest.mark.parametrize("test", [False, True], ids=["concerns", "tests"])
def test_no_filter_and_no_two_together_read_rows_that_they_drop(full: Engine, order: InboxOrder, test: bool) -> None:
    """The index that is read is in the order of the page, or has few rows, and has every column that is filtered."""
    chosen = [{}, *EACH.values(), *(EACH[one] | EACH[other] for one, other in PAIRS)]
    for filters in chosen:
        query = InboxQuery(order, InboxFilters(**filters), test)

        with plans_of(full) as plans, Session(full) as session:
            list_inbox(session, query, now=NOW, after=None, limit=ROWS_OF_A_PAGE)

        for plan in plans:
            assert f"USING INDEX {query.index}" in plan, filters
            is_few = test or "reference" in filters or filters.get("assigned_to")
            assert "TEMP B-TREE" not in plan or is_few, filters
            assert (
                "SCAN" not in plan
                or not filters
                or order is not InboxOrder.URGENT
                or test
                or "changed_since" in filters
            )


@pytest.mark.parametrize("order", [InboxOrder.NEWEST, InboxOrder.CHANGED])
def test_what_was_closed_and_still_waits_is_found_without_reading_all_that_was_closed(
    full: Engine, order: InboxOrder
) -> None:
    """Both are frequent, and nothing is both: PostgreSQL knows it from counts of both together."""
    query = InboxQuery(order, InboxFilters(state=ConcernState.CLOSED, overdue=True))

    with plans_of(full) as plans, Session(full) as session:
        assert list_inbox(session, query, now=NOW, after=None, limit=ROWS_OF_A_PAGE) == []

    assert [plan for plan in plans if on_postgresql() and query.index in plan] == []


@pytest.mark.parametrize("filters", [EACH["overdue"], EACH["not overdue"], EACH["overdue"] | {"danger": "yes"}])
def test_pages_of_what_is_overdue_are_those_of_the_whole_order_wherever_they_begin(
    full: Engine, filters: dict[str, Any]
) -> None:
    query, every = InboxQuery(InboxOrder.URGENT, InboxFilters(**filters)), {**filters, "overdue": None}
    with Session(full) as session:
        whole = list_inbox(session, InboxQuery(query.order, InboxFilters(**every)), now=NOW, after=None, limit=MANY + 2)
        expected = [each.reference for each in whole if (each.waiting == 0 and each.due < NOW) is filters["overdue"]]
        pages: list[str] = []
        after = None
        while found := list_inbox(session, query, now=NOW, after=after, limit=499):
            pages += [each.reference for each in found]
            after = position_of(found[-1], query)

    assert len(expected) > 50
    assert pages == expected


INDEXES_OF_DAYS = ("unacknowledged", "unacknowledged", "received", "acknowledged", "closed", "acknowledged")
"""What is counted for figures of days, in that order: what waits, what is late of it, what came, and so on."""


@pytest.mark.parametrize("days", [1, 92])
def test_figures_are_one_statement_for_all_days_and_each_reads_entries_of_one_index_alone(
    filled: AppContext, days: int
) -> None:
    actor, way = Actor("test/Robin Example", "127.0.0.1"), "Index Only Scan" if on_postgresql() else "COVERING INDEX"

    with plans_of(filled.engine) as plans:
        found = read_figures(filled.engine, filled.writer, days=days, actor=actor, at=A_TUESDAY + 400 * HOUR)

    assert len(found) == days
    assert len(plans) == len(INDEXES_OF_DAYS)
    for plan, index in zip(plans, INDEXES_OF_DAYS, strict=True):
        assert f"{way} " in plan
        assert plan.count(f"ix_concerns_{index}") == plan.count("ix_concerns") > 0
        assert [each for each in ("Seq Scan", "Bitmap", "Index Scan") if each in plan] == []


def test_the_summary_reads_no_row_but_indexes_alone(full: Engine) -> None:
    with plans_of(full) as plans, Session(full) as session:
        count_states(session, now=NOW)

    if on_postgresql():
        assert [plan for plan in plans if "Index Only Scan" not in plan or "Seq Scan" in plan] == []
        return
    counted, overdue = plans
    assert "USING COVERING INDEX ix_concerns_state_urgency" in counted
    assert "ix_concerns_urgency (waiting=? AND danger=? AND due<?)" in overdue


def test_every_index_of_the_inbox_has_every_column_that_is_filtered_or_sorted_by(full: Engine) -> None:
    found = inspect(full).get_indexes("concerns")
    held = {str(each["name"]): set(each["column_names"]) for each in found}

    ordered = {name for name in held if name.endswith(("urgency", "ix_concerns_received", "ix_concerns_changed"))}
    assert len(ordered) == 7
    assert [name for name in ordered if not held[name] >= {*FILTERED, *BY_URGENCY}] == []
