"""The worker that erases drafts."""

import datetime as dt
from collections.abc import Callable

from app.logs import Log
from app.services.concerns.drafts import Drafts
from app.services.operations.workers import MINUTE_SECONDS, PeriodicWorker

log = Log(__name__)


class DraftWorker(PeriodicWorker):
    """Erases the drafts whose time is over, once a minute. Any number of processes may do so at once."""

    def __init__(self, drafts: Drafts, clock: Callable[[], dt.datetime]) -> None:
        super().__init__("drafts")
        self._drafts = drafts
        self._clock = clock

    def run_once(self) -> float:
        """Erase what is due, and return the seconds until the next time."""
        erased = self._drafts.erase_expired(at=self._clock())
        if erased:
            log.info("drafts_erased", count=erased)
        return MINUTE_SECONDS
