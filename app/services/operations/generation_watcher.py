"""Watching the generation: what other processes publish and withdraw is known here within half a second."""

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.logs import Log
from app.store.generation import read_generation

INTERVAL_SECONDS = 0.5
UNSEEN_SECONDS = 60.0  # callers may keep a current answer as long

log = Log(__name__)


class GenerationWatcher:
    """A thread that looks at the generation, and says when it has changed.

    A database that does not answer for a minute counts as a change, since nobody knows what it would say.
    """

    def __init__(self, engine: Engine, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._changed = changed
        self._known = -1
        self._seen_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Look once."""
        try:
            number = read_generation(self._engine)
        except SQLAlchemyError as failure:
            if time.monotonic() - self._seen_at > UNSEEN_SECONDS:
                self._seen_at = time.monotonic()
                log.warning("generation_unseen", error=type(failure).__name__)
                self._changed()
            return
        self._seen_at = time.monotonic()
        if number != self._known:
            self._known = number
            self._changed()

    def _work(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            self.look()
