"""The writer: one thread that gathers the operations that arrive during a flush and commits them together.

Only the writer commits. Operations that share a transaction have a savepoint each, so that a failed operation does not
affect the others; those that run together are first tried without. A caller gets its result only after the commit with
its operation is on the disk.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from app.errors import GuidanceError, StoreBusy
from app.logs import Log
from app.store.chain_locks import lock_chains
from app.store.database import TOGETHER, for_writing
from app.store.write_queue import (
    BatchableWrite,
    Queued,
    WriteOp,
    WriteOutcome,
    chains_of,
    is_concurrent,
    report,
)

_T = TypeVar("_T")
P = ParamSpec("P")
QueuedOutcome = tuple[Queued, WriteOutcome]
Run = Callable[[Connection, Sequence[Queued]], list[QueuedOutcome]]

GENERATION_RAISED = "generation raised"
"""Marks a connection (in its `info`) whose transaction publishes or withdraws an edition."""
WRITE_BATCH_SIZE = 256
GATHER_SECONDS = 0.002
MAX_GATHER_SECONDS = 0.02

log = Log(__name__)


class Writer:
    """Run operations in the order of their arrival, many to a commit.

    An operation is a function of a session, inside the writer's transaction: it never commits and never rolls back.
    It may run again if its commit failed. So its statements are its only effect, and it creates every row that it adds
    itself: a row from outside would count as stored the second time. The rows that it returns are detached.

    `on_generation_raised` is called in the writer's thread after each commit that raised the generation, before
    any caller gets its result; `on_flush` after every commit, with the number of operations and the seconds it took.
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
        self._engine = for_writing(engine)
        self._shared_engine = for_writing(engine, mode=TOGETHER)
        self._queue: SimpleQueue[Queued | None] = SimpleQueue()
        self._queue_size = queue_size
        self._wait_seconds = wait_seconds
        self._fails = False
        self._on_generation_raised = on_generation_raised
        self._on_flush = on_flush
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the operations in the queue, then end the thread. Wait as long as a caller does, and no longer."""
        self._queue.put(None)
        self._thread.join(self._wait_seconds)

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def has_failed(self) -> bool:
        """Whether the database refused the last operation."""
        return self._fails

    @property
    def waiting(self) -> int:
        """Number of operations in the queue."""
        return self._queue.qsize()

    def run(self, operation: WriteOp[_T]) -> _T:
        """Run the operation, commit it and return its result. Blocks until it is on the disk.

        Raises `StoreBusy` if it could not be stored in time, and any `GuidanceError` that the operation raised.
        """
        outcome: Future[_T] = Future()
        queued = self._enqueue(Queued(operation, outcome))
        try:
            return outcome.result(timeout=self._wait_seconds)
        except FutureTimeoutError:
            queued.claim()  # so that the writer does not start it later
            raise StoreBusy from None

    async def run_async(self, operation: WriteOp[_T]) -> _T:
        """Do the same for a caller on an event loop, without blocking the loop."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[_T] = loop.create_future()
        queued = self._enqueue(Queued(operation, outcome, loop))
        timer = loop.call_later(self._wait_seconds, _give_up, outcome)
        try:
            return await outcome
        finally:
            timer.cancel()
            queued.claim()

    def _enqueue(self, queued: Queued) -> Queued:
        if self._queue.qsize() >= self._queue_size:
            raise StoreBusy
        self._queue.put(queued)
        return queued

    def _work(self) -> None:
        last_call = False
        while not last_call:
            batch = self._gather()
            last_call = None in batch
            with log.survive("writer_failed"):
                for group in self._grouped([queued for queued in batch if queued and queued.claim()]):
                    self._commit(group)

    def _gather(self) -> list[Queued | None]:
        """Return the operations in the queue; if there are several, also those that arrive in the next milliseconds.

        A transaction costs as much as several operations, so many callers at once get their results sooner if they
        share one. A single caller never waits.
        """
        batch = [self._queue.get(), *self._take_queued(WRITE_BATCH_SIZE - 1)]
        until = time.monotonic() + MAX_GATHER_SECONDS
        while 1 < len(batch) < WRITE_BATCH_SIZE and None not in batch and time.monotonic() < until:
            time.sleep(GATHER_SECONDS)
            more = self._take_queued(WRITE_BATCH_SIZE - len(batch))
            batch += more
            if not more:
                break
        return batch

    def _take_queued(self, limit: int) -> list[Queued | None]:
        taken: list[Queued | None] = []
        while len(taken) < limit:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                break
        return taken

    def _grouped(self, batch: list[Queued]) -> list[list[Queued]]:
        """Separate what runs while other nodes write from what does not. SQLite has one writer for both."""
        if self._engine.dialect.name == "sqlite":
            return [batch] if batch else []
        groups = [each for each in batch if is_concurrent(each)], [each for each in batch if not is_concurrent(each)]
        return [group for group in groups if group]

    def _commit(self, batch: list[Queued]) -> None:
        try:
            if not self._commit_alike(batch):
                self._commit_together(batch, _run_apart)
        except Exception as failure:  # the writer continues after every failure of a batch
            if len(batch) == 1:
                self._fails = isinstance(failure, DBAPIError)
                report([(batch[0], WriteOutcome(None, _caller_error(failure)))])
                return
            for queued in batch:  # find the operation that failed: each in a transaction of its own
                self._commit([queued])

    def _commit_alike(self, batch: list[Queued]) -> bool:
        """Commit operations that run together, without a savepoint. Return False if they differ, or one failed.

        The release of a savepoint also finds an operation that ended the transaction, which these do not.
        """
        if len({_batch_key(queued) for queued in batch}) == 1 and isinstance(batch[0].operation, BatchableWrite):
            with suppress(GuidanceError, IntegrityError):
                self._commit_together(batch, _run_alike)
                return True
        return False

    def _commit_together(self, batch: list[Queued], run: Run) -> None:
        engine = self._shared_engine if all(map(is_concurrent, batch)) else self._engine
        with engine.begin() as connection:
            lock_chains(connection, chains_of(batch))
            outcomes = run(connection, batch)
            raised = connection.info.pop(GENERATION_RAISED, False)
            started = time.perf_counter()
        self._fails = False
        with log.survive("writer_failed"):  # what fails after the commit must not run the operations again
            self._on_flush(len(batch), time.perf_counter() - started)
        if raised:
            with log.survive("writer_failed"):
                self._on_generation_raised()  # before any caller gets its result
        report(outcomes)


def write_operation(operation: Callable[Concatenate[Session, P], _T]) -> Callable[Concatenate[Writer, P], _T]:
    """Make the function of a session a function of the writer, which runs it as one operation (see `Writer.run`)."""

    @wraps(operation)
    def run(writer: Writer, /, *args: P.args, **kwargs: P.kwargs) -> _T:
        return writer.run(lambda session: operation(session, *args, **kwargs))

    return run


def _give_up(outcome: asyncio.Future[Any]) -> None:
    if not outcome.done():
        outcome.set_exception(StoreBusy())


def _batch_key(queued: Queued) -> object:
    """Return the same for all operations that can run together."""
    return queued.operation.write_all if isinstance(queued.operation, BatchableWrite) else queued


def _run_alike(connection: Connection, alike: Sequence[Queued]) -> list[QueuedOutcome]:
    """Run operations of one kind: with shared statements, where there are several."""
    first = alike[0].operation
    with _session(connection) as session:
        if len(alike) == 1 or not isinstance(first, BatchableWrite):
            return [(alike[0], WriteOutcome(first(session)))]
        values = [queued.operation.value for queued in alike if isinstance(queued.operation, BatchableWrite)]
        first.write_all(session, values)
        return [(queued, WriteOutcome(None)) for queued in alike]


def _run_apart(connection: Connection, batch: Sequence[Queued]) -> list[QueuedOutcome]:
    """Run operations of several kinds: each kind in a savepoint, or if that fails, each operation."""
    outcomes: list[QueuedOutcome] = []
    for _, group in groupby(batch, _batch_key):
        alike = list(group)
        try:
            with connection.begin_nested():
                outcomes += _run_alike(connection, alike)
        except (GuidanceError, IntegrityError):
            outcomes += [_run_one(connection, queued) for queued in alike]
    return outcomes


def _run_one(connection: Connection, queued: Queued) -> QueuedOutcome:
    try:
        with connection.begin_nested(), _session(connection) as session:
            return queued, WriteOutcome(queued.operation(session))
    except GuidanceError as refusal:
        return queued, WriteOutcome(None, refusal)


@contextmanager
def _session(connection: Connection) -> Iterator[Session]:
    """Yield a session for operations of one kind, and flush their changes.

    Its identity map is empty at the start and ends with them, so no operation sees rows that another loaded.
    """
    with Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        yield session
        session.flush()


def write_without_change(session: Session) -> None:
    """Make the database write without any change."""
    session.connection().execute(text("UPDATE generation SET number = number"))


def _caller_error(failure: Exception) -> Exception:
    """Return the error for the caller: `StoreBusy` for an error of the database, else the error itself."""
    if isinstance(failure, DBAPIError):
        log.error("write_failed", error=type(failure).__name__)
        return StoreBusy()
    return failure
