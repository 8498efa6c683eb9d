"""Integrity checks that run in the background, a step at a time."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain

from sqlalchemy import Engine
from sqlmodel import Session

from app.logs import Log
from app.models.base import OnStep
from app.services.access.row_signing import verify_access
from app.services.audit.clock import find_clock_fault
from app.services.concerns.deadlines import find_unannounced
from app.services.concerns.resealing import SEALED_KINDS, SealedPlace, list_sealed_of
from app.services.operations.audit_verification import STEP_ROWS, verify_record
from app.services.operations.concern_verification import verify_concerns
from app.services.operations.event_verification import verify_events

OVERDUE_GRACE = dt.timedelta(minutes=5)
"""How long an overdue event may be missing: a process that was away appends it after its return."""
NIGHT = dt.time(2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PAUSE_SECONDS = 0.02
"""Pause after each step, so that requests get processor time."""
Beat = Callable[[], None]
"""Shows that long work continues. May raise to end it."""
log = Log(__name__)


class Invariant(StrEnum):
    """A condition that always holds."""

    OVERDUE_EVENTS = "overdue-events"
    """Everything overdue has an event that announces it."""
    RECIPIENTS = "recipients"
    """No text is sealed to a removed recipient."""
    CLOCK = "clock"
    """The clock agrees with the last known time."""
    CHAINS = "chains"
    """All chains of the audit log verify, as do their common order, the events, and the tables beside them."""
    ACCESS = "access"
    """Only people admitted in the audit log have access, by rows that this service wrote."""


class Invariants:
    """The schedule of integrity checks: events and clock each time, recipients and access hourly, chains nightly.

    Without recipients (a trial) the check of recipients is skipped. Each process checks independently.
    """

    def __init__(self, engine: Engine, recipients: Sequence[str], clock: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._since = clock()
        self.broken: dict[str, bool] = {}
        """True for each check that failed when it last ran."""
        self.checked_at: dict[str, dt.datetime] = {}
        """Time at which each check last ended."""

    def check_due(self, beat: Beat) -> None:
        """Run the checks that are due."""
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
        if invariant in (Invariant.OVERDUE_EVENTS, Invariant.CLOCK):
            return True
        if invariant is Invariant.ACCESS:
            return last is None or now - last >= HOUR
        if invariant is Invariant.RECIPIENTS:
            return bool(self._recipients) and (last is None or now - last >= HOUR)
        night = dt.datetime.combine(now.date(), NIGHT)
        return (last or self._since) < (night if night <= now else night - dt.timedelta(days=1))


def find_broken(
    engine: Engine, invariant: Invariant, *, recipients: Collection[str], at: dt.datetime, beat: Beat = lambda: None
) -> list[str]:
    """Return the faults found by the check. `recipients` are the fingerprints of the current recipients."""

    def on_step(_done: int, _total: int) -> None:
        beat()

    with Session(engine) as session:
        checks: Mapping[Invariant, Callable[[], Iterable[str]]] = {
            Invariant.OVERDUE_EVENTS: lambda: find_unannounced(session, before=at - OVERDUE_GRACE),
            Invariant.RECIPIENTS: lambda: _sealed_to_others(session, set(recipients), on_step),
            Invariant.CLOCK: lambda: filter(None, [find_clock_fault(session, at=at)]),
            Invariant.CHAINS: lambda: _lines(
                verify_record(engine, on_step), verify_concerns(engine, on_step), verify_events(engine, on_step)
            ),
            Invariant.ACCESS: lambda: _lines(verify_access(engine, on_step)),
        }
        return list(checks[invariant]())


def _lines(*faults: Iterator[tuple[str, str]]) -> Iterator[str]:
    return (f"{about}: {fault}" for about, fault in chain.from_iterable(faults))


def _sealed_to_others(session: Session, recipients: set[str], on_step: OnStep) -> Iterator[str]:
    done = 0
    for kind in SEALED_KINDS:
        after: SealedPlace | None = None
        while texts := list_sealed_of(session, kind, after=after, limit=STEP_ROWS):
            yield from (str(text) for text in texts if not set(text.recipients) <= recipients)
            after = texts[-1]
            done += len(texts)
            session.close()  # also lets SQLite empty its write-ahead log
            on_step(done, 0)


def _pause(beat: Beat) -> None:
    beat()
    time.sleep(PAUSE_SECONDS)
