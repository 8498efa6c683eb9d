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
from app.models.audit.audit_log import DeskAct
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind
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
    """Encrypt and store `note`. Once the note is on disk, return its entry (JSON) without the text.

    `actor` is the author. If the author's program encrypted the note (`note.sealed`), the note is stored as received. A
    retry with the same idempotency key `key` returns the first entry and stores no second note.

    Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern was erased, `TooManyNotes` above
    the maximum number or size of notes, `IdempotencyKeyReused` if `key` was used for other content, or `StoreBusy` if
    the note could not be stored in time. Raise `ValidationFailed` if `note.recipients` are not the desk's current keys,
    or if `note.sealed` is not an age file for this number of keys. If this service can decrypt `note.sealed`, also
    raise `ValidationFailed` if the content is invalid.

    Raise `ChangedMeanwhile` if the same client wrote a note after `actor.seen`: the form may have been sent twice.
    """
    keys = derive_idempotency_keys(key, client=f"{actor.client}, note about {reference}")
    return _store_written(desk, reference, note, actor, keys)


def write_label(desk: Desk, reference: str, label: NewLabel, actor: Actor, key: str | None = None) -> IdempotentResult:
    """Encrypt and store `label`. Once the label is on disk, return its entry (JSON) without the text.

    `actor` is the author. The label replaces the concern's earlier label. An empty text means that the concern has no
    label. If the author's program encrypted the label (`label.sealed`), the label is stored as received. A retry with
    the same idempotency key `key` returns the first entry and stores no second label.

    Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern was erased, `TooManyLabels` above
    the maximum number or size of labels, `IdempotencyKeyReused` if `key` was used for other content, or `StoreBusy` if
    the label could not be stored in time. Raise `ValidationFailed` if `label.recipients` are not the desk's current
    keys, or if `label.sealed` is not an age file for this number of keys. If this service can decrypt `label.sealed`,
    also raise `ValidationFailed` if the content is invalid.
    """
    keys = derive_idempotency_keys(key, client=f"{actor.client}, label of {reference}")
    return _store_written(desk, reference, label, actor, keys)


def _store_written(
    desk: Desk, reference: str, given: NewNote | NewLabel, actor: Actor, keys: IdempotencyKeys | None
) -> IdempotentResult:
    """Store the note or label `given`, and return its entry (JSON).

    Encrypt the text, unless it is encrypted already.
    """
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
    """Store `entry`, and return it as JSON without its text. If `request` is a retry, return the entry stored first.

    If there are `faults` and this is no retry, raise `ValidationFailed` and store nothing.
    """
    try:
        presented = desk.writer.run(store_sealed, reference, entry, request, faults)
    except AlreadyStored:
        return request.replay(desk.engine)
    return IdempotentResult(reference, presented, is_replay=False)


def _faults_in(note: NewNote | NewLabel, kind: EntryKind, reference: str, desk: Desk) -> list[FieldError]:
    """Return the faults of the encrypted text in `note`, a note or a label, as far as this service can check it.

    `kind` is the kind of the entry. If `desk.unsealer` can decrypt the text, also check the decrypted text: one invalid
    note would prevent the desk from opening the other notes on the same page.
    """
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
    """Store `message` to the reporter. Once the message is on disk, return its entry (JSON) without the text.

    Encrypt the message to the key of the reporter's status token, unless it is encrypted already. A retry with the same
    idempotency key `key` returns the first entry and sends no second message.

    Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern was erased, `TooManyMessages`
    above the maximum number or size of messages, `IdempotencyKeyReused` if `key` was used for other content, or
    `StoreBusy` if the message could not be stored in time. Raise `ReporterHasNoCode` if the reporter has no token, so
    that nobody could read the message.

    Raise `ChangedMeanwhile` if, after `actor.seen`, another client changed the concern, added an addition or a note,
    sent a message or handed the concern over. Also raise `ChangedMeanwhile` if the same client sent a message after
    `actor.seen`.
    """
    entry = new_message(desk, reference, message, actor)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, message to {reference}")
    return _store_once(desk, reference, entry, Retryable(canonical_submission(message), keys))


def new_message(desk: Desk, reference: str, message: Message, actor: Actor) -> NewEntry:
    """Return `message` as a new entry by `actor`, encrypted to the key of the reporter's status token. Store nothing.

    A message that is encrypted already is not changed. For other messages, raise `NoSuchConcern` if the reference is
    unknown, or `ReporterHasNoCode` if the reporter has no token.
    """
    if message.sealed is not None:
        return NewEntry(EntryKind.MESSAGE, actor, base64.b64decode(message.sealed))
    with Session(desk.engine) as session:
        recipient = recipient_for_messages(get_concern(session, reference))
    if not recipient:
        raise ReporterHasNoCode
    return NewEntry(EntryKind.MESSAGE, actor, seal_message(message.text or "", reference, recipient, at=actor.at))


def recipient_for_messages(concern: ConcernRow) -> str:
    """Return the age public key for messages to the reporter.

    Return an empty text if the reporter has no status token.
    """
    return recipient_of(concern.message_key) if concern.message_key else ""


def read_sent_messages(session: Session, reference: str, actor: Actor) -> MessagesResponse:
    """Record the reading in the audit log. Return all messages that the desk sent to the reporter, without their text.

    The response also has the public key to which the next message must be encrypted. The key is empty if the reporter
    has no status token. Raise `NoSuchConcern` if the reference is unknown.
    """
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
    """Return all messages that the desk sent about the concern, in order, without their text.

    Nothing is recorded in the audit log.
    """
    return tuple(map(message_entry_of, list_entries(session, EntryKind.MESSAGE, reference)))
