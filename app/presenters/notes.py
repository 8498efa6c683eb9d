"""Notes as the desk sees them."""

from typing import Any

from sqlalchemy import Row

from app.models.desk.notes import NoteEntry, note_entry
from app.presenters.desk import SealedAdditions
from app.services.concerns.sealing import Unsealer, open_note


def listed_note(row: Row[Any], text: str | None = None) -> NoteEntry:
    """Return the entry of a note, with its words if they are given."""
    return note_entry(row.reference, row.number, written_at=row.received_at, by=row.author, text=text)


def opened_notes(notes: SealedAdditions, unsealer: Unsealer) -> tuple[NoteEntry, ...]:
    """Return the notes with their words.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern, names another time or author than its row, or is no note.
    """
    return tuple(listed_note(row, _words_of(row, sealed, unsealer)) for row, sealed in notes)


def _words_of(row: Row[Any], sealed: bytes, unsealer: Unsealer) -> str:
    opened = open_note(unsealer, sealed, reference=row.reference, received_at=row.received_at, author=row.author)
    words: str = opened["note"]["text"]
    return words
