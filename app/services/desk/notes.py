"""Notes of the desk: sealed to the recipients of concerns, on the record, and as many as a concern takes."""

import base64
import datetime as dt

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.files import count_keys
from app.age.keys import NotThatFile, Sealer
from app.errors import (
    AlreadyStored,
    ConcernErased,
    SealedTextMisplaced,
    TooManyNotes,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.faults import FaultCode, FieldError
from app.models.base import format_utc
from app.models.concerns.tables import NoteRow
from app.models.desk.added_texts import AddedKind, AddedText
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.notes import NewNote, note_entry
from app.models.desk.seal_entries import seal_entry
from app.models.digest import canonical_submission
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, encrypt_for_replay, replay_receipt
from app.services.concerns.sealing import Unsealer, note_plaintext, open_note
from app.store.added_texts import NOTES
from app.store.changes import record_change
from app.store.concerns import get_concern, insert_stored_receipt
from app.store.disclosures import Actor
from app.store.writer import Writer, write_operation

MAX_NOTES = 500
MAX_NOTES_BYTES = 5_000_000
NOT_OUR_KEYS = "these are not the keys that this service seals to now: seal it again, to those"
NO_NOTE = "this is no note about this concern that is sealed to those keys"


def write_note(
    engine: Engine,
    writer: Writer,
    sealer: Sealer,
    unsealer: Unsealer,
    reference: str,
    note: NewNote,
    *,
    keys: IdempotencyKeys | None,
    actor: Actor,
    at: dt.datetime,
) -> IdempotentResult:
    """Store the note, sealed here or where it was typed, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key writes no second note. Raises `NoSuchConcern`, `ConcernErased`,
    `TooManyNotes`, `IdempotencyKeyReused`, `StoreBusy`, or `ValidationFailed` for a file that the desk cannot open.
    """
    if note.sealed is not None:
        sealed, faults = base64.b64decode(note.sealed), _faults_in(note, reference, sealer, unsealer)
    else:
        written = {"received_at": format_utc(at), "author": actor.client}
        sealed, faults = sealer.seal(note_plaintext(note.text or "", reference, **written)), []
    try:
        entry = _store(writer, reference, sealed, note, keys, sealer=sealer, faults=faults, actor=actor, at=at)
    except AlreadyStored:
        return replay_receipt(engine, keys, canonical_submission(note))
    return IdempotentResult(reference, entry, is_replay=False)


@write_operation
def _store(
    session: Session,
    reference: str,
    sealed: bytes,
    note: NewNote,
    keys: IdempotencyKeys | None,
    *,
    sealer: Sealer,
    faults: list[FieldError],
    actor: Actor,
    at: dt.datetime,
) -> bytes:
    """Insert the note under the next number, and return its entry. A retry is found before anything is refused."""
    concern = get_concern(session, reference)
    count, size = NOTES.measure(session, reference)
    entry = note_entry(reference, count + 1, written_at=at, by=actor.client).model_dump_json().encode()
    stored = encrypt_for_replay(keys, canonical_submission(note), reference, entry)
    insert_stored_receipt(session, stored)
    if faults:
        raise ValidationFailed(faults)
    if concern.erased_at is not None:
        raise ConcernErased
    if count >= MAX_NOTES or size + len(sealed) > MAX_NOTES_BYTES:
        raise TooManyNotes
    detail = str(seal_entry(sealed, sealer.fingerprints, added=AddedText(AddedKind.NOTE, count + 1)))
    record_change(session, concern, DeskAct.NOTED, actor=actor, at=at, detail=detail)
    session.add(
        NoteRow(
            reference=reference,
            number=count + 1,
            received_at=at,
            author=actor.client,
            recipients=list(sealer.fingerprints),
            sealed=sealed,
        )
    )
    return entry


def _faults_in(note: NewNote, reference: str, sealer: Sealer, unsealer: Unsealer) -> list[FieldError]:
    """Return what is wrong with a note that was sealed elsewhere, as far as this service can see it.

    Where it opens notes it sees all: one text that is none would hide the others of its page.
    """
    if sorted(note.recipients or ()) != sorted(map(str, sealer.recipients)):
        return [FieldError(("recipients",), NOT_OUR_KEYS, FaultCode.NOT_LISTED)]
    sealed = base64.b64decode(note.sealed or "")
    try:
        if count_keys(sealed) != len(sealer.recipients):
            raise NotThatFile
        if unsealer.has_one_of(sealer.fingerprints):
            open_note(unsealer, sealed, reference=reference, received_at=None, author=None)
    except (NotThatFile, SealedTextMisplaced, UnsealingUnavailable):
        return [FieldError(("sealed",), NO_NOTE)]
    return []
