"""Invariants: what is always true of the database, checked again and again while the service runs."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from sqlalchemy import Engine
from sqlmodel import Session

from app.logs import Log
from app.services.desk.deadlines import find_unannounced
from app.services.operations.verification import verify_record
from app.store.sealed_texts import SEALED_KINDS, SealedPlace, list_sealed_of

OVERDUE_GRACE = dt.timedelta(minutes=5)
"""How long after its hour an event may be missing: a process that was away notes what is overdue when it is back."""
NIGHT = dt.time(2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PAUSE_SECONDS = 0.05
"""After each thousand rows of the record, so that requests have the processor."""
TEXTS_AT_ONCE = 1000

Beat = Callable[[], None]
"""Shows that long work goes on. May raise, to end it."""

log = Log(__name__)


class Invariant(StrEnum):
    """What is always true."""

    OVERDUE_EVENTS = "overdue-events"
    """Nothing waits past its hour without an event that says so."""
    RECIPIENTS = "recipients"
    """No text is sealed to a recipient that was removed."""
    CHAINS = "chains"
    """Every chain of disclosures verifies, and so does the order of all acts."""


class Invariants:
    """Checks each invariant when it is due: what is overdue each time, recipients each hour, the record each night.

    Without recipients (a trial) there are none that could have been removed. Each process checks for itself.
    """

    def __init__(self, engine: Engine, recipients: Sequence[str], clock: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._since = clock()
        self.broken: dict[str, bool] = {}
        """Whether each invariant that was checked was broken at the last check."""
        self.checked_at: dict[str, dt.datetime] = {}
        """When the last check of each ended."""

    def check_due(self, beat: Beat) -> None:
        """Check what is due."""
        for invariant in Invariant:
            if self._is_due(invariant):
                faults = find_broken(
                    self._engine, invariant, recipients=self._recipients, at=self._clock(), beat=lambda: _pause(beat)
                )
                if faults:
                    log.error("invariant_broken", reason=invariant.value, count=len(faults))
                self.broken[invariant.value] = bool(faults)
                self.checked_at[invariant.value] = self._clock()
                beat()

    def _is_due(self, invariant: Invariant) -> bool:
        now, last = self._clock(), self.checked_at.get(invariant.value)
        if invariant is Invariant.OVERDUE_EVENTS:
            return True
        if invariant is Invariant.RECIPIENTS:
            return bool(self._recipients) and (last is None or now - last >= HOUR)
        night = dt.datetime.combine(now.date(), NIGHT)
        return (last or self._since) < (night if night <= now else night - dt.timedelta(days=1))


def find_broken(
    engine: Engine, invariant: Invariant, *, recipients: Collection[str], at: dt.datetime, beat: Beat = lambda: None
) -> list[str]:
    """Return what breaks the invariant. `recipients` are the fingerprints that concerns are sealed to now."""
    if invariant is Invariant.CHAINS:
        return [f"{about}: {fault}" for about, fault in verify_record(engine, lambda _done, _total: beat())]
    with Session(engine) as session:
        if invariant is Invariant.OVERDUE_EVENTS:
            return find_unannounced(session, before=at - OVERDUE_GRACE)
        return _sealed_to_others(session, set(recipients), beat)


def _sealed_to_others(session: Session, recipients: set[str], beat: Beat) -> list[str]:
    found: list[str] = []
    for kind in SEALED_KINDS:
        after: SealedPlace | None = None
        while texts := list_sealed_of(session, kind, after=after, limit=TEXTS_AT_ONCE):
            found += [str(text) for text in texts if not set(text.recipients) <= recipients]
            after = texts[-1]
            beat()
    return found


def _pause(beat: Beat) -> None:
    beat()
    time.sleep(PAUSE_SECONDS)
