"""Events for concerns that were not acknowledged in time, one event each."""

import datetime as dt

from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow, ConcernState
from app.models.events.tables import EventKind
from app.services.events.payloads import concern_payload
from app.store.events import append_event
from app.store.writer import Writer


def append_overdue_events(writer: Writer, *, now: dt.datetime, limit: int) -> int:
    """Append `concern.overdue` for each concern that became overdue after the last call, and return their number."""

    def write(session: Session) -> int:
        overdue = session.exec(
            select(ConcernRow)
            .where(
                ConcernRow.state == ConcernState.RECEIVED.value,
                ConcernRow.acknowledge_by < now,
                col(ConcernRow.overdue_told).is_(False),
            )
            .order_by(col(ConcernRow.acknowledge_by))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for concern in overdue:
            append_event(session, EventKind.CONCERN_OVERDUE, at=now, data=concern_payload(concern))
            concern.overdue_told = True
        return len(overdue)

    return writer.run(write)
