"""When a process last looked for deliveries, stored once a minute, so that every node can check that one does."""

import datetime as dt
import time
from collections.abc import Callable

from sqlmodel import Session

from app.db.writer import Writer
from app.models.audit.rows import KnownTimeRow, NotedTime

NOTED_EVERY_SECONDS = 60.0


def note_round(session: Session, kind: NotedTime, *, at: dt.datetime) -> None:
    session.merge(KnownTimeRow(id=kind.value, at=at))


def find_round(session: Session, kind: NotedTime) -> dt.datetime | None:
    noted = session.get(KnownTimeRow, kind.value)
    return None if noted is None else noted.at


class RoundNotes:
    """Notes, at most once a minute, that a worker has looked for deliveries of `kind`."""

    def __init__(self, kind: NotedTime, writer: Writer, clock: Callable[[], dt.datetime]) -> None:
        self._kind = kind
        self._writer = writer
        self._clock = clock
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def note(self, *, is_needed: bool = True) -> None:
        """Make the round due again in a minute, even if not `is_needed`. Raise `StoreBusy`."""
        self._due = time.monotonic() + NOTED_EVERY_SECONDS
        if is_needed:
            self._writer.run(note_round, self._kind, at=self._clock())
