"""The text of a note as it is sealed, and how it is opened.

There are two forms. What this service seals says when it was received, and who wrote it. What was sealed where it was
typed says neither: the row and the record have both.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson

from app.errors import SealedTextMisplaced
from app.models.base import format_utc
from app.services.concerns.sealing import make_sealer
from app.services.concerns.unsealing import Unsealer


def note_plaintext(text: str, reference: str, **written: str) -> bytes:
    """Return the text of a note as it is sealed; `written` has `received_at` and `author`, where they are known."""
    return orjson.dumps({"reference": reference, **written, "note": {"text": text}})


def seal_note(text: str, reference: str, recipients: Sequence[str]) -> bytes:
    """Return a note that is sealed where it was typed. Raises `SetupError` if one of these is no age recipient."""
    return make_sealer(recipients).seal(note_plaintext(text, reference))


def open_note(
    unsealer: Unsealer, sealed: bytes, *, reference: str, received_at: dt.datetime | None, author: str | None
) -> dict[str, Any]:
    """Return the document of a note. What it says of its time and author must be what is given, where that is known.

    Raises `UnsealingUnavailable` if no identity opens it, and `SealedTextMisplaced` if it belongs elsewhere, or is no
    note.
    """
    document = unsealer.open(sealed, reference=reference)
    known = {"received_at": received_at and format_utc(received_at), "author": author}
    note = document.get("note")
    if not isinstance(note, dict) or not isinstance(note.get("text"), str):
        raise SealedTextMisplaced
    if any(value is not None and document.get(name, value) != value for name, value in known.items()):
        raise SealedTextMisplaced
    return document
