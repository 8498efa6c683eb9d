"""The retention worker: erases, once an hour, the text of concerns whose retention period has ended."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.errors import GuidanceError
from app.logs import Log
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.operations.periodic_worker import PeriodicWorker
from app.store.writer import Writer

HOUR_SECONDS = 3600.0

log = Log(__name__)


class RetentionWorker(PeriodicWorker):
    """A thread that erases the concerns that are due. Any number of processes may do so at once."""

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
