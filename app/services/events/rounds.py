"""Delivery rounds: each delivering process records its activity every minute, readable by every node."""

import datetime as dt
import time
from collections.abc import Callable

from sqlmodel import Session

from app.db.writer import Writer
from app.models.audit.audit_log import KnownTimeRow, NotedTime

NOTED_EVERY_SECONDS = 60.0


def note_round(session: Session, kind: NotedTime, *, at: dt.datetime) -> None:
    """Record that a process looked for deliveries of that kind at that time."""
    session.merge(KnownTimeRow(id=kind.value, at=at))


def find_round(session: Session, kind: NotedTime) -> dt.datetime | None:
    """Return the time when a process last looked for deliveries of that kind, or None if none ever did."""
    noted = session.get(KnownTimeRow, kind.value)
    return None if noted is None else noted.at


class RoundNotes:
    """The recorder of one worker's rounds: the first immediately, then one a minute."""

    def __init__(self, kind: NotedTime, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        self._kind = kind
        self._writer = writer
        self._clock = clock
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """True if a round should be recorded: none was yet, or the last is a minute old."""
        return time.monotonic() >= self._due

    def note(self, *, is_needed: bool = True) -> None:
        """Record this round if it is needed. Raises write errors; the next attempt is in a minute."""
        self._due = time.monotonic() + NOTED_EVERY_SECONDS
        if is_needed:
            self._writer.run(note_round, self._kind, at=self._clock())
