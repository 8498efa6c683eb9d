"""Entries as the desk sees them: with their words, where this process opens them, or without."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from app.models.entries import AdditionEntry, NoteEntry, OpenedAddition
from app.models.links import desk_addition_path
from app.services.concerns.sealing import Unsealer, open_note
from app.services.entries import note_entry

SealedEntries = Iterable[tuple[Row[Any], bytes]]
"""The metadata of entries, each with its sealed text."""


def listed_addition(row: Row[Any], *, now: dt.datetime) -> AdditionEntry:
    """Return the entry of an addition without its words."""
    return AdditionEntry(**_addition_fields(row, now), addition=None)


def opened_additions(additions: SealedEntries, unsealer: Unsealer, *, now: dt.datetime) -> tuple[OpenedAddition, ...]:
    """Return the additions with their words.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern.
    """
    return tuple(
        OpenedAddition(
            **_addition_fields(row, now),
            addition=unsealer.open_member("addition", sealed, reference=row.reference, received_at=row.received_at),
        )
        for row, sealed in additions
    )


def _addition_fields(row: Row[Any], now: dt.datetime) -> dict[str, Any]:
    path = desk_addition_path(row.reference, row.number)
    return {
        "number": row.number,
        "received_at": row.received_at,
        "immediate_danger": row.immediate_danger,
        "acknowledge_by": row.acknowledge_by,
        "acknowledged_at": row.acknowledged_at,
        "overdue": row.acknowledged_at is None and row.acknowledge_by < now,
        "links": {"self": path, "acknowledgement": f"{path}/acknowledgement"},
    }


def listed_note(row: Row[Any], text: str | None = None) -> NoteEntry:
    """Return the entry of a note, with its words if they are given."""
    return note_entry(row.reference, row.number, written_at=row.received_at, by=row.author, text=text)


def opened_notes(notes: SealedEntries, unsealer: Unsealer) -> tuple[NoteEntry, ...]:
    """Return the notes with their words.

    Raise as `opened_additions` does, also if a text names another time or author than its row, or is no note.
    """
    return tuple(listed_note(row, _words_of(row, sealed, unsealer)) for row, sealed in notes)


def _words_of(row: Row[Any], sealed: bytes, unsealer: Unsealer) -> str:
    opened = open_note(unsealer, sealed, reference=row.reference, received_at=row.received_at, author=row.author)
    words: str = opened["note"]["text"]
    return words
