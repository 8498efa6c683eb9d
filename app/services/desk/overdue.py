"""Telling, once each, which concerns have waited past the time by which they should have been acknowledged."""

import datetime as dt

from sqlalchemy import Connection, select, update
from sqlmodel import col

from app.models.concerns.tables import ConcernRow, ConcernState
from app.models.events.tables import EventKind
from app.services.events.payloads import concern_data
from app.store.concerns import get_concern
from app.store.events import tell


def tell_overdue(connection: Connection, *, now: dt.datetime, limit: int) -> int:
    """Write `concern.overdue` for those that have become so since the last call, and give their number."""
    overdue = connection.scalars(
        select(col(ConcernRow.reference))
        .where(
            col(ConcernRow.state) == ConcernState.RECEIVED.value,
            col(ConcernRow.acknowledge_by) < now,
            col(ConcernRow.overdue_told).is_(False),
        )
        .order_by(col(ConcernRow.acknowledge_by))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for reference in overdue:
        tell(connection, EventKind.CONCERN_OVERDUE, at=now, data=concern_data(get_concern(connection, reference)))
    connection.execute(update(ConcernRow).where(col(ConcernRow.reference).in_(overdue)).values(overdue_told=True))
    return len(overdue)
