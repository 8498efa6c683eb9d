"""How long concerns waited until they were acknowledged."""

import datetime as dt

from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow

NEWEST = 1000


def times_to_acknowledge(session: Session, *, since: dt.datetime) -> list[float]:
    """Return the seconds of each concern that was received since then and is acknowledged, the shortest first.

    Tests are left out. Of many concerns only the newest count.
    """
    acknowledged = (
        select(ConcernRow.received_at, ConcernRow.acknowledged_at)
        .where(
            ConcernRow.received_at >= since,
            col(ConcernRow.acknowledged_at).is_not(None),
            col(ConcernRow.test).is_(False),
        )
        .order_by(col(ConcernRow.received_at).desc())
        .limit(NEWEST)
    )
    return sorted((end - start).total_seconds() for start, end in session.exec(acknowledged) if end is not None)
