"""Events about concerns and additions that are due soon or overdue, and a check that no such event is missing."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, except_, literal_column
from sqlalchemy import select as select_columns
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.entries import EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.events.rows import EventKind, EventRow
from app.services.concerns.rows import WITHOUT_SEALED, get_concern
from app.services.events.outbox import append_events, events_about

WAITS = table_of(ConcernRow).c.state == literal_column(f"'{ConcernState.RECEIVED}'")
IS_REAL = table_of(ConcernRow).c.test.is_(False)
"""Together with `WAITS` this must equal the condition of a partial index: otherwise SQLite would not use it."""
NONE = dt.timedelta()
AT_ONCE = 8
"""Concerns, and additions, in one transaction, for which other writers wait."""
_ADDITION_WAITS = (
    col(EntryRow.kind) == EntryKind.ADDITION.value,
    col(EntryRow.acknowledged_at).is_(None),
    col(EntryRow.sealed).is_not(None),
    col(ConcernRow.test).is_(False),
)
_EARLIEST_FIRST = col(EntryRow.acknowledge_by), col(EntryRow.reference), col(EntryRow.number)


@dataclass(frozen=True)
class _Announcement:
    """The events for one state of a deadline, and the column of both tables that is set when they are stored."""

    of_concern: EventKind
    of_addition: EventKind
    column: str

    @property
    def concerns(self) -> tuple[ColumnElement[bool], ...]:
        return WAITS, IS_REAL, col(getattr(ConcernRow, self.column)).is_(False)

    @property
    def additions(self) -> tuple[ColumnElement[bool], ...]:
        return *_ADDITION_WAITS, col(getattr(EntryRow, self.column)).is_(False)


_OVERDUE = _Announcement(EventKind.CONCERN_OVERDUE, EventKind.CONCERN_ADDITION_OVERDUE, "overdue_announced")

_DUE_SOON = _Announcement(EventKind.CONCERN_DUE_SOON, EventKind.CONCERN_ADDITION_DUE_SOON, "due_soon_announced")


def append_overdue_events(writer: Writer, *, now: dt.datetime, limit: int) -> int:
    """Append at most `limit` events of each kind, earliest deadline first, none for tests. Raise `StoreBusy`."""
    return _announce(writer, _OVERDUE, lambda due, _: col(due) < now, at=now, limit=limit)


def append_due_soon_events(
    writer: Writer, *, now: dt.datetime, within: dt.timedelta, quiet: dt.timedelta = NONE, limit: int
) -> int:
    """Append events for what is due within `within` and not yet overdue, as `append_overdue_events` does.

    What arrived less than `quiet` ago is left for later, because an event has just announced it.
    """
    return _announce(
        writer,
        _DUE_SOON,
        lambda due, received: and_(col(due).between(now, now + within), col(received) <= now - quiet),
        at=now,
        limit=limit,
    )


def _announce(
    writer: Writer,
    announcement: _Announcement,
    is_due: Callable[[Any, Any], ColumnElement[bool]],
    *,
    at: dt.datetime,
    limit: int,
) -> int:
    """Find rows before the writer is used, and write them in small batches; skip those meanwhile done.

    `is_due` gets the columns `acknowledge_by` and `received_at`.
    """
    concerns = select(ConcernRow.reference).where(
        *announcement.concerns, is_due(ConcernRow.acknowledge_by, ConcernRow.received_at)
    )
    additions = (
        select(EntryRow.reference, EntryRow.number)
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*announcement.additions, is_due(EntryRow.acknowledge_by, EntryRow.received_at))
    )
    with Session(writer.engine) as session:
        references = session.exec(concerns.order_by(col(ConcernRow.acknowledge_by)).limit(limit)).all()
        places = session.exec(additions.order_by(*_EARLIEST_FIRST).limit(limit)).all()
    done = 0
    for start in range(0, max(len(references), len(places)), AT_ONCE):
        chosen = slice(start, start + AT_ONCE)
        done += writer.run(_append, announcement, set(references[chosen]), set(places[chosen]), at=at)
    return done


def _append(
    session: Session,
    announcement: _Announcement,
    references: set[str],
    places: set[tuple[str, int]],
    *,
    at: dt.datetime,
) -> int:
    waiting = select(ConcernRow).options(WITHOUT_SEALED).where(*announcement.concerns)
    waiting = waiting.where(col(ConcernRow.reference).in_(references))
    concerns = session.exec(waiting.order_by(col(ConcernRow.acknowledge_by))).all()
    events = []
    for concern in concerns:
        events += events_about(announcement.of_concern, concern, at=at)
        setattr(concern, announcement.column, True)
    added = (
        select(EntryRow)
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*announcement.additions, col(EntryRow.reference).in_({reference for reference, _ in places}))
        .options(defer(EntryRow.sealed))  # type: ignore[arg-type]  # SQLModel types a column as its value
        .order_by(*_EARLIEST_FIRST)
    )
    additions = [each for each in session.exec(added) if (each.reference, each.number) in places]
    for addition in additions:
        concern, own = get_concern(session, addition.reference), (addition.number, addition.acknowledge_by)
        events += events_about(announcement.of_addition, concern, at=at, addition=own)
        setattr(addition, announcement.column, True)
    append_events(session.connection(), events)
    return len(concerns) + len(additions)


def find_unannounced(session: Session, *, before: dt.datetime) -> list[str]:
    """Return what was due `before` a time and unacknowledged, but has no event.

    Each is named by its reference, or as `addition 1 to` one. Tests, erased concerns and what was stored at `before` or
    later are left out.
    """
    stored = col(ConcernRow.received_at) < before  # a worker can write down something that is overdue already
    late = col(ConcernRow.acknowledge_by) < before
    concerns = select_columns(col(ConcernRow.reference)).where(WAITS, IS_REAL, late, stored)
    additions = (
        select_columns(col(EntryRow.reference), col(EntryRow.number))
        .join(ConcernRow, col(ConcernRow.reference) == EntryRow.reference)
        .where(*_ADDITION_WAITS, col(EntryRow.acknowledge_by) < before, col(EntryRow.received_at) < before)
    )
    overdue = [reference for (reference,) in find_without_event(session, concerns, EventKind.CONCERN_OVERDUE)]
    added = find_without_event(session, additions, EventKind.CONCERN_ADDITION_OVERDUE)
    return sorted([*overdue, *(f"addition {number} to {reference}" for reference, number in added)])


def find_without_event(session: Session, statement: Any, kind: EventKind) -> Sequence[Any]:
    """Return the concerns without their event. The database compares, so that this process never loads them all."""
    if session.execute(statement.limit(1)).first() is None:
        return []
    data = table_of(EventRow).c.data
    about = (data["reference"].as_string(), data["addition"].as_integer())[: len(statement.selected_columns)]
    announced = select_columns(*about).where(col(EventRow.kind) == kind.value)
    return session.execute(except_(statement, announced)).all()
