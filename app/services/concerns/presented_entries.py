"""Entries of a concern as responses to the desk contain them, with or without their text."""

import datetime as dt
from typing import Any

from sqlalchemy import Row

from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.entries import AdditionEntry, EntryRow, LabelEntry, MessageEntry, NoteEntry, OpenedAddition
from app.models.links import desk_concern_path
from app.services.audit.audit_log import REPORTER
from app.services.concerns.sealing import Unsealer, open_note


def message_entry_of(row: Row[Any] | EntryRow) -> MessageEntry:
    return MessageEntry(number=row.number, sent_at=row.received_at, read_at=row.read_at, answered_by=row.answered_by)


def present_entry(
    row: Row[Any] | EntryRow, words: Any = None, *, now: dt.datetime
) -> AdditionEntry | NoteEntry | LabelEntry | MessageEntry:
    """Return an entry as JSON. `words` is the decrypted content, or None to leave it out. A message never has it."""
    if row.kind == EntryKind.MESSAGE:
        return message_entry_of(row)
    if row.kind == EntryKind.LABEL:
        links = {"self": desk_concern_path(row.reference, "label"), "concern": desk_concern_path(row.reference)}
        return LabelEntry(number=row.number, written_at=row.received_at, by=row.author, text=words, links=links)
    path = desk_concern_path(row.reference, f"{row.kind}s", row.number)
    if row.kind == EntryKind.NOTE:
        links = {"self": path, "concern": desk_concern_path(row.reference)}
        return NoteEntry(number=row.number, written_at=row.received_at, by=row.author, text=words, links=links)
    waits_until = row.acknowledge_by if row.acknowledged_at is None else None
    fields = {
        "number": row.number,
        "received_at": row.received_at,
        "channel": row.channel,
        "came_at": row.came_at,
        "received_by": None if row.author == REPORTER else row.author,
        "immediate_danger": row.immediate_danger,
        "acknowledge_by": row.acknowledge_by,
        "acknowledged_at": row.acknowledged_at,
        "overdue": waits_until is not None and waits_until < now,
        "addition": words,
        "links": {"self": path, "acknowledgement": f"{path}/acknowledgement"},
    }
    return AdditionEntry(**fields) if words is None else OpenedAddition(**fields)


def content_of_entry(row: Row[Any], sealed: bytes, unsealer: Unsealer) -> Any:
    """Return the text of a note or label, or the object of an addition.

    Raise `UnsealingUnavailable` or `SealedTextMisplaced`.
    """
    place = {"reference": row.reference, "received_at": row.received_at}
    if row.kind == EntryKind.ADDITION:
        return unsealer.open_member(row.kind, sealed, **place)
    return open_note(unsealer, sealed, author=row.author, member=row.kind, **place)[row.kind]["text"]
