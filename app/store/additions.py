"""The rows of additions: how many there are, which wait for an acknowledgement, and one sealed text at a time."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, exists, func, insert, literal_column, update
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.models.concerns.tables import ADDITION_WAITS, MORE_URGENT, AdditionRow, ConcernRow
from app.store.added_texts import ADDITIONS
from app.store.tables import table_of

_ADDITIONS, _CONCERNS = table_of(AdditionRow).c, table_of(ConcernRow).c
_WAITS: ColumnElement[bool] = literal_column(f"({ADDITION_WAITS})")
_OF_A_TEST = exists().where(_CONCERNS.reference == _ADDITIONS.reference, _CONCERNS.test)
_MOST_URGENT = func.max(case({each: rank for rank, each in enumerate(MORE_URGENT)}, value=_ADDITIONS.immediate_danger))


@dataclass(frozen=True)
class NewAddition:
    """An addition as it is received: the columns of its row that have no default, without the number."""

    reference: str
    received_at: dt.datetime
    acknowledge_by: dt.datetime
    immediate_danger: str | None
    recipients: Sequence[str]
    sealed: bytes


def insert_addition(session: Session, concern: ConcernRow, addition: NewAddition, *, number: int) -> None:
    """Insert the addition under that number, and count it as waiting."""
    columns = vars(addition) | {"number": number, "overdue_announced": False, "due_soon_announced": False}
    session.connection().execute(insert(table_of(AdditionRow)), columns)
    _count_waiting(session, concern)


def acknowledge_additions(
    session: Session, concern: ConcernRow, *, first: int, last: int, at: dt.datetime
) -> Sequence[Row[Any]]:
    """Acknowledge those from the first to the last number that wait, and return the metadata of each."""
    named = (_ADDITIONS.reference == concern.reference) & _ADDITIONS.number.between(first, last) & _WAITS
    found = session.connection().execute(ADDITIONS.metadata.where(named).order_by(_ADDITIONS.number)).all()
    session.connection().execute(update(table_of(AdditionRow)).where(named).values(acknowledged_at=at))
    _count_waiting(session, concern)
    return found


def has_waiting(session: Session, reference: str) -> bool:
    """Return whether anything that was added to the concern waits for an acknowledgement."""
    waiting = select_columns(_ADDITIONS.number).where(_ADDITIONS.reference == reference, _WAITS).limit(1)
    return session.connection().execute(waiting).first() is not None


def _count_waiting(session: Session, concern: ConcernRow) -> None:
    """Count again what waits, for the columns of the concern by which the inbox is ordered."""
    counted = select_columns(func.count(), func.min(_ADDITIONS.acknowledge_by), _MOST_URGENT)
    waiting = counted.where(_ADDITIONS.reference == concern.reference, _WAITS)
    count, earliest, danger = session.connection().execute(waiting).one()
    concern.additions_waiting, concern.addition_acknowledge_by = count, earliest
    concern.addition_danger = None if danger is None else MORE_URGENT[danger]


def count_additions(session: Session, *, now: dt.datetime) -> dict[str, int]:
    """Count the additions that wait, of all concerns but tests, and those that are overdue."""
    is_late = case((_ADDITIONS.acknowledge_by < now, 1))
    counted = select_columns(func.count(), func.count(is_late)).where(_WAITS, ~_OF_A_TEST)
    waiting, overdue = session.connection().execute(counted).one()
    return {"additions_waiting": waiting, "additions_overdue": overdue}
