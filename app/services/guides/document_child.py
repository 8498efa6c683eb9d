"""A child process that reads one uploaded document: `python -m app.services.guides.document_child NAME < document`.

The process limits its own processor time and memory before it reads. The process writes the draft, or the reason for a
refusal, as one line of JSON to standard output.
"""

import json
import sys
from functools import partial
from pathlib import Path

from app.errors import SeedError, SeedFileError
from app.services.guides.child_limits import run_limited
from app.services.guides.importing import NO_TEXT, NOT_TEXT, WORD, parse_document
from app.services.guides.word_documents import TOO_LONG

MAX_DRAFT_BYTES = 1_000_000
"""Limit of the size of the draft and its unplaced passages as JSON, in bytes.

Other requests that send a draft have the same limit.
"""


def read_document(path: Path, data: bytes) -> str:
    """Return the draft made from `data`, the bytes of the document, or the reason for a refusal, as JSON.

    `path` has the file name of the document, whose ending says which format it has.
    """
    try:
        if b"\0" in data and path.suffix.lower() != WORD:  # a NUL character, which PostgreSQL cannot store
            raise SeedFileError(path, [SeedError(0, NOT_TEXT)])
        draft = parse_document(path, data)
        found = json.dumps({"content": draft.content, "unplaced": draft.not_placed}, ensure_ascii=False)
        if not draft.content["title"]:
            raise SeedFileError(path, [SeedError(0, NO_TEXT)])
        if len(found.encode()) > MAX_DRAFT_BYTES:
            raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    except SeedFileError as refusal:
        return json.dumps({"refused": refusal.faults[0].reason})
    return found


if __name__ == "__main__":
    run_limited(partial(read_document, Path(sys.argv[1])))
