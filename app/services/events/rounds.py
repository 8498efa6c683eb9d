"""Times at which a process last looked for deliveries, by kind: emails, or messages to webhooks.

A process that delivers stores the time once a minute, so that every node can check that some process delivers.
"""

import datetime as dt
import time
from collections.abc import Callable

from sqlmodel import Session

from app.db.writer import Writer
from app.models.audit.audit_log import KnownTimeRow, NotedTime

NOTED_EVERY_SECONDS = 60.0


def note_round(session: Session, kind: NotedTime, *, at: dt.datetime) -> None:
    """Store `at` as the last time at which a process looked for deliveries of `kind`."""
    session.merge(KnownTimeRow(id=kind.value, at=at))


def find_round(session: Session, kind: NotedTime) -> dt.datetime | None:
    """Return the last time at which a process looked for deliveries of `kind`, or None if no process ever did."""
    noted = session.get(KnownTimeRow, kind.value)
    return None if noted is None else noted.at


class RoundNotes:
    """A recorder of the times at which one worker looks for deliveries of `kind`, at most one time a minute."""

    def __init__(self, kind: NotedTime, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        self._kind = kind
        self._writer = writer
        self._clock = clock
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """True if `note` was not called yet, or was last called at least a minute ago."""
        return time.monotonic() >= self._due

    def note(self, *, is_needed: bool = True) -> None:
        """Store the current time, unless `is_needed` is False. In both cases, `is_due` is False for the next minute.

        Raise `StoreBusy` if the time could not be stored in time.
        """
        self._due = time.monotonic() + NOTED_EVERY_SECONDS
        if is_needed:
            self._writer.run(note_round, self._kind, at=self._clock())
