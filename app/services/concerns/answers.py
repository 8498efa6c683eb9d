"""An addition answers the messages that its reporter has read."""

import datetime as dt

from sqlmodel import Session

from app.models.concerns.tables import ConcernRow
from app.models.events.tables import EventKind
from app.services.events.payloads import message_payload
from app.store.events import append_event
from app.store.messages import mark_answered


def record_answers(session: Session, concern: ConcernRow, *, addition: int, at: dt.datetime) -> None:
    """Write that the addition answers what its reporter has read, right after the addition's disclosure."""
    for number in mark_answered(session, concern.reference, addition=addition):
        if not concern.test:
            data = message_payload(concern, number=number, addition=addition)
            append_event(session, EventKind.CONCERN_MESSAGE_ANSWERED, at=at, data=data)
