"""Key files, readable only by their owner."""

import base64
import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from app.db.private_files import make_private_folder
from app.errors import SetupError

KEY_BYTES = 32


def write_key_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write `content` to the file `path`, which only the owner of the file can read.

    Create the folder of `path` if it is missing. Raise `FileExistsError` if the file exists and `replace` is False, or
    another `OSError` if the file cannot be written. The file appears complete or not at all, so that two processes that
    start together use the same key. If this process may change owners, a replaced file keeps its owner.
    """
    make_private_folder(path.parent)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # created with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            _keep_owner(path, draft)
            os.replace(draft, path)
        else:
            os.link(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)


class FileKey(NamedTuple):
    """A key of `KEY_BYTES` bytes from a key file. `id` is the first 8 hex digits of the SHA-256 of `value`."""

    id: str
    value: bytes


class KeyFile:
    """The keys in one file, one key per line. The first key is for new data. The other keys still work for old data.

    `is_configured` is True if a setting names the file. Several nodes may share a configured file, so an operator's
    command creates the file with `add`, and callers never call `make`. Each method that reads or changes the file
    raises `SetupError` if the file cannot be read, or if one of its lines is not a key. Each method that changes the
    file raises `OSError` if the file cannot be written.
    """

    purpose: ClassVar[str]
    """The beginning of a sentence about the first key, such as "concerns are encrypted with".

    The comment line of the file completes the sentence with "the first key", and the error for an unreadable file with
    "its first line".
    """
    command: ClassVar[str]
    """The command with which an operator adds a key."""

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        self.path = path
        self.is_configured = is_configured
        self.keys: list[FileKey] = []

    def load(self) -> None:
        """Read the keys from the file. If the file is not configured and is absent, there are no keys.

        Raise `SetupError` if the file cannot be read, has no key or a line that is not a key, or is configured and
        absent.
        """
        self.read()
        if not self.keys and (self.is_configured or self.path.exists()):
            raise SetupError(f"{self.path} has no key ({self.command} makes one)")

    def read(self) -> None:
        """Read the keys from the file. An absent file has no keys.

        Raise `SetupError` if the file cannot be read, or if one of its lines is not a key.
        """
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
            self.keys = [_key_of(base64.urlsafe_b64decode(line)) for line in lines if line.strip() and line[0] != "#"]
        except FileNotFoundError:
            self.keys = []
        except (OSError, ValueError):
            raise SetupError(f"{self.path} cannot be read as keys: {self.purpose} its first line") from None

    def make(self) -> None:
        """Create the file with one new key. If the file exists, because another process was faster, read its keys."""
        with suppress(FileExistsError):
            self._write([_new_key()], replace=False)
        self.read()

    def add(self) -> None:
        """Add a new key before the existing keys of the file. Create the file if it is absent.

        The caller must ensure that only one process changes the file at a time.
        """
        self.read()
        self._write([_new_key(), *self.keys], replace=True)

    def drop_old(self) -> None:
        """Remove all keys except the newest from the file. If the file has no keys, do nothing.

        The caller must ensure that only one process changes the file at a time.
        """
        self.read()
        if self.keys:
            self._write(self.keys[:1], replace=True)

    def _write(self, keys: list[FileKey], *, replace: bool) -> None:
        explanation = f"# {self.purpose[:1].upper()}{self.purpose[1:]} the first key. The others still count.\n"
        lines = [base64.urlsafe_b64encode(key.value).decode() for key in keys]
        write_key_file(self.path, (explanation + "\n".join(lines) + "\n").encode(), replace=replace)
        self.keys = keys


def _new_key() -> FileKey:
    return _key_of(secrets.token_bytes(KEY_BYTES))


def _key_of(value: bytes) -> FileKey:
    if len(value) != KEY_BYTES:
        raise ValueError
    return FileKey(hashlib.sha256(value).hexdigest()[:8], value)


def _keep_owner(path: Path, draft: str) -> None:
    """Give the file `draft` the owner of the file at `path`, which `draft` will replace.

    The service must be able to read a key file that root has replaced. Do nothing if there is no file at `path`, or if
    this process may not change owners.
    """
    with suppress(FileNotFoundError, PermissionError):
        former = path.stat()
        os.chown(draft, former.st_uid, former.st_gid)
