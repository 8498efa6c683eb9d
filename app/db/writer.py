"""The writer: one thread that commits together all operations that arrived during the last flush.

Only the writer commits. A refused operation does not affect the other operations: all run again, each in a savepoint.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.db.database import WRITER, for_writing, is_in_transaction
from app.errors import GuidanceError, StoreBusy
from app.logs import Log

_T = TypeVar("_T")
P = ParamSpec("P")
WriteOp = Callable[[Session], _T]
Outcome = tuple[Any, Exception | None]

GENERATION_RAISED = "generation raised"
"""A key in a connection's `info`, set in a transaction that publishes or withdraws an edition."""
WRITE_BATCH_SIZE = 256
PAUSE_SECONDS = 0.002
MAX_PAUSES = 10

log = Log(__name__)


@dataclass(frozen=True)
class _Queued:
    """`outcome` is cancelled if the caller stops waiting before the operation begins."""

    operation: WriteOp[Any]
    bell: asyncio.Future[None] | None = None
    """None if the caller is in a thread."""
    outcome: Future[Any] = field(default_factory=Future)


class _TransactionEnded(Exception):
    """An operation ended the writer's transaction, which it must not."""


@dataclass(frozen=True)
class SharedWrite(Generic[_T]):
    """A write of one value. Consecutive ones with the same `write_all` are written by one call, in order."""

    write_all: Callable[[Connection, Sequence[_T]], None]
    value: _T

    def __call__(self, session: Session) -> None:
        self.write_all(session.connection(), [self.value])


class Writer:
    """A thread that runs operations in order of arrival, many to a commit.

    An operation is a function that gets a session in the writer's transaction, and must not commit or roll back. It may
    run again if its commit failed, or if another operation of the same commit was refused: so it must have no effect
    except its statements, and must create every row that it adds, as a row from outside would count as stored the
    second time. Returned rows are detached from the session.

    The queue has room for `queue_size` operations. A caller waits at most `wait_seconds`. `on_generation_raised` is
    called in the writer's thread after a commit that set `GENERATION_RAISED`, before any caller gets its result;
    `on_flush` after every commit, with the number of operations and its seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        queue_size: int,
        wait_seconds: float,
        on_generation_raised: Callable[[], None] = lambda: None,
        on_flush: Callable[[int, float], None] = lambda _operations, _seconds: None,
    ) -> None:
        self.engine = engine  # for reads
        self._engine = for_writing(engine)
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._queue_size = queue_size
        self._wait_seconds = wait_seconds
        self._fails = False
        self._on_generation_raised = on_generation_raised
        self._on_flush = on_flush
        self._thread = threading.Thread(target=self._work, name=WRITER, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the queue, and wait at most `wait_seconds`."""
        self._queue.put(None)
        self._thread.join(self._wait_seconds)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def has_failed(self) -> bool:
        """Return True if the database made the last transaction fail."""
        return self._fails

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def run(self, operation: Callable[Concatenate[Session, P], _T], /, *args: P.args, **kwargs: P.kwargs) -> _T:
        """Run `operation(session, ...)` in the writer's thread, and return its result once the commit is on the disk.

        Raise its error. Raise `StoreBusy` if the queue is full, the database fails or `wait_seconds` are over; an
        operation that had begun may then still be stored.
        """
        outcome: Future[_T] = self._enqueue(_bind(operation, *args, **kwargs))
        try:
            return outcome.result(timeout=self._wait_seconds)
        except TimeoutError:
            outcome.cancel()  # so that the writer does not start it later
            raise StoreBusy from None

    async def run_async(
        self, operation: Callable[Concatenate[Session, P], _T], /, *args: P.args, **kwargs: P.kwargs
    ) -> _T:
        """Run an operation as `run` does, without blocking the event loop."""
        bell = asyncio.get_running_loop().create_future()
        outcome: Future[_T] = self._enqueue(_bind(operation, *args, **kwargs), bell)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await bell
        except TimeoutError:
            raise StoreBusy from None
        finally:
            outcome.cancel()  # so that the writer does not start it later
        return outcome.result()

    def _enqueue(self, operation: WriteOp[Any], bell: asyncio.Future[None] | None = None) -> Future[Any]:
        if self._queue.qsize() >= self._queue_size:
            raise StoreBusy
        queued = _Queued(operation, bell)
        self._queue.put(queued)
        return queued.outcome

    def _work(self) -> None:
        is_last = False
        while not is_last:
            arrived = self._take_arrived()
            is_last = None in arrived
            running = [each for each in arrived if each and each.outcome.set_running_or_notify_cancel()]
            if running:
                with log.survive("writer_failed"):
                    self._commit(running)

    def _take_arrived(self) -> list[_Queued | None]:
        """Let operations of the next milliseconds join if several wait: a commit costs as much as some operations.

        A single one never waits. None in the list means: stop.
        """
        arrived = [self._queue.get(), *self._take_queued()]
        for _ in range(MAX_PAUSES):
            if len(arrived) == 1 or len(arrived) >= WRITE_BATCH_SIZE or None in arrived:
                break
            time.sleep(PAUSE_SECONDS)  # noqa: TID251  # a pause of the program, not of a test
            more = self._take_queued()
            if not more:
                break
            arrived += more
        return arrived

    def _take_queued(self) -> list[_Queued | None]:
        taken: list[_Queued | None] = []
        with suppress(Empty):
            while len(taken) < WRITE_BATCH_SIZE - 1:
                taken.append(self._queue.get_nowait())
        return taken

    def _commit(self, batch: Sequence[_Queued], *, apart: bool = False) -> None:
        """If an operation raises a `GuidanceError`, run all again, each in a savepoint (`apart`).

        If anything else fails, run each again in a transaction of its own, so that only the failing one fails. This is
        not done if it is alone, or if no transaction can begin.
        """
        has_begun = False
        try:
            with self._engine.begin() as connection:
                has_begun = True
                connection.info.pop(GENERATION_RAISED, None)  # left by a transaction that was rolled back
                outcomes = _run_apart(connection, batch) if apart else _run(connection, batch)
                has_raised = connection.info.pop(GENERATION_RAISED, False)
                started = time.perf_counter()
        except Exception as failure:  # the writer continues after every failure
            if has_begun and len(batch) > 1:
                if isinstance(failure, GuidanceError) and not apart:
                    self._commit(batch, apart=True)
                else:
                    for each in batch:
                        self._commit([each])
                return
            self._fails = isinstance(failure, DBAPIError | _TransactionEnded)
            if self._fails:
                log.error("write_failed", error=type(failure).__name__)
            _report(batch, [(None, StoreBusy() if self._fails else failure)] * len(batch))
            return
        self._fails = False
        with log.survive("writer_failed"):  # a failure after the commit must not run the operations again
            self._on_flush(len(batch), time.perf_counter() - started)
        if has_raised:
            with log.survive("writer_failed"):
                self._on_generation_raised()  # before any caller gets its result
        _report(batch, outcomes)


def _bind(operation: Callable[Concatenate[Session, P], Any], /, *args: P.args, **kwargs: P.kwargs) -> WriteOp[Any]:
    if isinstance(operation, SharedWrite):
        return operation
    return lambda session: operation(session, *args, **kwargs)


def write_without_change(session: Session) -> None:
    """Write without changing anything. Raise SQLAlchemy's error if the database cannot write."""
    session.connection().execute(text("UPDATE generation SET number = number"))


def _run_apart(connection: Connection, batch: Sequence[_Queued]) -> list[Outcome]:
    """An error other than `GuidanceError` ends the run."""
    outcomes: list[Outcome] = []
    for each in batch:
        try:
            with connection.begin_nested():
                outcomes += _run(connection, [each])
        except GuidanceError as refusal:
            outcomes.append((None, refusal))
    return outcomes


def _run(connection: Connection, batch: Sequence[_Queued]) -> list[Outcome]:
    """The results of shared writes are None."""
    results: list[Any] = []
    with Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        for _, group in groupby((each.operation for each in batch), _kind):
            alike = list(group)
            first, values = alike[0], [each.value for each in alike if isinstance(each, SharedWrite)]
            if isinstance(first, SharedWrite):
                first.write_all(connection, values)
                results += [None] * len(values)
            else:
                results += [operation(session) for operation in alike]
                session.flush()
                session.expunge_all()  # the next operation must not see rows that this one loaded
            if not is_in_transaction(connection):
                raise _TransactionEnded
    return [(result, None) for result in results]


def _kind(operation: WriteOp[Any]) -> object:
    return operation.write_all if isinstance(operation, SharedWrite) else operation


def _report(batch: Sequence[_Queued], outcomes: Sequence[Outcome]) -> None:
    """Wake each event loop once."""
    bells: defaultdict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
    for queued, (result, error) in zip(batch, outcomes, strict=True):
        if error is None:
            queued.outcome.set_result(result)
        else:
            queued.outcome.set_exception(error)
        if queued.bell is not None:
            bells[queued.bell.get_loop()].append(queued.bell)
    for loop, of_loop in bells.items():
        with suppress(RuntimeError):  # the loop has ended, so no caller waits
            loop.call_soon_threadsafe(_ring, of_loop)


def _ring(bells: Sequence[asyncio.Future[None]]) -> None:
    for each in bells:
        if not each.done():
            each.set_result(None)
