"""The worker that checks the invariants while the service runs."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from app.logs import Log
from app.services.operations.invariants import Invariant, begin_check
from app.services.operations.record_check_file import RecordCheckFile, RecordCheckState
from app.services.operations.sliced_checks import OverdueCheck, RecordCheck, SlicedCheck
from app.services.operations.workers import HOUR_SECONDS, MINUTE_SECONDS, PeriodicWorker
from app.store.promises import Late, LateKind
from app.store.record_slices import RecordPass, is_of_this_record

DAY_SECONDS = 24 * HOUR_SECONDS
INTERVALS = {
    Invariant.OVERDUE_EVENTS: MINUTE_SECONDS,
    Invariant.RECIPIENTS: HOUR_SECONDS,
    Invariant.CHAINS: DAY_SECONDS,
}
"""Seconds between two checks of each, the most frequent first: it does not wait for the others."""
SHARE = 0.05
"""Of one processor at the most: after each slice the worker pauses for so long that requests have the rest."""

log = Log(__name__)


@dataclass
class _Turn:
    """When an invariant is checked next, and the check that is under way."""

    due: float = 0.0
    check: SlicedCheck | None = None
    faults: int = 0


class InvariantWorker(PeriodicWorker):
    """Checks each invariant at its interval, the first time a minute after the start: a slice, then a pause.

    Without recipients (a trial) there are none that could have been removed. One process of a data folder checks the
    record, and the others read how that ended. `timer` gives seconds.
    """

    stalled_after = HOUR_SECONDS

    def __init__(
        self,
        engine: Engine,
        recipients: Sequence[str],
        clock: Callable[[], dt.datetime],
        folder: Path,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("invariants", first_delay=MINUTE_SECONDS)
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._timer = timer
        self._file = RecordCheckFile(folder)
        self._written_at = self._looked_back_at = timer()
        self._after: dict[LateKind, Late] = {}
        self._turns = {each: _Turn() for each in INTERVALS if recipients or each is not Invariant.RECIPIENTS}
        self.broken: dict[str, bool] = {}
        """Whether each invariant that was checked was broken at the last check."""
        self.checked_at: dict[str, dt.datetime] = {}
        """When the last whole check of each ended."""

    def run_once(self) -> float:
        """Check a slice of what is due, and return the seconds until the next time."""
        began = self._timer()
        for invariant, turn in self._turns.items():
            if began < turn.due:
                continue
            turn.check = turn.check or self._begin(invariant, turn)
            if turn.check is not None:
                self._check_slice(invariant, turn, turn.check)
                return (self._timer() - began) * (1 / SHARE - 1)
        return MINUTE_SECONDS

    def stop(self) -> None:
        """Stop, and let another process go on with the check of the record."""
        super().stop()
        self._file.release()

    def _begin(self, invariant: Invariant, turn: _Turn) -> SlicedCheck | None:
        turn.faults = 0
        if invariant is Invariant.CHAINS:
            return self._begin_record_check(turn)
        if invariant is Invariant.OVERDUE_EVENTS:
            if self._timer() - self._looked_back_at > DAY_SECONDS:  # what was found before, once more
                self._looked_back_at, self._after = self._timer(), {}
            return OverdueCheck(self._clock(), self._after)
        return begin_check(invariant, recipients=self._recipients, at=self._clock())

    def _begin_record_check(self, turn: _Turn) -> RecordCheck | None:
        """Return the check where it was left, or a new one; None while another process checks, or none is due."""
        state, now = self._file.read(now=self._clock()), self._clock()
        if state.ended_at is not None:
            self._note(Invariant.CHAINS, is_broken=state.was_broken, at=state.ended_at)
        is_ours = self._file.take()
        if is_ours and state.under_way is not None:
            with Session(self._engine) as session:
                if is_of_this_record(session, state.under_way):
                    turn.faults = state.faults
                    return RecordCheck(state.under_way)
        age = DAY_SECONDS if state.ended_at is None else (now - state.ended_at).total_seconds()
        if is_ours and age >= DAY_SECONDS:
            return RecordCheck(RecordPass())
        turn.due = self._timer() + (DAY_SECONDS - age if is_ours else MINUTE_SECONDS)
        return None

    def _check_slice(self, invariant: Invariant, turn: _Turn, check: SlicedCheck) -> None:
        with Session(self._engine) as session:
            turn.faults += len(check.check_slice(session))
        if isinstance(check, RecordCheck):
            self._write_down(check, turn)
        if not check.is_done:
            return
        if isinstance(check, OverdueCheck):
            self._after = check.after
        if turn.faults:
            log.error("invariant_broken", reason=invariant.value, count=turn.faults)
        self._note(invariant, is_broken=turn.faults > 0, at=self._clock())
        turn.check, turn.due = None, self._timer() + INTERVALS[invariant]

    def _write_down(self, check: RecordCheck, turn: _Turn) -> None:
        """Write how far the check of the record is, once a minute, and its end."""
        if check.is_done:
            self._file.write(RecordCheckState(ended_at=self._clock(), was_broken=turn.faults > 0))
        elif self._timer() - self._written_at > MINUTE_SECONDS:
            self._written_at = self._timer()
            before = self.checked_at.get(Invariant.CHAINS)
            was_broken = self.broken.get(Invariant.CHAINS, False)
            self._file.write(
                RecordCheckState(under_way=check.state, faults=turn.faults, ended_at=before, was_broken=was_broken)
            )

    def _note(self, invariant: Invariant, *, is_broken: bool, at: dt.datetime) -> None:
        self.broken[invariant.value], self.checked_at[invariant.value] = is_broken, at
