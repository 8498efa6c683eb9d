"""Notes as the desk sees them."""

from typing import Any

from sqlalchemy import Row

from app.models.concerns.tables import NoteRow
from app.models.desk.notes import NoteEntry
from app.models.links import desk_concern_path, note_path
from app.presenters.desk import SealedAdditions
from app.services.concerns.unsealing import Unsealer


def note_entry(row: Row[Any] | NoteRow, text: str | None = None) -> NoteEntry:
    """Return the entry of a note, with its words if they are given."""
    return NoteEntry(
        number=row.number,
        written_at=row.received_at,
        by=row.author,
        text=text,
        links={"self": note_path(row.reference, row.number), "concern": desk_concern_path(row.reference)},
    )


def opened_notes(notes: SealedAdditions, unsealer: Unsealer) -> tuple[NoteEntry, ...]:
    """Return the notes with their words.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern, or is no note.
    """
    return tuple(note_entry(row, _words_of(row, sealed, unsealer)) for row, sealed in notes)


def _words_of(row: Row[Any], sealed: bytes, unsealer: Unsealer) -> str:
    note: dict[str, str] = unsealer.open_member("note", sealed, reference=row.reference, received_at=row.received_at)
    return note["text"]
