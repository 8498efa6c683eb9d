"""Notes of the desk: sealed to the recipients of concerns, on the record, and as many as a concern takes."""

import datetime as dt

import orjson
from sqlmodel import Session

from app.desk_errors import TooManyNotes
from app.errors import ConcernErased
from app.models.base import format_utc
from app.models.concerns.tables import NoteRow
from app.models.desk.added_texts import AddedKind, AddedText
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.seal_entries import seal_entry
from app.services.concerns.sealing import Sealer
from app.store.added_texts import NOTES
from app.store.changes import record_change
from app.store.concerns import get_concern
from app.store.concurrent import concern_operation
from app.store.disclosures import Actor
from app.store.writer import Writer

MAX_NOTES = 500
MAX_NOTES_BYTES = 5_000_000


def write_note(writer: Writer, sealer: Sealer, text: str, *, reference: str, actor: Actor, at: dt.datetime) -> NoteRow:
    """Seal the note, store it and return its row. Raises `NoSuchConcern`, `ConcernErased` or `TooManyNotes`."""
    document = {
        "reference": reference,
        "received_at": format_utc(at),
        "author": actor.client,
        "note": {"text": text},
    }
    return _store(writer, reference, sealer, sealer.seal(orjson.dumps(document)), actor=actor, at=at)


@concern_operation
def _store(
    session: Session, reference: str, sealer: Sealer, sealed: bytes, *, actor: Actor, at: dt.datetime
) -> NoteRow:
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    count, size = NOTES.measure(session, reference)
    if count >= MAX_NOTES or size + len(sealed) > MAX_NOTES_BYTES:
        raise TooManyNotes
    entry = seal_entry(sealed, sealer.fingerprints, added=AddedText(AddedKind.NOTE, count + 1))
    record_change(session, concern, DeskAct.NOTED, actor=actor, at=at, detail=str(entry))
    note = NoteRow(
        reference=reference,
        number=count + 1,
        received_at=at,
        author=actor.client,
        recipients=list(sealer.fingerprints),
        sealed=sealed,
    )
    session.add(note)
    return note
