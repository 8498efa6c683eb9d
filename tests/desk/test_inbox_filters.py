"""Filters of the inbox: each gives what it names and no more, together they narrow, and each page is from an index."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event, insert, select
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.clients import Scope
from app.models.concerns.tables import BY_URGENCY, FILTERED, ConcernRow, ConcernState
from app.store.database import for_writing
from app.store.figures import (
    count_acknowledged,
    count_closed,
    count_late_until,
    count_received,
    count_still_late,
    count_waiting,
)
from app.store.inbox import InboxFilters, InboxOrder, InboxQuery, count_states, list_inbox, position_of
from app.store.tables import table_of
from tests.support.additions import add
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.databases import on_postgresql, raw_connection
from tests.support.desk import Desk
from tests.support.load import A_CONCERN
from tests.support.publishing import SLUG
from tests.support.workers import worker_of

MANY = 20_000
ROWS_OF_A_PAGE = 51
HOUR = dt.timedelta(hours=1)

Raise = Callable[..., Any]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock, a_concern: Concern) -> Raise:
    """Raise a concern that many hours after the first, and return its receipt."""

    def raise_concern(hours: int = 0, danger: str = "no") -> Any:
        clock.time = A_TUESDAY + hours * HOUR
        return client.post("/v1/concerns", json=a_concern(immediate_danger=danger)).json()

    return raise_concern


def found(desk: Desk, query: str) -> list[str]:
    answer = desk.get(f"/concerns?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["reference"] for entry in answer.json()["concerns"]]


def test_mine_unassigned_and_assigned_to_a_person_give_that_and_no_more(
    service: FastAPI, client: TestClient, raised: Raise
) -> None:
    robin, sam = (worker_of(service, client, person) for person in ("Robin Example", "Sam Example"))
    mine, other, nobody = (raised(hours)["reference"] for hours in range(3))
    for worker, reference in ((robin, mine), (sam, other)):
        worker.http.put(f"/v1/desk/concerns/{reference}/assignment", headers=worker.headers)

    assert found(robin, "mine=true") == [mine]
    assert found(sam, "mine=true") == [other]
    assert found(robin, "unassigned=true") == [nobody]
    assert found(robin, "assigned_to=Sam%20Example") == [other]
    assert found(robin, "assigned_to=Sam") == []
    assert found(robin, "mine=false&unassigned=false") == [mine, other, nobody]


def test_danger_guide_state_and_overdue_narrow_together(desk: Desk, raised: Raise, clock: SettableClock) -> None:
    danger, calm = raised(0, "yes")["reference"], raised(1)["reference"]
    seen = raised(2, "yes")["reference"]
    desk.act(seen, "acknowledgement")
    clock.time = A_TUESDAY + 24 * HOUR + HOUR / 2

    assert found(desk, "danger=yes") == [danger, seen]
    assert found(desk, "danger=yes&state=received") == [danger]
    assert found(desk, f"guide={SLUG}&danger=no") == [calm]
    assert found(desk, "guide=another-guide") == []
    assert found(desk, "overdue=true&danger=yes") == [danger]
    assert found(desk, "overdue=true&danger=no") == []


def test_changed_since_gives_what_changed_the_latest_first_and_reading_is_no_change(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    first, second, third = (raised(hours) for hours in range(3))
    clock.time = A_TUESDAY + 5 * HOUR
    desk.act(second["reference"], "acknowledgement")
    desk.get(f"/concerns/{third['reference']}")
    clock.time = A_TUESDAY + 6 * HOUR
    assert add(client, first).status_code == 201

    since = "changed_since=2026-11-24T14:30:00Z"
    assert found(desk, since) == [first["reference"], second["reference"]]
    assert found(desk, "changed_since=2026-11-24T15:00:00%2B00:00") == [first["reference"]]
    assert found(desk, f"{since}&order=urgent") == [first["reference"], second["reference"]]
    assert found(desk, f"{since}&state=received") == [first["reference"]]
    page = desk.get(f"/concerns?{since}&limit=1").json()
    assert found(desk, f"{since}&limit=1&cursor={page['next_cursor']}") == [second["reference"]]


def test_what_changed_since_an_event_begins_at_its_time(
    service: FastAPI, client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    follower = worker_of(service, client, "Kim Example", Scope.EVENTS)
    early = raised(0)["reference"]
    cursor = client.get("/v1/events", headers=follower.headers).json()["next_cursor"]
    late = raised(3)["reference"]
    clock.time = A_TUESDAY + 4 * HOUR

    assert set(found(desk, f"since_event={cursor}")) == {early, late}  # at its time or later: nothing is left out
    following = client.get(f"/v1/events?after={cursor}", headers=follower.headers).json()["next_cursor"]
    assert found(desk, f"since_event={following}") == [late]
    assert desk.get("/concerns?since_event=OTk5OTk").json()["type"] == "/v1/problems/invalid-cursor"


def test_the_moment_for_the_next_look_is_before_every_change_that_is_still_on_its_way(
    service: FastAPI, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    raised(0)

    moment = desk.get("/concerns").json()["next_changed_since"]

    waited = clock.time - dt.datetime.fromisoformat(moment)
    assert waited.total_seconds() >= service.state.context.settings.writer_wait_seconds


def test_a_reference_is_found_by_its_first_characters_in_any_case_and_grouping(desk: Desk, raised: Raise) -> None:
    reference = raised(0)["reference"]
    raised(1)
    plain = reference.replace("-", "")

    for typed in (plain[:6].lower(), reference, f"{plain[:4]}%20{plain[4:7]}", plain):
        assert found(desk, f"reference={typed}") == [reference]


@pytest.mark.parametrize(
    "query",
    [
        "mine=true&unassigned=true",
        "mine=true&assigned_to=Sam",
        "changed_since=yesterday",
        "changed_since=1764000000",
        "changed_since=2026-11-24T09:30:00",
        "changed_since=2026-02-30T09:30:00Z",
        "changed_since=0001-01-01T00:00:00%2B14:00",
        "since_event=%2A",
        "since_event=LTE",
        "reference=4F7",
        "reference=ABCD",
        "reference=%25%25%25%25",
        "danger=maybe",
        "guide=No%20Slug",
        "assigned_to=",
        "assigned_to=%20Sam",
        "assigned_to=Sam%0A",
        "order=oldest",
    ],
)
def test_a_filter_that_cannot_be_is_refused_and_never_gives_everything(desk: Desk, raised: Raise, query: str) -> None:
    raised(0)

    answer = desk.get(f"/concerns?{query}")

    assert (answer.status_code, "concerns" in answer.json()) == (400, False)


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
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of a service with many concerns, which are copies of a real one."""
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
                database.execute("ANALYZE concerns")
        yield engine


def changes_of(number: int) -> dict[str, Any]:
    """Return what the copy of that number has of its own: most are closed, and each person has 1 in 200."""
    state = ("received", "acknowledged", *["closed"] * 8)[number % 10]
    return {
        "reference": f"{number:04X}-{number:04X}-TEST",
        "received_at": A_TUESDAY + number * dt.timedelta(minutes=1),
        "acknowledge_by": A_TUESDAY + number * dt.timedelta(minutes=1) + 24 * HOUR,
        "changed_at": A_TUESDAY + number * dt.timedelta(minutes=1),
        "state": state,
        "immediate_danger": ("no", "no", "yes", "not_sure")[number % 4],
        "assigned_to": f"Worker {number % 200}" if number % 3 else "",
    }


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that has, after the block, how the database finds each page and count that was read in it."""
    statements: list[tuple[str, Any]] = []
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def listen(_connection: Any, _cursor: Any, words: str, values: Any, *_rest: Any) -> None:
        if "FROM concerns" in words:
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
    with full.connect() as connection:
        indexes = {row[1]: row[2] for row in connection.exec_driver_sql("PRAGMA index_list(concerns)")}
        for name in indexes:
            held = {row[2] for row in connection.exec_driver_sql(f"PRAGMA index_info({name})")}
            assert not name.endswith("urgency") or held >= {*FILTERED, *BY_URGENCY}, name


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


@pytest.mark.embedded
def test_the_counts_and_the_figures_of_days_read_no_row_but_indexes_alone(full: Engine) -> None:
    with plans_of(full) as plans, Session(full) as session:
        count_states(session, now=NOW)
        count_waiting(session, now=NOW)
        count_still_late(session, (A_TUESDAY, NOW))
        count_late_until(session, at=A_TUESDAY, until=NOW)
        for count in (count_received, count_acknowledged, count_closed):
            count(session, (A_TUESDAY, NOW))

    counted, overdue, *of_days = plans
    assert "USING COVERING INDEX ix_concerns_state_urgency" in counted
    assert "ix_concerns_urgency (waiting=? AND danger=? AND due<?)" in overdue
    assert len(of_days) == 6
    assert "SCAN concerns USING COVERING INDEX ix_concerns_unacknowledged" in of_days[0]  # which has nothing else
    assert [plan for plan in of_days[1:] if "SEARCH concerns USING COVERING INDEX" not in plan] == []
