"""Figures of days: how many concerns came, were acknowledged, were closed, waited and were overdue.

Each function takes all days at once, and is one statement. It reads the entries of one index, of those days alone.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, ScalarSelect, func, select
from sqlmodel import Session

from app.models.concerns.tables import UNACKNOWLEDGED, ConcernRow
from app.store.index_hints import indexed_by
from app.store.tables import table_of
from app.store.waiting import IS_REAL, WAITS

_TABLE = table_of(ConcernRow)
_CONCERNS = _TABLE.c
_WAS_LATE = _CONCERNS.acknowledge_by < _CONCERNS.acknowledged_at
_ACKNOWLEDGED = "ix_concerns_acknowledged"

Period = tuple[dt.datetime, dt.datetime]
"""From the first moment, up to the second and without it."""


def count_received(session: Session, periods: Sequence[Period]) -> list[int]:
    """Count the concerns that came in each period."""
    return _count_in(session, _CONCERNS.received_at, periods, "ix_concerns_received")


def count_acknowledged(session: Session, periods: Sequence[Period]) -> list[int]:
    """Count the concerns that were acknowledged in each period."""
    return _count_in(session, _CONCERNS.acknowledged_at, periods, _ACKNOWLEDGED)


def count_closed(session: Session, periods: Sequence[Period]) -> list[int]:
    """Count the concerns that were closed in each period."""
    return _count_in(session, _CONCERNS.closed_at, periods, "ix_concerns_closed")


def count_waiting(session: Session, *, now: dt.datetime) -> int:
    """Count the concerns that wait now."""
    (count,) = _count_each(session, [_count_of(UNACKNOWLEDGED, WAITS, _CONCERNS.received_at <= now)])
    return count


def count_still_late(session: Session, periods: Sequence[Period]) -> list[int]:
    """Count the concerns that wait now, and whose time ended in each period."""
    by = _CONCERNS.acknowledge_by
    counts = [_count_of(UNACKNOWLEDGED, WAITS, by >= first, by < end) for first, end in periods]
    return _count_each(session, counts)


def count_late_until(session: Session, moments: Sequence[Period]) -> list[int]:
    """Count, for each pair, the concerns whose time had ended at the first, and that were acknowledged from the second.

    What was acknowledged since the earliest of them is read once, for all.
    """
    late = [
        func.count().filter(_CONCERNS.acknowledge_by < at, _CONCERNS.acknowledged_at >= until) for at, until in moments
    ]
    since = _CONCERNS.acknowledged_at >= min(until for _, until in moments)
    counted = select(*late).select_from(_TABLE).where(since, _WAS_LATE, IS_REAL)
    return list(session.execute(counted.with_hint(_TABLE, indexed_by(_ACKNOWLEDGED), "sqlite")).one())


def _count_in(session: Session, moment: Column[dt.datetime], periods: Sequence[Period], index: str) -> list[int]:
    return _count_each(session, [_count_of(index, moment >= first, moment < end) for first, end in periods])


def _count_of(index: str, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(_TABLE).where(*conditions, IS_REAL)
    return counted.with_hint(_TABLE, indexed_by(index), "sqlite").scalar_subquery()


def _count_each(session: Session, counts: Sequence[ScalarSelect[int]]) -> list[int]:
    return list(session.execute(select(*counts)).one())
