"""What is always true is checked in slices beside the requests: how much at once, from where, and by which process."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.testclient import TestClient

from app.models.events.tables import EventKind
from app.services.desk.actions import append_overdue_events
from app.services.operations import sliced_checks
from app.services.operations.invariant_worker import SHARE, InvariantWorker
from app.services.operations.invariants import Invariant, find_broken
from app.services.operations.record_check_file import FILE
from app.services.operations.sliced_checks import OverdueCheck, RecordCheck
from app.services.operations.workers import MINUTE_SECONDS
from app.store import record_slices
from app.store.events import append_event
from app.store.record_slices import RecordPass, check_record_slice, is_of_this_record
from tests.support.additions import add
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.databases import drop_triggers, raw_connection
from tests.support.desk import Desk
from tests.support.people import context_of_service

pytestmark = pytest.mark.slow

ROWS = 4
SLICE_SECONDS = 0.25


class Stopwatch:
    """Seconds that pass with each slice, and by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def timer() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch, timer: Stopwatch) -> list[int]:
    """Slices of few rows, each of which takes a while. Returns the number of rows that each read."""
    sizes: list[int] = []
    fingerprinted = RecordPass.count

    def counted(state: RecordPass, *row: Any) -> None:
        sizes[-1] += 1
        fingerprinted(state, *row)

    def slice_of(session: Session, state: RecordPass) -> list[str]:
        timer.seconds += SLICE_SECONDS
        sizes.append(0)
        return check_record_slice(session, state)

    monkeypatch.setattr(record_slices, "SLICE_ROWS", ROWS)
    monkeypatch.setattr(record_slices, "ENTRIES_OF_A_GROUP", 12)
    monkeypatch.setattr(RecordPass, "count", counted)
    monkeypatch.setattr(sliced_checks, "check_record_slice", slice_of)
    return sizes


@pytest.fixture
def worker_of(service: FastAPI, client: TestClient, timer: Stopwatch) -> Iterator[Callable[[], InvariantWorker]]:
    """A function that makes a worker of one more process of the service."""
    context, made = context_of_service(service), list[InvariantWorker]()
    assert client

    def make() -> InvariantWorker:
        made.append(InvariantWorker(context.engine, (), context.clock, context.settings.data_dir, timer))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def pauses_of(worker: InvariantWorker) -> list[float]:
    """Let the worker check all that is due; its pauses after slices of the record."""
    pauses = list(iter(worker.run_once, MINUTE_SECONDS))
    return [each for each in pauses if each]  # in these tests nothing else takes time


def received(client: TestClient, a_concern: Concern) -> dict[str, Any]:
    """Raise a concern with two additions; its receipt."""
    receipt: dict[str, Any] = client.post("/v1/concerns", json=a_concern()).json()
    for _ in range(2):
        add(client, receipt)
    context_of_service(cast("FastAPI", client.app)).checkpoints.catch_up()
    return receipt


def engine_of(service: FastAPI) -> Engine:
    return context_of_service(service).engine


def test_the_record_is_read_a_few_rows_at_a_time_and_after_each_slice_the_processor_is_free_for_nineteen_times_as_long(
    client: TestClient, a_concern: Concern, worker_of: Callable[[], InvariantWorker], small_slices: list[int]
) -> None:
    for _ in range(5):
        received(client, a_concern)

    pauses = pauses_of(worker_of())

    assert max(small_slices) <= ROWS
    assert len(small_slices) >= 2 * 5 * 3 / ROWS
    assert pauses == [pytest.approx(SLICE_SECONDS / SHARE - SLICE_SECONDS)] * len(small_slices)


def test_a_record_that_grows_and_is_worked_on_while_it_is_checked_is_not_called_broken(
    service: FastAPI, client: TestClient, desk: Desk, a_concern: Concern, small_slices: list[int]
) -> None:
    receipts = [received(client, a_concern) for _ in range(4)]
    state, faults = RecordPass(), []
    while not state.is_done:
        with Session(engine_of(service)) as session:
            faults += RecordCheck(state).check_slice(session)
        if len(small_slices) < 30:
            receipts.append(received(client, a_concern))
            desk.get(f"/concerns/{receipts[len(small_slices) % len(receipts)]['reference']}")
            desk.get("/concerns")
        context_of_service(service).checkpoints.catch_up()

    assert faults == []
    assert state.groups


@pytest.mark.usefixtures("small_slices")
def test_a_row_that_the_log_lacks_is_found_although_every_chain_is_whole(
    service: FastAPI, client: TestClient, a_concern: Concern
) -> None:
    received(client, a_concern)
    received(client, a_concern)
    context = context_of_service(service)
    with raw_connection(context.settings.data_dir) as database:
        drop_triggers(database)
        of_another = "SELECT chain, place, sha256 FROM log_entries WHERE number = 2"
        database.execute(f"UPDATE log_entries SET (chain, place, sha256) = ({of_another}) WHERE number = 3")  # noqa: S608  # own names

    found = find_broken(context.engine, Invariant.CHAINS, recipients=(), at=context.clock())

    assert found == ["record: its rows are not those of the chains; guidance verify names them"]


def test_after_a_restart_the_check_goes_on_where_it_was(
    service: FastAPI,
    client: TestClient,
    a_concern: Concern,
    worker_of: Callable[[], InvariantWorker],
    small_slices: list[int],
    timer: Stopwatch,
) -> None:
    for _ in range(5):
        received(client, a_concern)
    engine, file = engine_of(service), context_of_service(service).settings.data_dir / FILE
    find_broken(engine, Invariant.CHAINS, recipients=(), at=A_TUESDAY)
    whole = len(small_slices)
    first = worker_of()
    while len(small_slices) < whole + 3:
        first.run_once()
    timer.seconds += 2 * MINUTE_SECONDS
    while not file.stat().st_size:
        first.run_once()
    first.stop()

    pauses_of(worker_of())

    assert len(small_slices) == 2 * whole


def test_what_was_left_in_another_database_is_not_gone_on_with(
    service: FastAPI, client: TestClient, a_concern: Concern, small_slices: list[int]
) -> None:
    received(client, a_concern)
    state = RecordPass()
    with Session(engine_of(service)) as session:
        RecordCheck(state).check_slice(session)
        assert small_slices
        assert is_of_this_record(session, state)
        assert not is_of_this_record(session, state.model_copy(update={"last_entry": "of another"}))


def test_one_process_of_a_folder_checks_the_record_and_the_others_read_how_it_ended(
    client: TestClient,
    a_concern: Concern,
    worker_of: Callable[[], InvariantWorker],
    small_slices: list[int],
    timer: Stopwatch,
) -> None:
    received(client, a_concern)
    one, another = worker_of(), worker_of()
    while not small_slices:
        one.run_once()

    assert pauses_of(another) == []
    assert "chains" not in another.broken

    pauses_of(one)
    timer.seconds += 2 * MINUTE_SECONDS
    assert pauses_of(another) == []
    assert another.broken["chains"] is False
    assert another.checked_at["chains"] == one.checked_at["chains"]


def announce(service: FastAPI, times: int, at: dt.datetime) -> None:
    """Write events of the same kind about other concerns."""
    kind = EventKind.CONCERN_OVERDUE

    def write(session: Session) -> None:
        for number in range(times):
            append_event(session, kind, at=at, data={"reference": f"OTHER-{number}"})

    context_of_service(service).writer.run(write)


def test_what_waits_past_its_time_is_looked_for_in_the_events_since_then_and_not_in_the_history(
    service: FastAPI,
    client: TestClient,
    a_concern: Concern,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sliced_checks, "EVENTS_OF_A_SLICE", 5)
    announce(service, 100, clock.time - dt.timedelta(days=100))
    received(client, a_concern)
    clock.time += dt.timedelta(days=5)
    append_overdue_events(context_of_service(service).writer, now=clock.time, limit=10)

    check, slices = OverdueCheck(clock.time + dt.timedelta(hours=1)), 0
    while not check.is_done:
        with Session(engine_of(service)) as session:
            assert check.check_slice(session) == []
        slices += 1

    assert slices < 10
    again = OverdueCheck(clock.time + dt.timedelta(hours=2), check.after)
    with Session(engine_of(service)) as session:
        found = [again.check_slice(session) for _ in range(2)]
    assert (found, again.is_done) == ([[], []], True)


def test_what_was_announced_is_not_read_again_after_an_hour_even_if_nobody_acknowledges_it(
    service: FastAPI, client: TestClient, a_concern: Concern, clock: SettableClock
) -> None:
    received(client, a_concern)
    writer, late = context_of_service(service).writer, clock.time + dt.timedelta(days=9)
    client.post("/v1/concerns", json=a_concern())

    assert append_overdue_events(writer, now=late, limit=10, since=late - dt.timedelta(hours=1)) == 0
    assert append_overdue_events(writer, now=late, limit=10) == 4
    assert append_overdue_events(writer, now=late, limit=10) == 0
