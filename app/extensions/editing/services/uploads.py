"""Uploaded documents and pictures, each read by a child process with limits of time and memory.

The first file starts a process that stays, with the readers imported, and forks the children (`child_limits`).
"""

import atexit
import base64
import json
import os
import signal
import socket
import subprocess  # nosec B404  # it only runs this program
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import app

SERVER = "app.extensions.editing.services.child_limits"
READER = "app.extensions.editing.services.document_child"
PICTURE_READER = "app.extensions.editing.services.picture_child"
LIBRARIES = ("docx", "markdown_it")
"""The packages of the extra `documents`, which the reader of documents needs."""
PICTURE_LIBRARY = "PIL"
"""The package of the extra `documents`, which the reader of pictures needs."""
MAX_UPLOAD_BYTES = 1_800_000
"""Limit of the size of a file, in bytes. The sample configurations of reverse proxies allow bodies of 2 MB."""
MAX_SECONDS = 50
"""Limit of the time that a child process may run, and that a file waits for its turn, in seconds.

The child process limits its own processor time to less. On a busy computer it needs longer than its processor time.
"""
MAX_FILES = 5
"""Limit of the files that are being read or wait: each holds a thread, which other requests need too."""
MAX_ANSWER_BYTES = 8 * MAX_UPLOAD_BYTES
TOO_HEAVY = (
    "This document is too large or too complicated to read. Copy its text into a new document, without pictures, and "
    "upload that"
)
TOO_HEAVY_PICTURE = "This picture is too large or too complicated to read. Make it smaller, and upload that"
BUSY = "Other files are still being read. Your file has not been read. Try again in a minute"
REFUSED = "This document could not be read: {}"
_places = threading.BoundedSemaphore(MAX_FILES)
_reader_slot = threading.BoundedSemaphore(1)
"""Lets each process read one file at a time, so that the memory stays bounded."""


class DocumentRefused(Exception):
    """The document or picture cannot be read. The message is a sentence for editors."""


@dataclass(frozen=True)
class UploadedDraft:
    """`unplaced` are the passages of the document that `content` lacks, each with its place in the document."""

    content: dict[str, Any]
    unplaced: dict[str, str]


def reads_documents() -> bool:
    """Return True if the optional packages that read documents are installed."""
    return all(map(find_spec, LIBRARIES))


def reads_pictures() -> bool:
    """Return True if the optional package that reads pictures is installed."""
    return find_spec(PICTURE_LIBRARY) is not None


def read_upload(name: str, data: bytes) -> UploadedDraft:
    """Read the document `data` in a child process. `name` is its file name.

    Raise `DocumentRefused` if it cannot be read, if the process fails or runs out of time or memory, or if other files
    keep the reader busy for `MAX_SECONDS`, or too many wait.
    """
    answer = _ask_reader(READER, data, TOO_HEAVY, name=Path(name).name)
    if "refused" in answer:
        raise DocumentRefused(REFUSED.format(answer["refused"]))
    return UploadedDraft(answer["content"], answer["unplaced"])


def read_uploaded_picture(data: bytes) -> bytes:
    """Return a small JPEG that a child process has drawn from the pixels of `data`. Raise as `read_upload`."""
    answer = _ask_reader(PICTURE_READER, data, TOO_HEAVY_PICTURE)
    if "refused" in answer:
        raise DocumentRefused(answer["refused"])
    return base64.b64decode(answer["jpeg"])


def _ask_reader(reader: str, data: bytes, too_heavy: str, *, name: str = "") -> dict[str, Any]:
    """Return the JSON object that the child process with the module `reader` writes about the file `data`.

    `name` is the file name. Raise `DocumentRefused` with the sentence `too_heavy` if the process fails or runs out of
    time, or with `BUSY` if other files are still being read after `MAX_SECONDS`, or `MAX_FILES` are there already.
    """
    if not _places.acquire(blocking=False):
        raise DocumentRefused(BUSY)
    try:
        if not _reader_slot.acquire(timeout=MAX_SECONDS):
            raise DocumentRefused(BUSY)
        try:
            return _run_reader(name, data, reader)
        except (OSError, ValueError):
            _server.end()
            raise DocumentRefused(too_heavy) from None
        finally:
            _reader_slot.release()
    finally:
        _places.release()


class _Server:
    """The process that has imported the readers and forks a child for each file. Used by one thread at a time."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._control = socket.socket()  # closed until the process starts
        self._control.close()

    def send(self, request: bytes, connection: socket.socket) -> None:
        """Let the process read a file from `connection`. Start the process if it is not there, or has ended."""
        try:
            socket.send_fds(self._control, [request], [connection.fileno()])
        except OSError:
            self.end()
            self._start()
            socket.send_fds(self._control, [request], [connection.fileno()])

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            environment = {"PYTHONPATH": str(Path(app.__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}
            self.process = subprocess.Popen(  # noqa: S603  # nosec B603  # a fixed command
                [sys.executable, "-P", "-m", SERVER, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def end(self) -> None:
        """End the process and the child that reads a file, if they are there."""
        self._control.close()
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


_server = _Server()
atexit.register(_server.end)


def _run_reader(name: str, data: bytes, reader: str) -> dict[str, Any]:
    until = time.monotonic() + MAX_SECONDS
    received = bytearray()
    own, theirs = socket.socketpair()
    with own:
        with theirs:
            _server.send(json.dumps([reader, name]).encode(), theirs)
        own.settimeout(MAX_SECONDS)
        own.sendall(data)
        own.shutdown(socket.SHUT_WR)
        while chunk := own.recv(MAX_ANSWER_BYTES):
            received += chunk
            own.settimeout(max(until - time.monotonic(), 0.001))
            if len(received) > MAX_ANSWER_BYTES:
                raise ValueError
    answer: dict[str, Any] = json.loads(received)
    return answer
