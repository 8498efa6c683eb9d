"""Notes, labels and messages that the desk writes."""

import base64
from collections.abc import Sequence

from sqlmodel import Session

from app.age.files import count_keys
from app.age.keys import NotThatFile, recipient_of
from app.errors import (
    AlreadyStored,
    FaultCode,
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
from app.services.concerns.entries import Desk, NewEntry, list_entries, store_sealed
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.presented_entries import message_entry_of
from app.services.concerns.rows import get_concern
from app.services.concerns.sealing import label_plaintext, note_plaintext, open_note, seal_message

NOT_OUR_KEYS = "these are not the current keys of this service: encrypt it again to the current keys"
NO_NOTE = "this is not a {} about this concern encrypted to those keys"


def write_note(desk: Desk, reference: str, note: NewNote, actor: Actor, key: str | None = None) -> IdempotentResult:
    """Store a note, encrypted, and return its entry (JSON) without the text. A retry with `key` returns the first.

    Raise `NoSuchConcern`, `ConcernErased`, `TooManyNotes`, `IdempotencyKeyReused` or `StoreBusy`. Raise
    `ValidationFailed` if `note.sealed` is for other keys, or invalid as far as this service can decrypt it. Raise
    `ChangedMeanwhile` as `expect_seen`.
    """
    keys = derive_idempotency_keys(key, client=f"{actor.client}, note about {reference}")
    return _store_written(desk, reference, note, actor, keys)


def write_label(desk: Desk, reference: str, label: NewLabel, actor: Actor, key: str | None = None) -> IdempotentResult:
    """Replace the concern's label. An empty text removes it. Raise as `write_note`, with `TooManyLabels`."""
    keys = derive_idempotency_keys(key, client=f"{actor.client}, label of {reference}")
    return _store_written(desk, reference, label, actor, keys)


def _store_written(
    desk: Desk, reference: str, given: NewNote | NewLabel, actor: Actor, keys: IdempotencyKeys | None
) -> IdempotentResult:
    is_note, faults = isinstance(given, NewNote), list[FieldError]()
    kind, plaintext = (EntryKind.NOTE, note_plaintext) if is_note else (EntryKind.LABEL, label_plaintext)
    if given.sealed is not None:
        sealed, faults = base64.b64decode(given.sealed), _faults_in(given, kind, reference, desk)
    else:
        written = {"received_at": format_utc(actor.at), "author": actor.client}
        sealed = desk.sealer.seal(plaintext(given.text or "", reference, **written))
    entry = NewEntry(kind, actor, sealed, desk.sealer.fingerprints)
    return _store_once(desk, reference, entry, Retryable(canonical_submission(given), keys), faults)


def _store_once(
    desk: Desk, reference: str, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> IdempotentResult:
    try:
        presented = desk.writer.run(store_sealed, reference, entry, request, faults)
    except AlreadyStored:
        return request.replay(desk.engine)
    return IdempotentResult(reference, presented, is_replay=False)


def _faults_in(note: NewNote | NewLabel, kind: EntryKind, reference: str, desk: Desk) -> list[FieldError]:
    """As far as this service can check: one invalid note would keep the desk from opening the others on its page."""
    sealer, unsealer = desk.sealer, desk.unsealer
    if sorted(note.recipients or ()) != sorted(map(str, sealer.recipients)):
        return [FieldError(("recipients",), NOT_OUR_KEYS, FaultCode.NOT_LISTED)]
    sealed = base64.b64decode(note.sealed or "")
    try:
        if count_keys(sealed) != len(sealer.recipients):
            raise NotThatFile
        if unsealer.has_one_of(sealer.fingerprints):
            open_note(unsealer, sealed, reference=reference, received_at=None, author=None, member=kind.value)
    except (NotThatFile, SealedTextMisplaced, UnsealingUnavailable):
        return [FieldError(("sealed",), NO_NOTE.format(kind.value))]
    return []


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
    return _store_once(desk, reference, entry, Retryable(canonical_submission(message), keys))


def new_message(desk: Desk, reference: str, message: Message, actor: Actor) -> NewEntry:
    """Encrypt it, unless it is. Store nothing. Raise `NoSuchConcern`, `ReporterHasNoCode`."""
    if message.sealed is not None:
        return NewEntry(EntryKind.MESSAGE, actor, base64.b64decode(message.sealed))
    with Session(desk.engine) as session:
        recipient = recipient_for_messages(get_concern(session, reference))
    if not recipient:
        raise ReporterHasNoCode
    return NewEntry(EntryKind.MESSAGE, actor, seal_message(message.text or "", reference, recipient, at=actor.at))


def recipient_for_messages(concern: ConcernRow) -> str:
    """The age public key; empty without a status token."""
    return recipient_of(concern.message_key) if concern.message_key else ""


def read_sent_messages(session: Session, reference: str, actor: Actor) -> MessagesResponse:
    """Record the reading. Return the messages without text, and the key for the next. Raise `NoSuchConcern`."""
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
