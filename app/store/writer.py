"""The writer: one thread that gathers what arrives while the last flush is under way and commits it as one.

It is the only place that commits. Each act runs inside a savepoint, so that one that fails takes nothing with it, and
its caller is told of success only after the commit that carries it has reached the disk.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import GuidanceError, StoreBusy
from app.logs import Log
from app.store.database import for_writing
from app.store.generation import take_mark

T = TypeVar("T")
Act = Callable[[Connection], T]

BATCH = 256

log = Log(__name__)


@dataclass(frozen=True)
class _Asked:
    act: Act[Any]
    told: Future[Any]


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
        self._asked: queue.Queue[_Asked | None] = queue.Queue(maxsize=queue_size)
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
        try:
            self._asked.put_nowait(_Asked(act, told))
        except queue.Full:
            raise StoreBusy from None
        try:
            return told.result(timeout=self._wait_seconds)
        except FutureTimeoutError:
            told.cancel()  # one that is not begun is then never begun
            raise StoreBusy from None

    def _work(self) -> None:
        while True:
            first = self._asked.get()
            if first is None:
                return
            batch = [first]
            last_call = False
            while len(batch) < BATCH and not last_call:
                try:
                    following = self._asked.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last_call = True
                else:
                    batch.append(following)
            self._keep_all([asked for asked in batch if asked.told.set_running_or_notify_cancel()])
            if last_call:
                return

    def _keep_all(self, batch: list[_Asked]) -> None:
        try:
            self._commit_together(batch)
        except Exception as failure:  # the writer outlives every failure of a batch
            if len(batch) == 1:
                self._fails = isinstance(failure, DBAPIError) and not isinstance(failure, IntegrityError)
                batch[0].told.set_exception(_as_told(failure))
                return
            for asked in batch:  # find the one at fault: each in a transaction of its own
                self._keep_all([asked])

    def _commit_together(self, batch: list[_Asked]) -> None:
        outcomes: list[tuple[_Asked, Any, GuidanceError | None]] = []
        with self._engine.begin() as connection:
            for asked in batch:
                try:
                    with connection.begin_nested():
                        outcomes.append((asked, asked.act(connection), None))
                except GuidanceError as error:
                    outcomes.append((asked, None, error))
            raised = take_mark(connection)
            began = time.perf_counter()
        self._fails = False
        self._when_flushed(len(batch), time.perf_counter() - began)
        if raised:
            self._when_raised()  # before anyone is told
        for asked, result, refusal in outcomes:
            if refusal is None:
                asked.told.set_result(result)
            else:
                asked.told.set_exception(refusal)


def write_nothing_new(connection: Connection) -> None:
    """An act that has the database write, and changes nothing."""
    connection.execute(text("UPDATE generation SET number = number"))


def _as_told(failure: Exception) -> Exception:
    """What the caller is told: a database that did not answer is 'busy'; anything else is a defect, told as it is."""
    if isinstance(failure, DBAPIError):
        log.error("write_failed", error=type(failure).__name__)
        return StoreBusy()
    return failure
