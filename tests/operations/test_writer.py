"""The writer: many acts to one flush, each told only when it is on the disk, and none that takes another with it."""

import asyncio
import gc
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlmodel import Session, select

from app.db import writer
from app.db.database import DATABASE_FILE, open_database
from app.db.schema import prepare_schema
from app.db.writer import SharedWrite, WriteOp, Writer
from app.errors import NoSuchClient, NoSuchGuide, StoreBusy
from app.models.events.rows import EventReaderRow
from tests.support.databases import address_for
from tests.support.log_lines import Lines
from tests.support.waiting import LONG_ENOUGH, wait_until


class Desk:
    """A writer over a table of words, with callers that wait in threads of their own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.commits = 0
        self.callers = ThreadPoolExecutor(max_workers=64)
        self.writer = self.a_writer()
        event.listen(engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def a_writer(self, *, queue_size: int = 100, wait_seconds: float = LONG_ENOUGH) -> Writer:
        """The writer, with other limits."""
        self.writer = Writer(self.engine, queue_size=queue_size, wait_seconds=wait_seconds)
        return self.writer

    def words(self) -> list[str]:
        """The words that another connection can read, in the order in which they were kept."""
        with self.engine.connect() as connection:
            return list(connection.scalars(text("SELECT word FROM kept ORDER BY place")))

    def finish(self) -> None:
        """Stop the writer, and wait until it has ended however short its own wait is."""
        self.writer.stop()
        wait_until(lambda: not self.writer.is_alive)

    def ask(self, act: WriteOp[Any]) -> Future[Any]:
        """Have a caller of its own ask for the act, and return once it is in the queue."""
        before = self.writer.waiting
        asked = self.callers.submit(self.writer.run, act)
        wait_until(lambda: self.writer.waiting > before or asked.done())
        return asked


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    engine = open_database(tmp_path)
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=1"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (place INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT UNIQUE)")
    desk = Desk(engine)
    yield desk
    if desk.writer.is_alive:
        desk.writer.stop()
    desk.callers.shutdown()
    engine.dispose()


def keep(word: str, then: Exception | None = None) -> WriteOp[str]:
    """An act that keeps the word, and then fails if it is told to."""

    def write(session: Session) -> str:
        session.connection().execute(text("INSERT INTO kept (word) VALUES (:word)"), {"word": word})
        if then is not None:
            raise then
        return word

    return write


class Gate:
    """An act that waits until it is let go, while others gather behind it."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, session: Session) -> str:
        self.reached.set()
        assert self.open.wait(LONG_ENOUGH)
        return keep("gate")(session)


def closed_gate(desk: Desk) -> tuple[Gate, Future[Any]]:
    """Start the writer and have it wait inside an act."""
    gate = Gate()
    desk.writer.start()
    asked = desk.callers.submit(desk.writer.run, gate)
    assert gate.reached.wait(LONG_ENOUGH)
    return gate, asked


def test_a_caller_is_answered_after_the_commit_and_finds_its_row(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    committing: list[list[str]] = []
    reporting: list[list[str]] = []
    report = Future.set_result

    def look_then_report(outcome: Future[Any], result: object) -> None:
        reporting.append(desk.words())
        report(outcome, result)

    event.listen(desk.engine, "commit", lambda _connection: committing.append(desk.words()))
    monkeypatch.setattr(Future, "set_result", look_then_report)
    desk.writer.start()

    assert (desk.writer.run(keep("one")), desk.words()) == ("one", ["one"])
    assert (committing, reporting) == ([[]], [["one"]])


def test_arrivals_during_a_flush_are_committed_together_in_order(desk: Desk) -> None:
    gate, _ = closed_gate(desk)
    asked = [desk.ask(keep(f"{place:02}")) for place in range(20)]

    gate.open.set()

    assert [each.result(LONG_ENOUGH) for each in asked] == [f"{place:02}" for place in range(20)]
    assert desk.words() == ["gate", *(f"{place:02}" for place in range(20))]
    assert desk.commits == 2


def keep_words(connection: Connection, words: Sequence[str]) -> None:
    """Keep them all by one statement."""
    connection.execute(text("INSERT INTO kept (word) VALUES (:word)"), [{"word": word} for word in words])


def test_acts_of_one_kind_are_kept_by_statements_that_they_share(desk: Desk) -> None:
    statements: list[object] = []
    event.listen(desk.engine, "before_cursor_execute", lambda *told: statements.append(told[3]))
    gate, _ = closed_gate(desk)
    asked = [desk.ask(SharedWrite(keep_words, f"{place:02}")) for place in range(10)]

    gate.open.set()

    assert [each.result(LONG_ENOUGH) for each in asked] == [None] * 10
    assert desk.words() == ["gate", *(f"{place:02}" for place in range(10))]
    assert [len(told) for told in statements if isinstance(told, list)] == [10]


def test_of_acts_that_share_statements_only_the_one_at_fault_is_refused(desk: Desk) -> None:
    gate, _ = closed_gate(desk)
    asked = [desk.ask(SharedWrite(keep_words, word)) for word in ("one", "two", "one", "three")]

    gate.open.set()

    assert [type(each.exception(LONG_ENOUGH)) for each in asked] == [NoneType, NoneType, StoreBusy, NoneType]
    assert desk.words() == ["gate", "one", "two", "three"]


def test_mixed_kinds_keep_the_order_of_arrival(desk: Desk) -> None:
    gate, _ = closed_gate(desk)
    asked = [
        desk.ask(act)
        for place in range(5)
        for act in (SharedWrite(keep_words, f"{place} together"), keep(f"{place} with none"))
    ]

    gate.open.set()
    for each in asked:
        each.result(LONG_ENOUGH)

    assert desk.words() == ["gate", *sorted(desk.words()[1:])]


def test_the_writer_waits_briefly_for_more_if_several_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [desk.ask(keep("1")), desk.ask(keep("2"))]

    def let_another_come(_seconds: float) -> None:
        if len(asked) == 2:
            asked.append(desk.ask(keep("3")))

    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=let_another_come, perf_counter=time.perf_counter))
    desk.writer.start()

    assert [each.result(LONG_ENOUGH) for each in asked[:2]] == ["1", "2"]
    assert asked[2].result(LONG_ENOUGH) == "3"
    assert desk.commits == 1


def test_a_caller_on_an_event_loop_is_told_like_any_other(desk: Desk) -> None:
    async def ask() -> list[Any]:
        acts: list[WriteOp[Any]] = [keep("a"), keep("b", then=NoSuchGuide()), keep("c")]
        return await asyncio.gather(*map(desk.writer.run_async, acts), return_exceptions=True)

    desk.writer.start()
    first, refused, last = asyncio.run(ask())

    assert (first, type(refused), last) == ("a", NoSuchGuide, "c")
    assert desk.words() == ["a", "c"]


@pytest.mark.slow
def test_an_act_given_up_on_an_event_loop_never_begins(desk: Desk) -> None:
    gate = Gate()
    desk.a_writer(wait_seconds=0.2)
    desk.writer.start()
    stuck = desk.callers.submit(desk.writer.run, gate)
    assert gate.reached.wait(LONG_ENOUGH)

    with pytest.raises(StoreBusy):
        asyncio.run(desk.writer.run_async(keep("given up")))
    assert isinstance(stuck.exception(LONG_ENOUGH), StoreBusy)
    gate.open.set()
    desk.finish()

    assert desk.words() == ["gate"]


@pytest.mark.slow
def test_a_loop_that_ended_takes_nothing_from_the_others(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    gate, _ = closed_gate(desk)
    loop = asyncio.new_event_loop()
    gone = loop.create_task(desk.writer.run_async(keep("kept for nobody")))
    loop.run_until_complete(asyncio.sleep(0))
    other = desk.ask(keep("other"))

    loop.close()
    gate.open.set()

    assert other.result(LONG_ENOUGH) == "other"
    assert not gone.done()
    assert desk.words() == ["gate", "kept for nobody", "other"]
    assert desk.commits == 2
    desk.finish()
    del gone, loop
    gc.collect()  # here, and not while another test reads the log
    assert "Task was destroyed" in caplog.text


def test_a_batch_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WRITE_BATCH_SIZE", 4)
    gate, _ = closed_gate(desk)
    asked = [desk.ask(keep(f"{place:02}")) for place in range(10)]

    gate.open.set()

    assert [each.result(LONG_ENOUGH) for each in asked] == sorted(desk.words())[:10]
    assert desk.commits == 1 + 3


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (keep("lost", then=NoSuchGuide()), NoSuchGuide),
        (keep("lost", then=RuntimeError("a defect")), RuntimeError),
        (keep("first"), StoreBusy),  # the word is there already: the database refuses it
        (lambda session: session.connection().exec_driver_sql("INSERT INTO nowhere VALUES (1)"), StoreBusy),
        (lambda session: session.connection().exec_driver_sql("ROLLBACK"), StoreBusy),
    ],
    ids=["refusal", "defect", "constraint", "no such table", "transaction ended by the act"],
)
def test_a_failing_act_in_a_batch_spoils_no_other(desk: Desk, fault: WriteOp[Any], told: type[Exception]) -> None:
    gate, _ = closed_gate(desk)
    before, failing, after = desk.ask(keep("first")), desk.ask(fault), desk.ask(keep("last"))

    gate.open.set()

    assert (before.result(LONG_ENOUGH), after.result(LONG_ENOUGH)) == ("first", "last")
    assert isinstance(failing.exception(LONG_ENOUGH), told)
    assert desk.words() == ["gate", "first", "last"]


def test_a_full_disk_is_busy_and_keeps_what_still_fits(desk: Desk) -> None:
    event.listen(desk.engine, "connect", lambda connection, _record: connection.execute("PRAGMA max_page_count=40"))
    desk.engine.dispose()
    gate, _ = closed_gate(desk)
    too_much = "INSERT INTO kept (word) VALUES (hex(zeroblob(500000)))"
    small, large = desk.ask(keep("small")), desk.ask(lambda session: session.connection().exec_driver_sql(too_much))

    gate.open.set()

    assert isinstance(large.exception(LONG_ENOUGH), StoreBusy)
    assert small.result(LONG_ENOUGH) == "small"
    assert desk.words() == ["gate", "small"]


def test_a_full_queue_refuses_at_once_and_keeps_accepted_acts(desk: Desk) -> None:
    desk.a_writer(queue_size=1)
    gate, _ = closed_gate(desk)
    accepted = desk.ask(keep("accepted"))

    with pytest.raises(StoreBusy):
        desk.writer.run(keep("one too many"))
    gate.open.set()
    assert accepted.result(LONG_ENOUGH) == "accepted"
    assert desk.words() == ["gate", "accepted"]


def test_an_act_given_up_before_it_begins_is_never_run(desk: Desk) -> None:
    desk.a_writer(wait_seconds=0.05)
    gate, begun = closed_gate(desk)

    with pytest.raises(StoreBusy):
        desk.writer.run(keep("given up"))
    assert isinstance(begun.exception(LONG_ENOUGH), StoreBusy)  # this one is under way, and will be finished
    gate.open.set()
    desk.finish()
    assert desk.words() == ["gate"]


def test_what_waited_for_a_locked_database_together_waits_once(desk: Desk, tmp_path: Path, lines: Lines) -> None:
    other = sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)
    asked = [desk.ask(keep(str(place))) for place in range(5)]
    other.execute("BEGIN IMMEDIATE")
    desk.writer.start()

    assert [type(each.exception(LONG_ENOUGH)) for each in asked] == [StoreBusy] * 5
    assert [line["event"] for line in lines()] == ["write_failed"]
    other.close()


def test_a_locked_database_is_busy_and_the_writer_recovers(desk: Desk, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.writer.start()
    while_locked = [desk.ask(keep(f"while locked {place}")) for place in range(5)]
    assert [type(each.exception(LONG_ENOUGH)) for each in while_locked] == [StoreBusy] * 5

    other.execute("ROLLBACK")
    other.close()

    assert desk.writer.run(keep("after")) == "after"
    assert desk.words() == ["after"]


def test_stopping_finishes_all_that_was_accepted(desk: Desk) -> None:
    gate, _ = closed_gate(desk)
    asked = [desk.ask(keep(f"{place:02}")) for place in range(10)]
    stopping = desk.callers.submit(desk.writer.stop)
    wait_until(lambda: desk.writer.waiting == 11)

    gate.open.set()

    stopping.result(LONG_ENOUGH)
    assert not desk.writer.is_alive
    assert [each.result(LONG_ENOUGH) for each in asked] == desk.words()[1:]
    assert len(desk.words()) == 11


def test_a_stopped_writer_keeps_nothing_and_says_so(desk: Desk) -> None:
    desk.a_writer(wait_seconds=0.05)
    desk.writer.start()
    desk.finish()

    with pytest.raises(StoreBusy):
        desk.writer.run(keep("too late"))
    assert desk.words() == []


def test_two_hundred_callers_at_once_are_each_told_of_their_own_act(desk: Desk) -> None:
    desk.a_writer(queue_size=500)
    desk.writer.start()
    asked = [desk.callers.submit(desk.writer.run, keep(f"{place:03}")) for place in range(200)]

    told = [each.result(LONG_ENOUGH) for each in asked]

    assert told == [f"{place:03}" for place in range(200)]
    assert sorted(desk.words()) == told


def test_each_flush_is_told_with_how_many_acts_it_carried(desk: Desk) -> None:
    told: list[tuple[int, float]] = []
    desk.writer = Writer(
        desk.engine,
        queue_size=9,
        wait_seconds=LONG_ENOUGH,
        on_flush=lambda acts, seconds: told.append((acts, seconds)),
    )
    asked = [desk.ask(keep(word)) for word in ("one", "two", "three")]
    desk.writer.start()
    for each in asked:
        each.result(LONG_ENOUGH)

    assert [acts for acts, _ in told] == [3]
    assert told[0][1] > 0


def test_what_fails_after_a_commit_ends_no_thread_and_writes_nothing_twice(desk: Desk, lines: Lines) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Canary-Wren")

    def publish(session: Session) -> str:
        session.connection().info[writer.GENERATION_RAISED] = True
        return keep("one")(session)

    desk.writer = Writer(
        desk.engine, queue_size=100, wait_seconds=LONG_ENOUGH, on_flush=fail, on_generation_raised=fail
    )
    desk.writer.start()

    assert desk.writer.run(publish) == "one"
    assert desk.writer.run(keep("two")) == "two"

    assert desk.words() == ["one", "two"]
    assert desk.writer.is_alive
    logged = lines()
    assert {line["event"] for line in logged} == {"writer_failed"}
    assert "Canary" not in str(logged)


def test_a_rolled_back_publication_clears_no_cache_at_the_next_commit(desk: Desk) -> None:
    cleared: list[bool] = []

    def refused(session: Session) -> None:
        session.connection().info[writer.GENERATION_RAISED] = True
        raise NoSuchGuide

    desk.writer = Writer(
        desk.engine, queue_size=100, wait_seconds=LONG_ENOUGH, on_generation_raised=lambda: cleared.append(True)
    )
    desk.writer.start()
    with pytest.raises(NoSuchGuide):
        desk.writer.run(refused)

    assert desk.writer.run(keep("one")) == "one"

    assert cleared == []


@pytest.mark.slow
def test_a_stop_waits_no_longer_for_a_write_than_a_caller(desk: Desk) -> None:
    released = threading.Event()
    stuck = desk.a_writer(wait_seconds=0.1)
    stuck.start()
    with pytest.raises(StoreBusy):
        stuck.run(lambda _: released.wait())

    stuck.stop()

    assert stuck.is_alive
    released.set()
    wait_until(lambda: not stuck.is_alive)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path, address_for(tmp_path))
    prepare_schema(engine, tmp_path, migrates=True)
    yield engine
    engine.dispose()


def run_in_one_batch(engine: Engine, *operations: WriteOp[Any]) -> list[Any]:
    """Queue the operations before the writer starts, and return their results or errors."""
    writer = Writer(engine, queue_size=100, wait_seconds=30)

    async def run() -> list[Any]:
        waiting = [asyncio.create_task(writer.run_async(operation)) for operation in operations]
        await asyncio.sleep(0)  # each is in the queue
        writer.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(run())
    writer.stop()
    return results


def stored(engine: Engine) -> dict[str, int]:
    """The readers as another session finds them."""
    with Session(engine) as session:
        return {reader.client: reader.confirmed for reader in session.exec(select(EventReaderRow))}


def add(client: str, confirmed: int = 0, then: Exception | None = None) -> WriteOp[EventReaderRow]:
    """Return an operation that adds a row without a flush of its own, and then fails if it has an error to raise."""

    def write(session: Session) -> EventReaderRow:
        row = EventReaderRow(client=client, confirmed=confirmed)
        session.add(row)
        if then is not None:
            session.flush()
            raise then
        return row

    return write


def confirmed_by(session: Session) -> int:
    return session.get_one(EventReaderRow, "reader").confirmed


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (add("lost", then=NoSuchClient()), NoSuchClient),
        (add("lost", then=RuntimeError("a defect")), RuntimeError),
        (add("first"), StoreBusy),  # the constraint refuses it, in the flush that ends the operation
    ],
    ids=["refusal", "defect", "constraint"],
)
def test_an_operation_that_fails_with_rows_in_its_session_leaves_the_others(
    engine: Engine, fault: WriteOp[Any], error: type[Exception]
) -> None:
    first, failed, last = run_in_one_batch(engine, add("first"), fault, add("last", 7))

    assert (first.client, type(failed), last.confirmed) == ("first", error, 7)
    assert stored(engine) == {"first": 0, "last": 7}


def test_an_operation_reads_what_the_one_before_changed_by_statement(engine: Engine) -> None:
    def change_by_statement(session: Session) -> int:
        before = confirmed_by(session)
        session.connection().execute(text("UPDATE event_readers SET confirmed = 5"))
        return before

    results = run_in_one_batch(engine, add("reader", 1), confirmed_by, change_by_statement, confirmed_by)

    assert results[1:] == [1, 1, 5]


def test_what_a_refused_operation_set_is_not_seen_by_the_next(engine: Engine) -> None:
    def set_and_refuse(session: Session) -> None:
        session.get_one(EventReaderRow, "reader").confirmed = 9
        raise NoSuchClient

    _, refused, seen = run_in_one_batch(engine, add("reader", 1), set_and_refuse, confirmed_by)

    assert (type(refused), seen) == (NoSuchClient, 1)
    assert stored(engine) == {"reader": 1}


def test_after_a_commit_that_failed_each_operation_has_its_effect_once(engine: Engine) -> None:
    failures = iter([RuntimeError("the commit failed")])

    def fail_once(_connection: object) -> None:
        for failure in failures:
            raise failure

    def count_up(session: Session) -> int:
        reader = session.get_one(EventReaderRow, "reader")
        reader.confirmed += 1
        return reader.confirmed

    event.listen(engine, "commit", fail_once)
    results = run_in_one_batch(engine, add("reader"), count_up, count_up, add("other", 3))

    assert results[1:3] == [1, 2]
    assert stored(engine) == {"reader": 2, "other": 3}


def test_a_row_that_an_operation_returns_can_be_read_after_its_session(engine: Engine) -> None:
    (row,) = run_in_one_batch(engine, add("reader", 4))

    assert (row.client, row.confirmed) == ("reader", 4)
