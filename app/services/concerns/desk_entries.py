"""Notes, labels and messages that the desk writes."""

import base64
from collections.abc import Sequence

from sqlmodel import Session

from app.age.keys import NotThatFile, recipient_of
from app.errors import (
    FieldError,
    ReporterHasNoCode,
    SealedTextMisplaced,
    UnsealingUnavailable,
)
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import DeskAct
from app.models.base import canonical_submission, format_utc
from app.models.concerns.entries import Message, MessageEntry, MessagesResponse, NewLabel, NewNote
from app.models.concerns.rows import ConcernRow
from app.models.links import desk_concern_path
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import Desk, NewEntry, list_entries, store_entry
from app.services.concerns.idempotency import IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.presented_entries import message_entry_of
from app.services.concerns.rows import get_concern
from app.services.concerns.sealing import faults_in_keys, open_note, seal_message, written_plaintext

NO_NOTE = "this is not a {} about this concern encrypted to those keys"


def write_entry(
    desk: Desk, reference: str, given: NewNote | NewLabel, actor: Actor, key: str | None = None
) -> IdempotentResult:
    """Store it encrypted, and return its entry (JSON) without the text. A retry with `key` returns the first.

    A label replaces the concern's label; an empty text means none. Raise `NoSuchConcern`, `ConcernErased`,
    `TooManyNotes`, `TooManyLabels`, `IdempotencyKeyReused`, `StoreBusy`; `ValidationFailed` if `given.sealed` is for
    other keys, or invalid as far as this service can decrypt it; `ChangedMeanwhile` as `expect_seen`.
    """
    kind, about = (EntryKind.NOTE, "note about") if isinstance(given, NewNote) else (EntryKind.LABEL, "label of")
    keys, faults = derive_idempotency_keys(key, client=f"{actor.client}, {about} {reference}"), list[FieldError]()
    if given.sealed is not None:
        sealed = base64.b64decode(given.sealed)
        faults = _faults_in(sealed, given.recipients, kind, reference, desk)
    else:
        written = {"received_at": format_utc(actor.at), "author": actor.client}
        sealed = desk.sealer.seal(written_plaintext(kind, given.text or "", reference, **written))
    entry = NewEntry(kind, actor, sealed, desk.sealer.fingerprints)
    request = Retryable(canonical_submission(given), keys)
    return request.store_once(
        desk.writer,
        reference,
        lambda session: store_entry(session, get_concern(session, reference), entry, request, faults),
    )


def _faults_in(
    sealed: bytes, recipients: Sequence[str] | None, kind: EntryKind, reference: str, desk: Desk
) -> list[FieldError]:
    """As far as this service can check: one invalid note would keep the desk from opening the others on its page."""
    wrong = NO_NOTE.format(kind.value)
    faults = faults_in_keys(recipients, {"sealed": sealed}, desk.sealer, wrong)
    if not faults and desk.unsealer.has_one_of(desk.sealer.fingerprints):
        try:
            open_note(desk.unsealer, sealed, reference=reference, received_at=None, author=None, member=kind.value)
        except (NotThatFile, SealedTextMisplaced, UnsealingUnavailable):
            return [FieldError(("sealed",), wrong)]
    return faults


def send_message(
    desk: Desk, reference: str, message: Message, actor: Actor, key: str | None = None
) -> IdempotentResult:
    """Store a message, encrypted to the reporter's status token, and return its entry (JSON) without the text.

    A retry with `key` returns the first. Raise `NoSuchConcern`, `ConcernErased`, `TooManyMessages`,
    `IdempotencyKeyReused` or `StoreBusy`. Raise `ReporterHasNoCode` if nobody could read the message. Raise
    `ChangedMeanwhile` as `expect_seen`.
    """
    entry = new_message(desk, reference, message, actor)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, message to {reference}")
    request = Retryable(canonical_submission(message), keys)
    return request.store_once(
        desk.writer, reference, lambda session: store_entry(session, get_concern(session, reference), entry, request)
    )


def new_message(desk: Desk, reference: str, message: Message, actor: Actor) -> NewEntry:
    """Return a message, encrypted unless it is already, and store nothing.

    Raise `NoSuchConcern` or `ReporterHasNoCode`.
    """
    if message.sealed is not None:
        return NewEntry(EntryKind.MESSAGE, actor, base64.b64decode(message.sealed))
    with Session(desk.engine) as session:
        recipient = recipient_for_messages(get_concern(session, reference))
    if not recipient:
        raise ReporterHasNoCode
    return NewEntry(EntryKind.MESSAGE, actor, seal_message(message.text or "", reference, recipient, at=actor.at))


def recipient_for_messages(concern: ConcernRow) -> str:
    """Return the age public key of the reporter. It is empty without a status token."""
    return recipient_of(concern.message_key) if concern.message_key else ""


def read_sent_messages(session: Session, reference: str, actor: Actor) -> MessagesResponse:
    """Return the messages without text, and the key for the next one, and record the reading. Raise `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="messages"))
    return MessagesResponse(
        messages=list_messages(session, reference),
        recipient=recipient_for_messages(concern),
        links={
            "self": desk_concern_path(reference, "messages"),
            "concern": desk_concern_path(reference),
            "additions": desk_concern_path(reference, "additions"),
        },
    )


def list_messages(session: Session, reference: str) -> tuple[MessageEntry, ...]:
    """Return the messages without text. Nothing is recorded."""
    return tuple(map(message_entry_of, list_entries(session, EntryKind.MESSAGE, reference)))
