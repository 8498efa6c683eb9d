"""Integrity checks (invariants) of the database that a serving process runs in the background, in short steps."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain

from sqlalchemy import Engine
from sqlmodel import Session

from app.extensions import installed, modules_of
from app.logs import Log
from app.models.base import OnStep
from app.services.access.row_signing import verify_access
from app.services.audit.known_time import find_clock_fault
from app.services.concerns.deadlines import find_unannounced
from app.services.concerns.resealing import SEALED_KINDS, SealedPlace, list_sealed_of
from app.services.operations.audit_verification import STEP_ROWS, verify_audit_log
from app.services.operations.concern_verification import verify_concerns
from app.services.operations.event_verification import verify_events

OVERDUE_GRACE = dt.timedelta(minutes=5)
"""A process that was stopped appends missing events after its next start."""
NIGHT = dt.time(2, tzinfo=dt.UTC)
"""Time (UTC) after which nightly checks are due."""
HOUR = dt.timedelta(hours=1)
PAUSE_SECONDS = 0.02
"""Pause after each step, so that requests get processor time."""
Beat = Callable[[], None]
"""Called between steps of long work. An error that it raises ends the work."""
log = Log(__name__)


class Invariant(StrEnum):
    """A fact that should always hold."""

    OVERDUE_EVENTS = "overdue-events"
    """Each overdue concern or addition was announced."""
    RECIPIENTS = "recipients"
    """No text is encrypted to a removed recipient."""
    CLOCK = "clock"
    """The clock agrees with the last known time."""
    CHAINS = "chains"
    """Audit log, concerns and events are intact, and agree."""
    ACCESS = "access"
    """Each row that grants access was signed here, and agrees with the audit log."""


class Invariants:
    """Checks in each process: overdue events and clock at each call, recipients and access hourly, chains nightly.

    `recipients` are fingerprints, none in a trial.
    """

    def __init__(self, engine: Engine, recipients: Sequence[str], clock: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._since = clock()
        self.broken: dict[str, bool] = {}
        """True by check if it failed the last time."""
        self.checked_at: dict[str, dt.datetime] = {}

    def check_due(self, beat: Beat) -> None:
        """Make the checks that are due, keep the results, and log each fault."""
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
    """Return what is broken: a sentence, or the name of a concern or text. Raise `SetupError` for `ACCESS`."""

    def on_step(_done: int, _total: int) -> None:
        beat()

    with Session(engine) as session:
        checks: Mapping[Invariant, Callable[[], Iterable[str]]] = {
            Invariant.OVERDUE_EVENTS: lambda: find_unannounced(session, before=at - OVERDUE_GRACE),
            Invariant.RECIPIENTS: lambda: _sealed_to_others(session, set(recipients), on_step),
            Invariant.CLOCK: lambda: filter(None, [find_clock_fault(session, at=at)]),
            Invariant.CHAINS: lambda: _lines(
                verify_audit_log(engine, on_step),
                verify_concerns(engine, on_step),
                verify_events(engine, on_step),
                *(each.verify(engine) for each in modules_of("verification", installed().values())),
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
    time.sleep(PAUSE_SECONDS)  # noqa: TID251  # a pause of the program, not of a test
