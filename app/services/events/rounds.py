"""The rounds of delivery: a process that delivers notes each minute that it does, where every node can read it."""

import datetime as dt
import time
from collections.abc import Callable

from sqlmodel import Session

from app.db.writer import Writer
from app.models.audit.audit_log import KnownTimeRow, NotedTime

NOTED_EVERY_SECONDS = 60.0


def note_round(session: Session, kind: NotedTime, *, at: dt.datetime) -> None:
    """Note that a process looked at that time for something of that kind to deliver."""
    session.merge(KnownTimeRow(id=kind.value, at=at))


def find_round(session: Session, kind: NotedTime) -> dt.datetime | None:
    """Return when a process last looked for something of that kind to deliver, or None if none ever did."""
    noted = session.get(KnownTimeRow, kind.value)
    return None if noted is None else noted.at


class RoundNotes:
    """Notes the rounds of one worker: the first one at once, and then one a minute."""

    def __init__(self, kind: NotedTime, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        self._kind = kind
        self._writer = writer
        self._clock = clock
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the last note is a minute old."""
        return time.monotonic() >= self._due

    def note(self, *, is_needed: bool = True) -> None:
        """Note this round, unless it is not needed. Raises what a write raises; the next attempt is in a minute."""
        self._due = time.monotonic() + NOTED_EVERY_SECONDS
        if is_needed:
            self._writer.run(note_round, self._kind, at=self._clock())
