"""Uploaded documents and pictures, each read by a child process with limits of time and memory."""

import base64
import json
import subprocess  # nosec B404  # it only runs this program
import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import app
from app.services.access.sign_in import GUIDES_PATH

DOCUMENT_PATH = f"{GUIDES_PATH}/document"
"""The path to which editors upload documents."""
PICTURE_PATH = f"{GUIDES_PATH}/picture"
"""The path to which editors upload pictures."""
READER = "app.services.guides.document_child"
PICTURE_READER = "app.services.guides.picture_child"
LIBRARIES = ("docx", "markdown_it")
"""The packages of the extra `documents`, which the reader of documents needs."""
PICTURE_LIBRARY = "PIL"
"""The package of the extra `documents`, which the reader of pictures needs."""
MAX_UPLOAD_BYTES = 1_800_000
"""Limit of the size of a file, in bytes. The sample configurations of reverse proxies allow bodies of 2 MB."""
MAX_SECONDS = 60
"""Limit of the time that a child process may run, in seconds.

The child process limits its own processor time to less. On a busy computer it needs longer than its processor time.
"""
MAX_WAIT_SECONDS = 5
TOO_HEAVY = (
    "This document is too large or too complicated to read. Copy its text into a new document, without pictures, and "
    "upload that"
)
TOO_HEAVY_PICTURE = "This picture is too large or too complicated to read. Make it smaller, and upload that"
BUSY = "Other files are being read. Try again in a few seconds"
REFUSED = "This document could not be read: {}"
_reader_slot = threading.BoundedSemaphore(1)
"""Lets each process read one file at a time, so that the memory stays bounded."""


class DocumentRefused(Exception):
    """The document or picture cannot be read. The message is a sentence for editors."""


@dataclass(frozen=True)
class UploadedDraft:
    """A draft made from an uploaded document. `unplaced` are the document's passages that `content` lacks."""

    content: dict[str, Any]
    unplaced: tuple[str, ...]


def reads_documents() -> bool:
    """Return True if the optional packages that read documents are installed."""
    return all(map(find_spec, LIBRARIES))


def reads_pictures() -> bool:
    """Return True if the optional package that reads pictures is installed."""
    return find_spec(PICTURE_LIBRARY) is not None


def read_upload(name: str, data: bytes) -> UploadedDraft:
    """Return the draft made from the document `data` with the file name `name`. A child process reads the document.

    Raise `DocumentRefused` if the document cannot be read, or if the child process fails or runs out of time or memory.
    Also raise `DocumentRefused` if other files keep the reader busy for `MAX_WAIT_SECONDS`.
    """
    answer = _ask_reader(READER, data, TOO_HEAVY, name=Path(name).name)
    if "refused" in answer:
        raise DocumentRefused(REFUSED.format(answer["refused"]))
    return UploadedDraft(answer["content"], tuple(answer["unplaced"]))


def read_uploaded_picture(data: bytes) -> bytes:
    """Return the picture `data` as a small JPEG that a child process has drawn from its pixels.

    Raise `DocumentRefused` if the picture cannot be read, or if the child process fails or runs out of time or memory.
    Also raise `DocumentRefused` if other files keep the reader busy for `MAX_WAIT_SECONDS`.
    """
    answer = _ask_reader(PICTURE_READER, data, TOO_HEAVY_PICTURE)
    if "refused" in answer:
        raise DocumentRefused(answer["refused"])
    return base64.b64decode(answer["jpeg"])


def _ask_reader(reader: str, data: bytes, too_heavy: str, *, name: str = "") -> dict[str, Any]:
    """Return the JSON object that the child process with the module `reader` writes about the file `data`.

    `name` is the file name. Raise `DocumentRefused` with the sentence `too_heavy` if the process fails or runs out of
    time, or with `BUSY` if other files are still being read after `MAX_WAIT_SECONDS`.
    """
    if not _reader_slot.acquire(timeout=MAX_WAIT_SECONDS):
        raise DocumentRefused(BUSY)
    try:
        return _run_reader(name, data, reader)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise DocumentRefused(too_heavy) from None
    finally:
        _reader_slot.release()


def _run_reader(name: str, data: bytes, reader: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", reader, name]
    environment = {"PYTHONPATH": str(Path(app.__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(  # noqa: S603  # nosec B603  # a fixed command: the name is only an argument
        command, input=data, capture_output=True, env=environment, cwd="/", timeout=MAX_SECONDS, check=True
    )
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer
