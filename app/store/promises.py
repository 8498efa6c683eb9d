"""What waits past its time, and which events say so: a page at a time, from where a check is."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.models.concerns.tables import ADDITION_WAITS, AdditionRow, ConcernRow
from app.models.events.tables import EventKind, EventRow
from app.store.keyset import is_after
from app.store.tables import table_of
from app.store.waiting import IS_REAL, WAITING_INDEX, WAITS

_CONCERNS, _ADDITIONS, _EVENTS = table_of(ConcernRow).c, table_of(AdditionRow).c, table_of(EventRow).c
_NO_NUMBER: ColumnElement[int] = literal_column("0")
_REFERENCE = _EVENTS.data["reference"].as_string()
_ADDITION_WAITS: ColumnElement[bool] = literal_column(f"({ADDITION_WAITS})")
Late = tuple[dt.datetime, str, int]
"""The time past which something waits, the reference of its concern, and the number of the addition, or 0."""


@dataclass(frozen=True)
class LateKind:
    """One kind of what can wait past its time, and the event that says so."""

    event: EventKind
    late: Select[Any]
    time: ColumnElement[Any]
    order: tuple[ColumnElement[Any], ...]
    number_in_event: ColumnElement[Any]


LATE_KINDS = (
    LateKind(
        EventKind.CONCERN_OVERDUE,
        select_columns(_CONCERNS.acknowledge_by, _CONCERNS.reference, _NO_NUMBER)
        .where(WAITS, IS_REAL)
        .with_hint(table_of(ConcernRow), WAITING_INDEX, "sqlite"),
        _CONCERNS.acknowledge_by,
        (_CONCERNS.acknowledge_by, _CONCERNS.reference),
        _NO_NUMBER,
    ),
    LateKind(
        EventKind.CONCERN_ADDITION_OVERDUE,
        select_columns(_ADDITIONS.acknowledge_by, _ADDITIONS.reference, _ADDITIONS.number).where(
            _ADDITION_WAITS,
            select_columns(_CONCERNS.reference).where(_CONCERNS.reference == _ADDITIONS.reference, IS_REAL).exists(),
        ),
        _ADDITIONS.acknowledge_by,
        (_ADDITIONS.acknowledge_by, _ADDITIONS.reference, _ADDITIONS.number),
        _EVENTS.data["addition"].as_integer(),
    ),
)


def list_late(session: Session, kind: LateKind, *, after: Late | None, before: dt.datetime, limit: int) -> list[Late]:
    """Return what waits past its time, the longest first, after that one."""
    statement = kind.late.where(kind.time < before).order_by(*kind.order).limit(limit)
    if after is not None:
        statement = statement.where(kind.time >= after[0], is_after(kind.order, after[: len(kind.order)]))
    return [(at, reference, number) for at, reference, number in session.connection().execute(statement)]


def still_late(session: Session, kind: LateKind, late: Late) -> bool:
    """Return whether that one still waits."""
    one = [column == value for column, value in zip(kind.order, late, strict=False)]
    return session.connection().execute(kind.late.where(*one)).first() is not None


def first_event_since(session: Session, at: dt.datetime) -> int:
    """Return the number of the first event at that time or later, by halving: events are in the order of time."""
    connection = session.connection()
    low, high = 1, connection.execute(select_columns(func.coalesce(func.max(_EVENTS.id), 0))).scalar_one() + 1
    while low < high:
        middle = (low + high) // 2
        event = select_columns(_EVENTS.id, _EVENTS.at).where(_EVENTS.id >= middle).order_by(_EVENTS.id).limit(1)
        found = connection.execute(event).one_or_none()
        if found is None or found.at >= at:
            high = middle
        else:
            low = found.id + 1
    return low


def list_announced(
    session: Session, kind: LateKind, *, first: int, limit: int
) -> tuple[list[tuple[str, int]], int | None]:
    """Return what the next events announce, and the number of the event to go on with, or None after the last."""
    last = session.connection().execute(select_columns(func.max(_EVENTS.id))).scalar_one() or 0
    of_the_kind = select_columns(_REFERENCE, kind.number_in_event).where(
        _EVENTS.id >= first, _EVENTS.id < first + limit, _EVENTS.kind == kind.event.value
    )
    named = [(reference, number) for reference, number in session.connection().execute(of_the_kind)]
    following = first + limit
    return named, following if following <= last else None
