"""The writer: one thread that gathers what arrives while the last flush is under way and commits it as one.

It is the only place that commits. Each act runs inside a savepoint, by itself or with others of its kind, so that one
that fails takes nothing with it, and its caller is told of success only after the commit that carries it has reached
the disk.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import GuidanceError, StoreBusy
from app.logs import Log
from app.store.database import for_writing
from app.store.generation import take_mark

T = TypeVar("T")
Act = Callable[[Connection], T]

R = TypeVar("R")

BATCH = 256
A_MOMENT = 0.002  # seconds
LONGEST_GATHERING = 0.02  # seconds

log = Log(__name__)


@dataclass(frozen=True)
class Shared(Generic[R]):
    """An act that is kept with others of its kind by statements that they share, which takes a fraction of the time."""

    keep_all: Callable[[Connection, Sequence[R]], None]
    kept: R

    def __call__(self, connection: Connection) -> None:
        """Keep it alone."""
        self.keep_all(connection, [self.kept])


class _Outcome(NamedTuple):
    result: Any
    error: Exception | None = None


class _Asked:
    """An act that is asked for, and the way to tell what came of it."""

    __slots__ = ("_claimed", "act", "tell")

    def __init__(self, act: Act[Any], tell: Callable[[_Outcome], object]) -> None:
        self.act = act
        self.tell = tell
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Whether it is this caller's to decide on: the writer's, which begins it, or that of who waits no longer."""
        return self._claimed.acquire(blocking=False)


class Writer:
    """Keeps acts, in the order of their arrival, many to a flush.

    An act is a function of a connection. It may be run again if the commit that carried it failed, so it has no other
    effect than its statements. `when_raised` is called after each commit that raised the generation, in the writer's
    thread, before anyone is told of what was kept; `when_flushed` after every commit, with how many acts it carried and
    how many seconds it took.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        queue_size: int,
        wait_seconds: float,
        when_raised: Callable[[], None] = lambda: None,
        when_flushed: Callable[[int, float], None] = lambda _acts, _seconds: None,
    ) -> None:
        self._engine = for_writing(engine)
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
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
        self._asked.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether acts are being kept."""
        return self._thread.is_alive()

    @property
    def can_write(self) -> bool:
        """Whether the database takes what is written. Where the last act failed, it is tried."""
        if self._fails:
            try:
                self.keep(write_nothing_new)
            except StoreBusy:
                return False
        return not self._fails

    @property
    def waiting(self) -> int:
        """How many acts wait for the next flush."""
        return self._asked.qsize()

    def keep(self, act: Act[T]) -> T:
        """Run the act, commit it and give its result; blocks until it is on the disk.

        Raises `StoreBusy` where it could not be kept in time, and whatever `GuidanceError` the act itself raised.
        """
        told: Future[T] = Future()
        asked = self._ask(_Asked(act, partial(_settle, told)))
        try:
            return told.result(timeout=self._wait_seconds)
        except FutureTimeoutError:
            asked.claim()  # so that one that is not begun is never begun
            raise StoreBusy from None

    async def kept(self, act: Act[T]) -> T:
        """The same, for a caller on an event loop, which meanwhile does other work."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[T] = loop.create_future()
        asked = self._ask(_Asked(act, partial(_settle_on, loop, told)))
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await told
        except TimeoutError:
            raise StoreBusy from None
        finally:
            asked.claim()

    def _ask(self, asked: _Asked) -> _Asked:
        if self._asked.qsize() >= self._queue_size:
            raise StoreBusy
        self._asked.put(asked)
        return asked

    def _work(self) -> None:
        last_call = False
        while not last_call:
            batch = self._gather()
            last_call = None in batch
            self._keep_all([asked for asked in batch if asked and asked.claim()])

    def _gather(self) -> list[_Asked | None]:
        """What waits, and, where that is more than one, what else comes until nothing has come for a moment.

        A transaction costs as much as several acts, so where many ask at once they are answered sooner by waiting for
        each other. One who asks alone waits for nobody.
        """
        batch = [self._asked.get(), *self._waiting_now(BATCH - 1)]
        until = time.monotonic() + LONGEST_GATHERING
        while 1 < len(batch) < BATCH and None not in batch and time.monotonic() < until:
            time.sleep(A_MOMENT)
            more = self._waiting_now(BATCH - len(batch))
            batch += more
            if not more:
                break
        return batch

    def _waiting_now(self, most: int) -> list[_Asked | None]:
        waiting: list[_Asked | None] = []
        while len(waiting) < most:
            try:
                waiting.append(self._asked.get_nowait())
            except Empty:
                break
        return waiting

    def _keep_all(self, batch: list[_Asked]) -> None:
        try:
            self._commit_together(batch)
        except Exception as failure:  # the writer outlives every failure of a batch
            if len(batch) == 1:
                self._fails = isinstance(failure, DBAPIError) and not isinstance(failure, IntegrityError)
                batch[0].tell(_Outcome(None, _as_told(failure)))
                return
            for asked in batch:  # find the one at fault: each in a transaction of its own
                self._keep_all([asked])

    def _commit_together(self, batch: list[_Asked]) -> None:
        outcomes: list[tuple[_Asked, _Outcome]] = []
        with self._engine.begin() as connection:
            for _, alike in groupby(batch, _kind_of):
                outcomes += _run_alike(connection, list(alike))
            raised = take_mark(connection)
            began = time.perf_counter()
        self._fails = False
        self._when_flushed(len(batch), time.perf_counter() - began)
        if raised:
            self._when_raised()  # before anyone is told
        for asked, outcome in outcomes:
            asked.tell(outcome)


def _kind_of(asked: _Asked) -> object:
    """The same for all that can be kept together."""
    return asked.act.keep_all if isinstance(asked.act, Shared) else asked


def _settle(told: Future[Any] | asyncio.Future[Any], outcome: _Outcome) -> None:
    """Tell who waits, if anybody still does."""
    if told.done():
        return
    if outcome.error is None:
        told.set_result(outcome.result)
    else:
        told.set_exception(outcome.error)


def _settle_on(loop: asyncio.AbstractEventLoop, told: asyncio.Future[Any], outcome: _Outcome) -> None:
    with suppress(RuntimeError):  # the loop has ended, and nobody waits
        loop.call_soon_threadsafe(_settle, told, outcome)


def _run_alike(connection: Connection, alike: Sequence[_Asked]) -> list[tuple[_Asked, _Outcome]]:
    """Run them together; where that fails, each by itself, so that only the one at fault is refused."""
    first = alike[0].act
    if len(alike) > 1 and isinstance(first, Shared):
        with suppress(GuidanceError, IntegrityError), connection.begin_nested():
            first.keep_all(connection, [asked.act.kept for asked in alike if isinstance(asked.act, Shared)])
            return [(asked, _Outcome(None)) for asked in alike]
    return [(asked, _run(connection, asked.act)) for asked in alike]


def _run(connection: Connection, act: Act[Any]) -> _Outcome:
    try:
        with connection.begin_nested():
            return _Outcome(act(connection))
    except GuidanceError as refusal:
        return _Outcome(None, refusal)


def write_nothing_new(connection: Connection) -> None:
    """An act that has the database write, and changes nothing."""
    connection.execute(text("UPDATE generation SET number = number"))


def _as_told(failure: Exception) -> Exception:
    """What the caller is told: a database that did not answer is 'busy'; anything else is a defect, told as it is."""
    if isinstance(failure, DBAPIError):
        log.error("write_failed", error=type(failure).__name__)
        return StoreBusy()
    return failure
