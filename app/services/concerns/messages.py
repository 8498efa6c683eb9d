"""Messages of the desk, for the reporter that holds the status token: they are opened in the request alone."""

import datetime as dt

from sqlmodel import Session

from app.models.concerns.messages import ReceivedMessage, ReceivedMessages
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.message_entries import read_detail
from app.models.events.tables import EventKind
from app.services.concerns.follow_up import FollowUps
from app.services.concerns.seal_records import REPORTER
from app.services.concerns.sealing import find_message, token_identity
from app.services.events.payloads import message_payload
from app.store.concerns import get_concern
from app.store.disclosures import record_disclosure
from app.store.events import append_event
from app.store.messages import find_unread, mark_read, read_messages
from app.store.writer import write_operation


def open_messages(
    follow_ups: FollowUps, *, typed_reference: str, status_token: str, at: dt.datetime
) -> ReceivedMessages:
    """Return every message with its words, after it is recorded which of them are read for the first time.

    Raises `NoSuchConcern` for a wrong reference and a wrong token alike, and `StoreBusy`.
    """
    concern = follow_ups.find(typed_reference, status_token)
    with Session(follow_ups.engine) as session:
        unread = find_unread(session, concern.reference)
    if unread:
        _record_reading(follow_ups.writer, concern.reference, up_to=unread[-1], at=at)
    with Session(follow_ups.engine) as session:
        rows = read_messages(session, concern.reference)
    identity = token_identity(status_token, concern.reference)
    messages = (
        ReceivedMessage(
            number=row.number,
            sent_at=row.sent_at,
            read_at=row.read_at,
            message=find_message(row.sealed, identity, concern.reference),
        )
        for row in rows
        if row.read_at is not None  # one that came after the record is for the next time
    )
    return ReceivedMessages(reference=concern.reference, messages=tuple(messages))


@write_operation
def _record_reading(session: Session, reference: str, *, up_to: int, at: dt.datetime) -> None:
    concern = get_concern(session, reference)
    numbers = [number for number in find_unread(session, reference) if number <= up_to]
    if not numbers:  # another request was first
        return
    detail = read_detail(numbers)
    record_disclosure(session, chain=reference, act=DeskAct.MESSAGE_READ, actor=REPORTER, at=at, detail=detail)
    mark_read(session, reference, numbers, at=at)
    if not concern.test:
        for number in numbers:
            data = message_payload(concern, number=number)
            append_event(session, EventKind.CONCERN_MESSAGE_READ, at=at, data=data)
