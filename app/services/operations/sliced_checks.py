"""Checks of the whole database in slices. Each slice is short and reads little, so that requests go on beside it."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection

from sqlmodel import Session

from app.store.promises import LATE_KINDS, Late, LateKind, first_event_since, list_announced, list_late, still_late
from app.store.record_slices import RecordPass, check_record_slice
from app.store.sealed_texts import SEALED_KINDS, SealedPlace, list_sealed_of

OVERDUE_GRACE = dt.timedelta(minutes=5)
"""How long after its hour an event may be missing: a process that was away notes what is overdue when it is back."""
CLOCKS_DIFFER = dt.timedelta(hours=1)
"""An event may be older than what it announces by so much, where nodes have other clocks."""
TEXTS_OF_A_SLICE = 200
EVENTS_OF_A_SLICE = 2000
LATE_AT_ONCE = 5000


class SlicedCheck(ABC):
    """One check of everything, from its beginning to its end."""

    is_done = False

    @abstractmethod
    def check_slice(self, session: Session) -> list[str]:
        """Check the next slice, and return the faults in it."""


class RecordCheck(SlicedCheck):
    """Every chain of disclosures verifies, and so does the order of all chains."""

    def __init__(self, state: RecordPass) -> None:
        self.state = state

    def check_slice(self, session: Session) -> list[str]:
        """Check the next rows of the record."""
        faults = check_record_slice(session, self.state)
        self.is_done = self.state.is_done
        return faults


class RecipientsCheck(SlicedCheck):
    """Every text is sealed to these recipients alone."""

    def __init__(self, fingerprints: Collection[str]) -> None:
        self._allowed = set(fingerprints)
        self._kinds = iter(SEALED_KINDS)
        self._kind = next(self._kinds)
        self._last: SealedPlace | None = None

    def check_slice(self, session: Session) -> list[str]:
        """Check the recipients of the next texts."""
        texts = list_sealed_of(session, self._kind, after=self._last, limit=TEXTS_OF_A_SLICE)
        self._last = texts[-1] if texts else None
        if len(texts) < TEXTS_OF_A_SLICE:
            self._last, self._kind = None, next(self._kinds, None)
            self.is_done = self._kind is None
        return [str(text) for text in texts if not set(text.recipients) <= self._allowed]


class OverdueCheck(SlicedCheck):
    """Nothing waits past its time without an event that says so.

    What was found to have its event is not looked at again: an event is never taken away. `after` is what each kind had
    come to in the check before.
    """

    def __init__(self, at: dt.datetime, after: dict[LateKind, Late] | None = None) -> None:
        self.after = dict(after or {})
        self._before = at - OVERDUE_GRACE
        self._kinds = iter(LATE_KINDS)
        self._kind = next(self._kinds)
        self._late: dict[tuple[str, int], Late] = {}
        self._batch: list[Late] = []
        self._is_whole = True
        self._event: int | None = None

    def check_slice(self, session: Session) -> list[str]:
        """Look for the next events of what is late, or for what is late next."""
        if self._event is None:
            self._take_batch(session)
            return []
        named, self._event = list_announced(session, self._kind, first=self._event, limit=EVENTS_OF_A_SLICE)
        for each in named:
            self._late.pop(each, None)
        if self._event is not None and self._late:
            return []
        self._event = None
        missing = [late for late in self._late.values() if still_late(session, self._kind, late)]
        if missing:
            self._is_whole = False
        elif self._is_whole:
            self.after[self._kind] = self._batch[-1]
        return [f"addition {number} to {reference}" if number else reference for _, reference, number in missing]

    def _take_batch(self, session: Session) -> None:
        last = self._batch[-1] if self._batch else self.after.get(self._kind)
        self._batch = list_late(session, self._kind, after=last, before=self._before, limit=LATE_AT_ONCE)
        self._late = {(reference, number): (at, reference, number) for at, reference, number in self._batch}
        if self._batch:
            self._event = first_event_since(session, self._batch[0][0] - CLOCKS_DIFFER)
            return
        following = next(self._kinds, None)
        if following is None:
            self.is_done = True
        else:
            self._kind, self._is_whole = following, True
