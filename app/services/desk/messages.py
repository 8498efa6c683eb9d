"""Messages of the desk to a reporter: sending them, sealed, and listing them without their words."""

import base64
import datetime as dt

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import recipient_of
from app.errors import AlreadyStored, ConcernErased, TooManyMessages
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.message_entries import sent_detail
from app.models.desk.messages import Message, MessageEntry, MessagesResponse
from app.models.digest import canonical_submission
from app.models.links import desk_additions_path, desk_concern_path, desk_messages_path
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, encrypt_for_replay, replay_receipt
from app.services.concerns.sealing import seal_message
from app.store.concerns import get_concern, insert_stored_receipt
from app.store.disclosures import Actor, record_disclosure
from app.store.messages import count_messages, insert_message, list_messages
from app.store.writer import Writer, write_operation

MAX_MESSAGES = 100


@write_operation
def read_sent_messages(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> MessagesResponse:
    """Return the messages without their words, and the recipient of the next. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail="messages")
    columns = MessageEntry.model_fields
    return MessagesResponse(
        messages=tuple(
            MessageEntry.model_validate({name: getattr(row, name) for name in columns})
            for row in list_messages(session, reference)
        ),
        recipient=recipient_of(concern.message_key),
        links={
            "self": desk_messages_path(reference),
            "concern": desk_concern_path(reference),
            "additions": desk_additions_path(reference),
        },
    )


def send_message(
    engine: Engine,
    writer: Writer,
    reference: str,
    message: Message,
    *,
    keys: IdempotencyKeys | None,
    actor: Actor,
    at: dt.datetime,
) -> IdempotentResult:
    """Store the message, sealed to the reporter's code, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key sends no second message. Raises `NoSuchConcern`,
    `ConcernErased`, `TooManyMessages`, `IdempotencyKeyReused` or `StoreBusy`.
    """
    with Session(engine) as session:
        concern = get_concern(session, reference)
    if message.sealed is not None:
        sealed = base64.b64decode(message.sealed)
    else:
        sealed = seal_message(message.text or "", reference, recipient_of(concern.message_key), at=at)
    try:
        entry = _send(writer, reference, sealed, message, keys, actor=actor, at=at)
    except AlreadyStored:
        return replay_receipt(engine, keys, canonical_submission(message))
    return IdempotentResult(reference, entry, is_replay=False)


@write_operation
def _send(
    session: Session,
    reference: str,
    sealed: bytes,
    message: Message,
    keys: IdempotencyKeys | None,
    *,
    actor: Actor,
    at: dt.datetime,
) -> bytes:
    """Insert the message under the next number. A retry is found before anything is refused."""
    concern, number = get_concern(session, reference), count_messages(session, reference) + 1
    entry = MessageEntry(number=number, sent_at=at, read_at=None, answered_by=None).model_dump_json().encode()
    stored = encrypt_for_replay(keys, canonical_submission(message), reference, entry)
    insert_stored_receipt(session, stored)
    if concern.erased_at is not None:
        raise ConcernErased
    if number > MAX_MESSAGES:
        raise TooManyMessages
    detail = sent_detail(number, sealed)
    record_disclosure(session, chain=reference, act=DeskAct.MESSAGE_SENT, actor=actor, at=at, detail=detail)
    insert_message(session, reference, number, sealed=sealed, at=at)
    return entry
