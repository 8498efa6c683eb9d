"""Deadlines: events for what is due soon or overdue, each once, and the check that none is missing."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, literal_column
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.db.writer import write_operation
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EventKind, EventRow
from app.models.receipts import ConcernState
from app.services.concerns import WITHOUT_SEALED, get_concern
from app.services.events import addition_payload, append_event, concern_payload

WAITS = table_of(ConcernRow).c.state == literal_column(f"'{ConcernState.RECEIVED}'")
IS_REAL = table_of(ConcernRow).c.test.is_(False)
"""Together with `WAITS` the condition of the index, word for word: otherwise SQLite does not use it."""
CLOCKS_DIFFER = dt.timedelta(hours=1)
"""An event may be older than what it announces by so much, where nodes have other clocks."""
_ADDITION_WAITS = (
    col(EntryRow.kind) == EntryKind.ADDITION.value,
    col(EntryRow.acknowledged_at).is_(None),
    col(EntryRow.sealed).is_not(None),
    col(ConcernRow.test).is_(False),
)


@write_operation
def append_overdue_events(session: Session, *, now: dt.datetime, limit: int) -> int:
    """Append an event, once, for each concern and addition that is overdue. Return how many were announced."""
    concerns = _waiting_concerns(
        session, col(ConcernRow.acknowledge_by) < now, unless=ConcernRow.overdue_told, limit=limit
    )
    for concern in concerns:
        append_event(session, EventKind.CONCERN_OVERDUE, at=now, data=concern_payload(concern))
        concern.overdue_told = True
    overdue = col(EntryRow.acknowledge_by) < now
    additions = _waiting_additions(session, overdue, unless=EntryRow.overdue_announced, limit=limit)
    for addition in additions:
        _announce(session, EventKind.CONCERN_ADDITION_OVERDUE, addition, at=now)
        addition.overdue_announced = True
    return len(concerns) + len(additions)


@write_operation
def append_due_soon_events(session: Session, *, now: dt.datetime, within: dt.timedelta, limit: int) -> int:
    """Append an event, once, for each concern and addition that waits and is due within that time. Return the number.

    What is overdue already has an event of its own.
    """
    due = col(ConcernRow.acknowledge_by).between(now, now + within)
    concerns = _waiting_concerns(session, due, unless=ConcernRow.due_soon_announced, limit=limit)
    for concern in concerns:
        append_event(session, EventKind.CONCERN_DUE_SOON, at=now, data=concern_payload(concern))
        concern.due_soon_announced = True
    due = col(EntryRow.acknowledge_by).between(now, now + within)
    additions = _waiting_additions(session, due, unless=EntryRow.due_soon_announced, limit=limit)
    for addition in additions:
        _announce(session, EventKind.CONCERN_ADDITION_DUE_SOON, addition, at=now)
        addition.due_soon_announced = True
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


def _waiting_concerns(session: Session, due: ColumnElement[bool], *, unless: Any, limit: int) -> list[ConcernRow]:
    """Return the concerns that wait and are due so, the longest first, unless that column says it was announced."""
    waiting = select(ConcernRow).options(WITHOUT_SEALED).where(WAITS, IS_REAL, due, col(unless).is_(False))
    return list(session.exec(waiting.order_by(col(ConcernRow.acknowledge_by)).limit(limit)))


def _waiting_additions(session: Session, due: ColumnElement[bool], *, unless: Any, limit: int) -> list[EntryRow]:
    waiting = (
        select(EntryRow)
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*_ADDITION_WAITS, due, col(unless).is_(False))
        .options(defer(EntryRow.sealed))  # type: ignore[arg-type]  # SQLModel types a column as its value
        .order_by(col(EntryRow.acknowledge_by), col(EntryRow.reference), col(EntryRow.number))
    )
    return list(session.exec(waiting.limit(limit)))


def _announce(session: Session, kind: EventKind, addition: EntryRow, *, at: dt.datetime) -> None:
    concern = get_concern(session, addition.reference)
    data = addition_payload(concern, number=addition.number, acknowledge_by=addition.acknowledge_by or at)
    append_event(session, kind, at=at, data=data)
