"""The generation watcher: detects within half a second what other processes publish and withdraw."""

import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.logs import Log
from app.services.operations.periodic_worker import PeriodicWorker
from app.store.generation import read_generation

INTERVAL_SECONDS = 0.5
STALE_SECONDS = 60.0  # callers may store a current response as long

log = Log(__name__)


class GenerationWatcher(PeriodicWorker):
    """A thread that polls the generation, and calls `on_change` when it has changed.

    If the database does not answer for a minute, that counts as a change, since the generation is unknown.
    """

    def __init__(self, engine: Engine, on_change: Callable[[], None]) -> None:
        super().__init__("generation", first_delay=INTERVAL_SECONDS)
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
        return INTERVAL_SECONDS

    def poll(self) -> None:
        """Read the generation once."""
        try:
            number = read_generation(self._engine)
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
