"""Deadlines: events for what is due soon or overdue, each once, and the check that none is missing."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.db.writer import write_operation
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EventKind, EventRow
from app.models.receipts import ConcernState
from app.services.concerns import WITHOUT_SEALED, get_concern
from app.services.events import append_events, events_about

WAITS = table_of(ConcernRow).c.state == literal_column(f"'{ConcernState.RECEIVED}'")
IS_REAL = table_of(ConcernRow).c.test.is_(False)
"""Together with `WAITS` the condition of the index, word for word: otherwise SQLite does not use it."""
NONE = dt.timedelta()
CLOCKS_DIFFER = dt.timedelta(hours=1)
"""An event may be older than what it announces by so much, where nodes have other clocks."""
_ADDITION_WAITS = (
    col(EntryRow.kind) == EntryKind.ADDITION.value,
    col(EntryRow.acknowledged_at).is_(None),
    col(EntryRow.sealed).is_not(None),
    col(ConcernRow.test).is_(False),
)


@dataclass(frozen=True)
class _Announcement:
    """The events of a deadline, for a concern and for an addition, and the columns that say that each was appended."""

    of_concern: EventKind
    of_addition: EventKind
    concern_told: str
    addition_told: str


_OVERDUE = _Announcement(
    EventKind.CONCERN_OVERDUE, EventKind.CONCERN_ADDITION_OVERDUE, "overdue_told", "overdue_announced"
)
_DUE_SOON = _Announcement(
    EventKind.CONCERN_DUE_SOON, EventKind.CONCERN_ADDITION_DUE_SOON, "due_soon_announced", "due_soon_announced"
)


@write_operation
def append_overdue_events(session: Session, *, now: dt.datetime, limit: int) -> int:
    """Append an event, once, for each concern and addition that is overdue. Return how many were announced."""
    return _announce(session, _OVERDUE, lambda due, _: col(due) < now, at=now, limit=limit)


@write_operation
def append_due_soon_events(
    session: Session, *, now: dt.datetime, within: dt.timedelta, quiet: dt.timedelta = NONE, limit: int
) -> int:
    """Append an event, once, for each concern and addition that waits and is due within that time. Return the number.

    What is overdue already has an event of its own. What came just now has one too: where danger gives it less than
    `within`, this event follows only after `quiet`.
    """

    def is_due_soon(due: Any, received: Any) -> ColumnElement[bool]:
        return and_(col(due).between(now, now + within), col(received) <= now - quiet)

    return _announce(session, _DUE_SOON, is_due_soon, at=now, limit=limit)


def _announce(
    session: Session,
    wanted: _Announcement,
    is_due: Callable[[Any, Any], ColumnElement[bool]],
    *,
    at: dt.datetime,
    limit: int,
) -> int:
    """Announce what waits and is due so, the longest first, unless its column says that it was announced."""
    untold = col(getattr(ConcernRow, wanted.concern_told)).is_(False)
    due = is_due(ConcernRow.acknowledge_by, ConcernRow.received_at)
    waiting = select(ConcernRow).options(WITHOUT_SEALED).where(WAITS, IS_REAL, due, untold)
    concerns = session.exec(waiting.order_by(col(ConcernRow.acknowledge_by)).limit(limit)).all()
    events = []
    for concern in concerns:
        events += events_about(wanted.of_concern, concern, at=at)
        setattr(concern, wanted.concern_told, True)
    untold = col(getattr(EntryRow, wanted.addition_told)).is_(False)
    added = (
        select(EntryRow)
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*_ADDITION_WAITS, is_due(EntryRow.acknowledge_by, EntryRow.received_at), untold)
        .options(defer(EntryRow.sealed))  # type: ignore[arg-type]  # SQLModel types a column as its value
        .order_by(col(EntryRow.acknowledge_by), col(EntryRow.reference), col(EntryRow.number))
    )
    additions = session.exec(added.limit(limit)).all()
    for addition in additions:
        concern, own = get_concern(session, addition.reference), (addition.number, addition.acknowledge_by)
        events += events_about(wanted.of_addition, concern, at=at, addition=own)
        setattr(addition, wanted.addition_told, True)
    append_events(session, events)
    return len(concerns) + len(additions)


def find_unannounced(session: Session, *, before: dt.datetime) -> list[str]:
    """Return what waits past that time although no event says so: references, and additions with theirs."""
    concerns = select(ConcernRow.acknowledge_by, ConcernRow.reference).where(
        WAITS, IS_REAL, col(ConcernRow.acknowledge_by) < before
    )
    additions = (
        select(EntryRow.acknowledge_by, EntryRow.reference, EntryRow.number)
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*_ADDITION_WAITS, col(EntryRow.acknowledge_by) < before)
    )
    late: dict[tuple[EventKind, str, int | None], dt.datetime | None] = {
        (EventKind.CONCERN_OVERDUE, reference, None): at for at, reference in session.exec(concerns)
    }
    late |= {
        (EventKind.CONCERN_ADDITION_OVERDUE, reference, number): at for at, reference, number in session.exec(additions)
    }
    if not late:
        return []
    announced = select(EventRow.kind, EventRow.data).where(
        col(EventRow.kind).in_([EventKind.CONCERN_OVERDUE.value, EventKind.CONCERN_ADDITION_OVERDUE.value]),
        EventRow.at >= min(at for at in late.values() if at is not None) - CLOCKS_DIFFER,
    )
    for kind, data in session.exec(announced):
        late.pop((EventKind(kind), data["reference"], data.get("addition")), None)
    return sorted(f"addition {number} to {reference}" if number else reference for _, reference, number in late)
