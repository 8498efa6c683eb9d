"""The events of concerns and additions whose time for an acknowledgement is near."""

import datetime as dt

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.models.concerns.tables import AdditionRow, ConcernRow
from app.models.events.tables import EventKind
from app.services.events.payloads import addition_payload, concern_payload
from app.store.concerns import get_concern
from app.store.events import append_event
from app.store.waiting import claim_waiting
from app.store.writer import write_operation


@write_operation
def append_due_soon_events(session: Session, *, now: dt.datetime, within: dt.timedelta, limit: int) -> int:
    """Append an event, once, for each concern and addition that waits and is due within that time. Return the number.

    What is overdue already has an event of its own.
    """
    due = col(ConcernRow.acknowledge_by).between(now, now + within)
    concerns = claim_waiting(session, due, unless=ConcernRow.due_soon_announced, limit=limit)
    for concern in concerns:
        append_event(session, EventKind.CONCERN_DUE_SOON, at=now, data=concern_payload(concern))
        concern.due_soon_announced = True
    return len(concerns) + _append_for_additions(session, now=now, within=within, limit=limit)


def _append_for_additions(session: Session, *, now: dt.datetime, within: dt.timedelta, limit: int) -> int:
    additions = session.exec(
        select(AdditionRow)
        .join(ConcernRow, col(ConcernRow.reference) == AdditionRow.reference)
        .where(
            col(AdditionRow.acknowledged_at).is_(None),
            col(AdditionRow.sealed).is_not(None),
            col(AdditionRow.acknowledge_by).between(now, now + within),
            col(AdditionRow.due_soon_announced).is_(False),
            col(ConcernRow.test).is_(False),
        )
        .options(defer(AdditionRow.sealed))  # type: ignore[arg-type]  # SQLModel types a column as its value
        .order_by(col(AdditionRow.acknowledge_by), col(AdditionRow.reference), col(AdditionRow.number))
        .limit(limit)
    ).all()
    for addition in additions:
        concern = get_concern(session, addition.reference)
        data = addition_payload(concern, number=addition.number, acknowledge_by=addition.acknowledge_by)
        append_event(session, EventKind.CONCERN_ADDITION_DUE_SOON, at=now, data=data)
        addition.due_soon_announced = True
    return len(additions)
