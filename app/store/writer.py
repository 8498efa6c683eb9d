"""The writer: one thread that gathers the operations that arrive during a flush and commits them together.

It is the only place that commits. Each operation gets a session of its own inside a savepoint, so that one that fails
leaves the others as they are. A caller gets its result only after the commit that carries it has reached the disk.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from app.errors import GuidanceError, StoreBusy
from app.logs import Log
from app.store.database import for_writing
from app.store.generation import take_mark

T = TypeVar("T")
WriteOp = Callable[[Session], T]

R = TypeVar("R")

BATCH = 256
A_MOMENT = 0.002  # seconds
LONGEST_GATHERING = 0.02  # seconds

log = Log(__name__)


@dataclass(frozen=True)
class BatchableWrite(Generic[R]):
    """An operation that runs with others of its kind, by statements for many rows, in a fraction of the time."""

    write_all: Callable[[Session, Sequence[R]], None]
    value: R

    def __call__(self, session: Session) -> None:
        """Write this value alone."""
        self.write_all(session, [self.value])


class _Outcome(NamedTuple):
    result: Any
    error: Exception | None = None


class _Queued:
    """An operation in the queue, and the callback that gets its outcome."""

    __slots__ = ("_claimed", "operation", "report")

    def __init__(self, operation: WriteOp[Any], report: Callable[[_Outcome], object]) -> None:
        self.operation = operation
        self.report = report
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Claim once: True for whichever comes first, the writer (about to run it) or the caller (timed out)."""
        return self._claimed.acquire(blocking=False)


class Writer:
    """Run operations in the order of their arrival, many to a commit.

    An operation is a function of a session, inside the writer's transaction: it never commits and never rolls back.
    It may run again if the commit that carried it failed, so it has no effect but its statements, and makes every row
    that it adds itself: one from outside would count as stored the second time. What it returns is detached.

    `when_raised` is called in the writer's thread after each commit that raised the generation, before any caller gets
    its result; `when_flushed` after every commit, with the number of operations and the seconds that it took.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        queue_size: int,
        wait_seconds: float,
        when_raised: Callable[[], None] = lambda: None,
        when_flushed: Callable[[int, float], None] = lambda _operations, _seconds: None,
    ) -> None:
        self._engine = for_writing(engine)
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._queue_size = queue_size
        self._wait_seconds = wait_seconds
        self._fails = False
        self._when_raised = when_raised
        self._when_flushed = when_flushed
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish all that was accepted, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def can_write(self) -> bool:
        """Whether the database accepts writes. Tries one where the last operation failed."""
        if self._fails:
            try:
                self.run(write_nothing_new)
            except StoreBusy:
                return False
        return not self._fails

    @property
    def waiting(self) -> int:
        """Number of operations in the queue."""
        return self._queue.qsize()

    def run(self, operation: WriteOp[T]) -> T:
        """Run the operation, commit it and return its result. Blocks until it is on the disk.

        Raises `StoreBusy` where it could not be stored in time, and any `GuidanceError` that the operation raised.
        """
        outcome: Future[T] = Future()
        queued = self._enqueue(_Queued(operation, partial(_resolve, outcome)))
        try:
            return outcome.result(timeout=self._wait_seconds)
        except FutureTimeoutError:
            queued.claim()  # so that one that has not begun never begins
            raise StoreBusy from None

    async def run_async(self, operation: WriteOp[T]) -> T:
        """Do the same for a caller on an event loop, without blocking the loop."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        queued = self._enqueue(_Queued(operation, partial(_resolve_on, loop, outcome)))
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await outcome
        except TimeoutError:
            raise StoreBusy from None
        finally:
            queued.claim()

    def _enqueue(self, queued: _Queued) -> _Queued:
        if self._queue.qsize() >= self._queue_size:
            raise StoreBusy
        self._queue.put(queued)
        return queued

    def _work(self) -> None:
        last_call = False
        while not last_call:
            batch = self._gather()
            last_call = None in batch
            self._commit([queued for queued in batch if queued and queued.claim()])

    def _gather(self) -> list[_Queued | None]:
        """Return what is in the queue; where that is more than one, also what arrives until a moment passes without.

        A transaction costs as much as several operations, so many callers at once get their results sooner by waiting
        for each other. A single caller never waits.
        """
        batch = [self._queue.get(), *self._waiting_now(BATCH - 1)]
        until = time.monotonic() + LONGEST_GATHERING
        while 1 < len(batch) < BATCH and None not in batch and time.monotonic() < until:
            time.sleep(A_MOMENT)
            more = self._waiting_now(BATCH - len(batch))
            batch += more
            if not more:
                break
        return batch

    def _waiting_now(self, most: int) -> list[_Queued | None]:
        waiting: list[_Queued | None] = []
        while len(waiting) < most:
            try:
                waiting.append(self._queue.get_nowait())
            except Empty:
                break
        return waiting

    def _commit(self, batch: list[_Queued]) -> None:
        try:
            self._commit_together(batch)
        except Exception as failure:  # the writer outlives every failure of a batch
            if len(batch) == 1:
                self._fails = isinstance(failure, DBAPIError) and not isinstance(failure, IntegrityError)
                batch[0].report(_Outcome(None, _reported(failure)))
                return
            for queued in batch:  # find the one at fault: each in a transaction of its own
                self._commit([queued])

    def _commit_together(self, batch: list[_Queued]) -> None:
        outcomes: list[tuple[_Queued, _Outcome]] = []
        with self._engine.begin() as connection:
            for _, alike in groupby(batch, _batch_key):
                outcomes += _run_alike(connection, list(alike))
            raised = take_mark(connection)
            began = time.perf_counter()
        self._fails = False
        self._when_flushed(len(batch), time.perf_counter() - began)
        if raised:
            self._when_raised()  # before any caller gets its result
        for queued, outcome in outcomes:
            queued.report(outcome)


def _batch_key(queued: _Queued) -> object:
    """Return the same for all operations that can run together."""
    return queued.operation.write_all if isinstance(queued.operation, BatchableWrite) else queued


def _resolve(future: Future[Any] | asyncio.Future[Any], outcome: _Outcome) -> None:
    """Give the outcome to the caller, unless it no longer waits."""
    if future.done():
        return
    if outcome.error is None:
        future.set_result(outcome.result)
    else:
        future.set_exception(outcome.error)


def _resolve_on(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], outcome: _Outcome) -> None:
    with suppress(RuntimeError):  # the loop has ended, and no caller waits
        loop.call_soon_threadsafe(_resolve, future, outcome)


def _run_alike(connection: Connection, alike: Sequence[_Queued]) -> list[tuple[_Queued, _Outcome]]:
    """Run them together; where that fails, each by itself, so that only the one at fault is refused."""
    first = alike[0].operation
    if len(alike) > 1 and isinstance(first, BatchableWrite):
        with suppress(GuidanceError, IntegrityError), _savepoint(connection) as session:
            values = [queued.operation.value for queued in alike if isinstance(queued.operation, BatchableWrite)]
            first.write_all(session, values)
            return [(queued, _Outcome(None)) for queued in alike]
    return [(queued, _run(connection, queued.operation)) for queued in alike]


def _run(connection: Connection, operation: WriteOp[Any]) -> _Outcome:
    try:
        with _savepoint(connection) as session:
            return _Outcome(operation(session))
    except GuidanceError as refusal:
        return _Outcome(None, refusal)


@contextmanager
def _savepoint(connection: Connection) -> Iterator[Session]:
    """Yield a session for one operation, inside a savepoint that its flushed changes are released with.

    Its identity map begins empty and ends with the operation, so no operation sees rows as another had loaded them.
    """
    with (
        connection.begin_nested(),
        Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session,
    ):
        yield session
        session.flush()


def write_nothing_new(session: Session) -> None:
    """Have the database write, and change nothing."""
    session.connection().execute(text("UPDATE generation SET number = number"))


def _reported(failure: Exception) -> Exception:
    """Return the error for the caller: `StoreBusy` where the database did not answer; a defect as it is."""
    if isinstance(failure, DBAPIError):
        log.error("write_failed", error=type(failure).__name__)
        return StoreBusy()
    return failure
