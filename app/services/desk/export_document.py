"""The JSON of an export: what the service signed, and each text sealed, with its own key, and opened.

The key of a sealed text (see `app/age/files.py`) opens that text alone. With it anyone sees that the words are those
that were sealed, and whose digest the history has.
"""

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Any

from app.models.desk.added_texts import AddedKind, AddedText
from app.models.desk.disclosure_tables import DisclosureRow
from app.models.desk.recorded import replay
from app.services.concerns.sealing import Unsealer, open_note

EXPORT_KIND = "guidance-export"
EXPORT_VERSION = 1
SealedTexts = Mapping[AddedText | None, bytes]
"""The sealed text of a concern (None), and of what was added to it."""


def build_export(
    statement: dict[str, Any], texts: SealedTexts, unsealer: Unsealer, keys: dict[str, Any], *, notes: bool
) -> dict[str, Any]:
    """Return the document. `statement` is the service's answer, `keys` are those that it publishes.

    Raises `UnsealingUnavailable` or `SealedTextMisplaced`.
    """
    reference = statement["concern"]["reference"]
    written = replay(history_of(statement)).added
    return {
        "kind": EXPORT_KIND,
        "version": EXPORT_VERSION,
        "reference": reference,
        "notes_included": notes,
        "texts": [_text(added, sealed, unsealer, reference, written.get(added)) for added, sealed in texts.items()],
        "statement": statement,
        "keys": keys,
    }


def history_of(statement: dict[str, Any]) -> list[DisclosureRow]:
    """Return the rows of the history that the statement of an export has."""
    return [DisclosureRow(**(entry | {"at": dt.datetime.fromisoformat(entry["at"])})) for entry in statement["history"]]


def _text(
    added: AddedText | None, sealed: bytes, unsealer: Unsealer, reference: str, written: DisclosureRow | None
) -> dict[str, Any]:
    if added is not None and added.kind is AddedKind.NOTE and written is not None:
        opened = open_note(unsealer, sealed, reference=reference, received_at=written.at, author=written.client)
    else:
        opened = unsealer.open(sealed, reference=reference)
    return {
        "kind": "concern" if added is None else added.kind.value,
        "number": None if added is None else added.number,
        "opened": opened,
        "sealed": base64.b64encode(sealed).decode(),
        "file_key": base64.b64encode(unsealer.find_file_key(sealed)).decode(),
    }
