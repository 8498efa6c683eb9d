"""What waits for an acknowledgement, and since when: read from the index of it alone, however many are closed."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, literal_column
from sqlmodel import Session, col, select

from app.models.concerns.tables import UNACKNOWLEDGED, ConcernRow, ConcernState
from app.store.concerns import WITHOUT_SEALED
from app.store.index_hints import indexed_by
from app.store.tables import table_of

_CONCERNS = table_of(ConcernRow).c
WAITS = _CONCERNS.state == literal_column(f"'{ConcernState.RECEIVED}'")
IS_REAL = _CONCERNS.test.is_(False)
"""Together with `WAITS` the condition of the index, word for word: otherwise SQLite does not use it."""
WAITING_INDEX = indexed_by(UNACKNOWLEDGED)


def claim_waiting(session: Session, *due: ColumnElement[bool], unless: Any, limit: int) -> list[ConcernRow]:
    """Return the concerns that wait and are due so, unless that column says that it was announced.

    The longest waiting come first.
    """
    statement = (
        select(ConcernRow)
        .with_hint(ConcernRow, WAITING_INDEX, "sqlite")
        .options(WITHOUT_SEALED)
        .where(WAITS, IS_REAL, *due, col(unless).is_(False))
    )
    by_time = statement.order_by(col(ConcernRow.acknowledge_by)).limit(limit)
    return list(session.exec(by_time))


def due_between(column: Any, first: dt.datetime | None, end: dt.datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that a time is before the end, and not before the first if there is one."""
    return [col(column) < end, *([] if first is None else [col(column) >= first])]
