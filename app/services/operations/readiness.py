"""Readiness: whether a concern can be stored now, tried from time to time."""

import datetime as dt
import time
from collections.abc import Callable
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from app.errors import GuidanceError
from app.logs import Log
from app.services.concerns.submission import Submissions

SECONDS_BETWEEN_TRIALS = 5.0

log = Log(__name__)


class ConcernTrial:
    """Tries to store a concern, and rolls it back, when readiness is requested.

    A good result counts for some seconds, unless the writer fails meanwhile, so that many requests cost one flush of
    the disk. One thread tries at a time; others get the last result.
    """

    def __init__(self, submissions: Submissions, clock: Callable[[], dt.datetime]) -> None:
        self._submissions = submissions
        self._clock = clock
        self._lock = Lock()
        self._is_good: bool | None = None
        self._tried_at = 0.0

    def succeeds(self) -> bool:
        """Return whether a concern can be stored."""
        if self._is_due() and self._lock.acquire(blocking=self._is_good is None):
            try:
                if self._is_due():
                    self._is_good, self._tried_at = self._try(), time.monotonic()
            finally:
                self._lock.release()
        return bool(self._is_good)

    def _is_due(self) -> bool:
        is_old = time.monotonic() - self._tried_at >= SECONDS_BETWEEN_TRIALS
        return not self._is_good or is_old or self._submissions.writer.has_failed

    def _try(self) -> bool:
        try:
            self._submissions.rehearse(at=self._clock())
        except (GuidanceError, SQLAlchemyError) as failure:
            log.error("concerns_cannot_be_stored", error=type(failure).__name__)
            return False
        return True
