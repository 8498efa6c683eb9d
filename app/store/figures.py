"""Figures of days: how many concerns came, were acknowledged, were closed, waited and were overdue."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Column, func, select
from sqlmodel import Session

from app.models.concerns.tables import ConcernRow, ConcernState
from app.store.tables import table_of

_CONCERNS = table_of(ConcernRow).c
_IS_REAL = _CONCERNS.test.is_(False)
_WAITS = (_CONCERNS.state == ConcernState.RECEIVED) & _IS_REAL

Period = tuple[dt.datetime, dt.datetime]
"""From the first moment, up to the second and without it."""


def count_received(session: Session, period: Period) -> int:
    """Count the concerns that came in the period."""
    return _count(session, _CONCERNS.received_at, period)


def count_acknowledged(session: Session, period: Period) -> int:
    """Count the concerns that were acknowledged in the period."""
    return _count(session, _CONCERNS.acknowledged_at, period)


def count_closed(session: Session, period: Period) -> int:
    """Count the concerns that were closed in the period."""
    return _count(session, _CONCERNS.closed_at, period)


def count_waiting(session: Session, *, now: dt.datetime) -> int:
    """Count the concerns that wait now."""
    return int(session.execute(select(func.count()).where(_WAITS, _CONCERNS.received_at <= now)).scalar_one())


def list_late(session: Session, *, since: dt.datetime, now: dt.datetime) -> Sequence[Period]:
    """Return the time for which each concern was overdue that was so at the moment or later, without end if it is."""
    times = (_CONCERNS.acknowledge_by, _CONCERNS.acknowledged_at)
    late = (_CONCERNS.acknowledged_at >= since) & (_CONCERNS.acknowledged_at > _CONCERNS.acknowledge_by)
    ended = session.execute(select(*times).where(late, _IS_REAL))
    lasting = session.execute(select(_CONCERNS.acknowledge_by).where(_WAITS, _CONCERNS.acknowledge_by < now))
    for_ever = dt.datetime.max.replace(tzinfo=dt.UTC)
    return [*((begins, ends) for begins, ends in ended), *((begins, for_ever) for (begins,) in lasting)]


def _count(session: Session, moment: Column[dt.datetime], period: Period) -> int:
    first, end = period
    return int(session.execute(select(func.count()).where(moment >= first, moment < end, _IS_REAL)).scalar_one())
