"""Figures of days: how many concerns came, were acknowledged, were closed, waited and were overdue."""

import datetime as dt

from sqlalchemy import Column, ColumnElement, func, literal_column, select
from sqlmodel import Session

from app.models.concerns.tables import ConcernRow, ConcernState
from app.store.index_hints import indexed_by
from app.store.tables import table_of

_TABLE = table_of(ConcernRow)
_CONCERNS = _TABLE.c
_IS_REAL = _CONCERNS.test.is_(False)
_WAITS = _CONCERNS.state == literal_column(f"'{ConcernState.RECEIVED}'")  # as the index of what waits has it

Period = tuple[dt.datetime, dt.datetime]
"""From the first moment, up to the second and without it."""


def count_received(session: Session, period: Period) -> int:
    """Count the concerns that came in the period."""
    return _count_in(session, _CONCERNS.received_at, period)


def count_acknowledged(session: Session, period: Period) -> int:
    """Count the concerns that were acknowledged in the period."""
    return _count_in(session, _CONCERNS.acknowledged_at, period)


def count_closed(session: Session, period: Period) -> int:
    """Count the concerns that were closed in the period."""
    return _count_in(session, _CONCERNS.closed_at, period)


def count_waiting(session: Session, *, now: dt.datetime) -> int:
    """Count the concerns that wait now."""
    return _count_waiting(session, _CONCERNS.received_at <= now)


def count_still_late(session: Session, period: Period) -> int:
    """Count the concerns that wait now, and whose time ended in the period."""
    first, end = period
    return _count_waiting(session, _CONCERNS.acknowledge_by >= first, _CONCERNS.acknowledge_by < end)


def count_late_until(session: Session, *, at: dt.datetime, until: dt.datetime) -> int:
    """Count the concerns whose time had ended at that moment, and that were acknowledged then or later."""
    late = (_CONCERNS.acknowledge_by < at, _CONCERNS.acknowledged_at >= until)
    return _count(session, *late)


def _count_in(session: Session, moment: Column[dt.datetime], period: Period) -> int:
    first, end = period
    return _count(session, moment >= first, moment < end)


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return int(session.execute(select(func.count()).where(*conditions, _IS_REAL)).scalar_one())


def _count_waiting(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Count from the index of what waits, which has nothing else."""
    counted = select(func.count()).select_from(_TABLE).where(_WAITS, *conditions, _IS_REAL)
    hinted = counted.with_hint(_TABLE, indexed_by("ix_concerns_unacknowledged"), "sqlite")
    return int(session.execute(hinted).scalar_one())
