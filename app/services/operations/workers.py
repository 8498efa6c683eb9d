"""The background workers of a serving process: threads that work, wait and work again, until they are stopped."""

import datetime as dt
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from app.errors import GuidanceError
from app.logs import Log
from app.models.guidance.guide_tables import GenerationRow
from app.services.access.key_uses import KeyUses
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.store.writer import Writer

GENERATION_SECONDS = 0.5
STALE_SECONDS = 60.0  # callers may store a current response as long
MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0

log = Log(__name__)


class PeriodicWorker(ABC):
    """A thread that calls `run_once` again and again. `first_delay` is in seconds."""

    def __init__(self, name: str, *, first_delay: float = 0.0) -> None:
        self._delay = first_delay
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def run_once(self) -> float:
        """Do the work once, and return the seconds to wait before the next time."""

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Let the worker end after the work in hand."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait until the thread has ended."""
        self.request_stop()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> None:
        """Work until stopped, in the calling thread."""
        while not self._stopped.wait(self._delay):
            self._delay = self.run_once()


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
            self._known = number
            self._on_change()


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

    def __init__(
        self, engine: Engine, writer: Writer, periods: RetentionPeriods, clock: Callable[[], dt.datetime]
    ) -> None:
        super().__init__("retention")
        self._engine = engine
        self._writer = writer
        self._periods = periods
        self._clock = clock

    def start(self) -> None:
        """Start the thread, if any period is configured."""
        if self._periods.acknowledged_days is not None or self._periods.closed_days is not None:
            super().start()

    def run_once(self) -> float:
        """Erase what is due, and return the seconds until the next time. A stop ends it after the concern in hand."""
        erased = 0
        try:
            for _ in erase_due_concerns(self._engine, self._writer, self._periods, at=self._clock()):
                erased += 1
                if self.is_stopping:
                    break
        except (SQLAlchemyError, GuidanceError) as failure:  # the next hour tries again
            log.error("retention_failed", error=type(failure).__name__)
        if erased:
            log.info("concerns_erased", count=erased)
        return HOUR_SECONDS
