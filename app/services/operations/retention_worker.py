"""Housekeeping: what a serving process does by itself, once an hour."""

import datetime as dt
import threading
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.errors import GuidanceError
from app.logs import Log
from app.services.concerns.retention import Periods, erase_what_is_due
from app.store.writer import Writer

HOUR_SECONDS = 3600.0

log = Log(__name__)


class RetentionWorker:
    """A thread that erases what retention says is due. Any number of processes may do so at once."""

    def __init__(self, engine: Engine, writer: Writer, periods: Periods, clock: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._periods = periods
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin, where any period is configured."""
        if self._periods.acknowledged_days is not None or self._periods.closed_days is not None:
            self._thread.start()

    def stop(self) -> None:
        """End after the concern in hand."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._erase()
            self._stopped.wait(HOUR_SECONDS)

    def _erase(self) -> None:
        erased = 0
        try:
            for _ in erase_what_is_due(self._engine, self._writer, self._periods, at=self._clock()):
                erased += 1
                if self._stopped.is_set():
                    break
        except (SQLAlchemyError, GuidanceError) as failure:  # the next hour tries again
            log.error("retention_failed", error=type(failure).__name__)
        if erased:
            log.info("concerns_erased", count=erased)
