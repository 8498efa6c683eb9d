"""The worker that checks the invariants while the service runs."""

import datetime as dt
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from app.logs import Log
from app.services.operations.invariants import Invariant, find_broken
from app.services.operations.workers import HOUR_SECONDS, MINUTE_SECONDS, PeriodicWorker

INTERVALS = {
    Invariant.OVERDUE_EVENTS: MINUTE_SECONDS,
    Invariant.RECIPIENTS: HOUR_SECONDS,
    Invariant.CHAINS: 24 * HOUR_SECONDS,
}
"""Seconds between two checks of each. A chain is read whole, which takes long in a database of many years."""

log = Log(__name__)


class InvariantWorker(PeriodicWorker):
    """Checks each invariant at its interval, the first time a minute after the start.

    Without recipients (a trial) there are none that could have been removed.
    """

    stalled_after = HOUR_SECONDS

    def __init__(self, engine: Engine, recipients: Sequence[str], clock: Callable[[], dt.datetime]) -> None:
        super().__init__("invariants", first_delay=MINUTE_SECONDS)
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._due = {each: 0.0 for each in Invariant if recipients or each is not Invariant.RECIPIENTS}
        self.broken: dict[str, bool] = {}
        """Whether each invariant that was checked was broken at the last check."""

    def run_once(self) -> float:
        """Check what is due, and return the seconds until the next time."""
        for invariant, due in self._due.items():
            if time.monotonic() < due or self.is_stopping:
                continue
            found = find_broken(self._engine, invariant, recipients=self._recipients, at=self._clock())
            if found:
                log.error("invariant_broken", reason=invariant.value, count=len(found))
            self.broken[invariant.value] = bool(found)
            self._due[invariant] = time.monotonic() + INTERVALS[invariant]
            self.beat()
        return MINUTE_SECONDS
