"""The reader of an uploaded document. It runs in a child process with limits: see `child_limits`."""

import json
from pathlib import Path

from app.errors import SeedError, SeedFileError
from app.extensions.editing.services.importing import NO_TEXT, NOT_TEXT, WORD, parse_document
from app.extensions.editing.services.word_documents import TOO_LONG

MAX_DRAFT_BYTES = 1_000_000
"""Limit for draft and unplaced passages as JSON, as for other requests that send a draft."""


def read(name: str, data: bytes) -> str:
    """Return the draft made from `data`, the bytes of the document, or the reason for a refusal, as JSON.

    The ending of the file name `name` says which format the document has.
    """
    path = Path(name)
    try:
        if b"\0" in data and path.suffix.lower() != WORD:  # a NUL character, which PostgreSQL cannot store
            raise SeedFileError(path, [SeedError(0, NOT_TEXT)])
        draft = parse_document(path, data)
        found = json.dumps({"content": draft.content, "unplaced": draft.unplaced}, ensure_ascii=False)
        if not draft.content["title"]:
            raise SeedFileError(path, [SeedError(0, NO_TEXT)])
        if len(found.encode()) > MAX_DRAFT_BYTES:
            raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    except SeedFileError as refusal:
        return json.dumps({"refused": refusal.faults[0].reason})
    return found
