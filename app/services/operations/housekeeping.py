"""Housekeeping of a serving process: the daily checkpoint, and what is left of erased texts."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.errors import GuidanceError
from app.logs import Log
from app.models.desk.remnants import Remnants
from app.services.desk.checkpoints import Checkpoints
from app.services.operations.workers import HOUR_SECONDS, PeriodicWorker
from app.store.log_entries import LOG_BATCH_SIZE
from app.store.remnants import has_remnants, purge_remnants

REMNANTS_PAUSE_SECONDS = 10.0
LOG_SECONDS = 2.0

log = Log(__name__)


class RemnantsWorker(PeriodicWorker):
    """Removes what is left of erased texts: at the start, and again until a reader no longer holds the log.

    Only the embedded database can be emptied of them.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__("remnants")
        self._engine = engine
        self._is_sure = False

    def run_once(self) -> float:
        """Try once, if there may be remnants, and return the seconds until the next time."""
        try:
            if not self._is_sure or has_remnants(self._engine):
                self._is_sure = purge_remnants(self._engine) is Remnants.NONE
        except (SQLAlchemyError, OSError) as failure:
            log.error("remnants_failed", error=type(failure).__name__)
        return REMNANTS_PAUSE_SECONDS


class CheckpointWorker(PeriodicWorker):
    """Makes a checkpoint a day. Any number of processes may try to at once; one of them makes it."""

    def __init__(self, checkpoints: Checkpoints, clock: Callable[[], dt.datetime]) -> None:
        super().__init__("checkpoint")
        self._checkpoints = checkpoints
        self._clock = clock

    def run_once(self) -> float:
        """Make the checkpoint if it is due, and return the seconds until the next time."""
        try:
            made = self._checkpoints.make_if_due(at=self._clock())
        except (SQLAlchemyError, GuidanceError) as failure:  # the next hour tries again
            log.error("checkpoint_failed", error=type(failure).__name__)
        else:
            if made is not None:
                log.info("checkpoint_made", count=made.size)
        return HOUR_SECONDS


class LogWorker(PeriodicWorker):
    """Writes the log of all chains after the chains, where nodes write at once. Any number may try to; one does."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        super().__init__("log")
        self._checkpoints = checkpoints

    def run_once(self) -> float:
        """Write what is free, and return the seconds until the next time."""
        try:
            taken = self._checkpoints.catch_up()
        except (SQLAlchemyError, GuidanceError) as failure:
            log.error("log_failed", error=type(failure).__name__)
            return LOG_SECONDS
        return 0.0 if taken >= LOG_BATCH_SIZE else LOG_SECONDS
