"""The background workers of a serving process: threads that work, wait and work again, until they are stopped."""

import datetime as dt
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from enum import StrEnum

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from app.logs import Log
from app.models.guidance.guide_tables import GenerationRow
from app.services.access.clients import KeyUses
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.desk.actions import append_overdue_events
from app.store.writer import Writer

GENERATION_SECONDS = 0.5
STALE_SECONDS = 60.0  # callers may store a current response as long
MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0
OVERDUE_SECONDS = 1.0
OVERDUE_BATCH_SIZE = 32
READ_AGAIN = dt.timedelta(hours=1)
MAX_BACKOFF_SECONDS = 60.0

log = Log(__name__)


class WorkerState(StrEnum):
    """How a worker's thread is."""

    OK = "ok"
    STALLED = "stalled"
    STOPPED = "stopped"


class PeriodicWorker(ABC):
    """A thread that calls `run_once` again and again, whatever it raises. `first_delay` is in seconds."""

    stalled_after = 300.0
    """Seconds for which one run may be silent. After that, readiness says that the worker stalled."""
    stop_seconds = 5.0
    """Longest wait for the end of the work in hand at a stop. A longer one ends with the process."""

    def __init__(self, name: str, *, first_delay: float = 0.0) -> None:
        self.name = name
        self._delay = first_delay
        self._failures = 0
        self._beat_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def run_once(self) -> float:
        """Do the work once, and return the seconds to wait before the next time."""

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stopped.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def seconds_since_beat(self) -> float:
        """Seconds since the worker last showed that it works."""
        return time.monotonic() - self._beat_at

    @property
    def state(self) -> WorkerState:
        """How the thread is: a worker that waits for its next time is well."""
        if not self.is_alive:
            return WorkerState.STOPPED
        is_late = self.seconds_since_beat > self._delay + self.stalled_after
        return WorkerState.STALLED if is_late else WorkerState.OK

    def beat(self) -> None:
        """Show that the worker works. A long run does so between its steps."""
        self._beat_at = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        self.beat()
        self._thread.start()

    def drain(self) -> None:
        """Start nothing new, since the process is about to stop."""
        self.request_stop()

    def request_stop(self) -> None:
        """Let the worker end after the work in hand."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait until the thread has ended, for `stop_seconds` at most."""
        self.request_stop()
        if self.is_alive:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        """Work until stopped, in the calling thread."""
        while not self._stopped.wait(self._delay):
            self._delay = self._survive()
            self.beat()

    def _survive(self) -> float:
        """Do the work once. After a failure of any kind, log where it was, and return a longer wait each time."""
        try:
            delay = self.run_once()
        except Exception as failure:  # a thread that ends would end its work for good
            self._failures += 1
            log.failure("worker_failed", error=failure, worker=self.name)
            return backoff_seconds(self._failures)
        self._failures = 0
        return delay


def stop_workers(workers: Collection[PeriodicWorker]) -> None:
    """Stop them all: every stop is requested before the first is waited for."""
    for worker in workers:
        worker.request_stop()
    for worker in workers:
        worker.stop()


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: 1 second at first, a minute at most."""
    return min(2.0 ** min(failures - 1, 16), MAX_BACKOFF_SECONDS)


class GenerationWatcher(PeriodicWorker):
    """Polls the generation, and calls `on_change` when another process published or withdrew an edition.

    If the database does not answer for a minute, that counts as a change, since the generation is unknown.
    """

    def __init__(self, engine: Engine, on_change: Callable[[], None]) -> None:
        super().__init__("generation", first_delay=GENERATION_SECONDS)
        self._engine = engine
        self._on_change = on_change
        self._known = -1
        self._read_at = time.monotonic()

    def start(self) -> None:
        """Poll once, then start the thread."""
        self.poll()
        super().start()

    def drain(self) -> None:
        """Go on: reads are answered until the stop."""

    def run_once(self) -> float:
        """Poll, and return the seconds until the next time."""
        self.poll()
        return GENERATION_SECONDS

    def poll(self) -> None:
        """Read the generation once."""
        try:
            with Session(self._engine) as session:
                number = session.exec(select(GenerationRow.number)).one()
        except SQLAlchemyError as failure:
            if time.monotonic() - self._read_at > STALE_SECONDS:
                self._read_at = time.monotonic()
                log.warning("generation_unreadable", error=type(failure).__name__)
                self._on_change()
            return
        self._read_at = time.monotonic()
        if number != self._known:
            self._on_change()
            self._known = number  # only now: where clearing failed, the next poll does it


class KeyUseWorker(PeriodicWorker):
    """Stores once a minute when clients' keys were last used."""

    def __init__(self, key_uses: KeyUses, writer: Writer) -> None:
        super().__init__("key-uses", first_delay=MINUTE_SECONDS)
        self._key_uses = key_uses
        self._writer = writer

    def run_once(self) -> float:
        """Store what was noted, and return the seconds until the next time."""
        self._key_uses.store(self._writer)
        return MINUTE_SECONDS


class RetentionWorker(PeriodicWorker):
    """Erases the concerns that are due, once an hour. Any number of processes may do so at once."""

    stalled_after = HOUR_SECONDS  # PostgreSQL may take long to give the space of the erased texts free

    def __init__(
        self, engine: Engine, writer: Writer, periods: RetentionPeriods, clock: Callable[[], dt.datetime]
    ) -> None:
        super().__init__("retention")
        self._engine = engine
        self._writer = writer
        self._periods = periods
        self._clock = clock

    def run_once(self) -> float:
        """Erase what is due, and return the seconds until the next time. A stop ends it after the concern in hand."""
        erased = 0
        try:
            for _ in erase_due_concerns(self._engine, self._writer, self._periods, at=self._clock()):
                erased += 1
                self.beat()
                if self.is_stopping:
                    break
        finally:
            if erased:
                log.info("concerns_erased", count=erased)
        return HOUR_SECONDS


class OverdueWorker(PeriodicWorker):
    """Appends the events of overdue concerns, whatever the receivers of events do. Any number may do so at once."""

    def __init__(self, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        super().__init__("overdue")
        self._writer = writer
        self._clock = clock
        self._since: dt.datetime | None = None

    def run_once(self) -> float:
        """Append one batch, and return the seconds until the next time: none if there may be more.

        After that, only what was due in the last hour is read: it may have come late, or been locked. A clock that was
        set back takes the hour with it.
        """
        now = self._clock()
        since = None if self._since is None else min(self._since, now - READ_AGAIN)
        if append_overdue_events(self._writer, now=now, limit=OVERDUE_BATCH_SIZE, since=since) >= OVERDUE_BATCH_SIZE:
            return 0.0
        self._since = now - READ_AGAIN
        return OVERDUE_SECONDS
