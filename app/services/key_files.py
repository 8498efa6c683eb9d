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
    """Write a file that only its owner can read. Raise `FileExistsError` if it exists, unless `replace` is true.

    The file appears complete or not at all, so that two processes that start together use one key.
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
    """A key from a file, and its id."""

    id: str
    value: bytes


class KeyFile:
    """The keys of one file, one to a line. The first is used for new data; the others remain valid for old data.

    A configured file may be shared by nodes, so it is created only by `add`.
    """

    purpose: ClassVar[str]
    """Purpose of the keys, as written in a comment line of the file."""
    command: ClassVar[str]
    """The command that adds a key."""

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        self.path = path
        self.is_configured = is_configured
        self.keys: list[FileKey] = []

    def load(self) -> None:
        """Read the file. Raise `SetupError` if it has no keys, or is configured and absent."""
        self.read()
        if not self.keys and (self.is_configured or self.path.exists()):
            raise SetupError(f"{self.path} has no key ({self.command} makes one)")

    def read(self) -> None:
        """Read the file, or no keys if it is absent. Raise `SetupError` if it cannot be read."""
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
            self.keys = [_key_of(base64.urlsafe_b64decode(line)) for line in lines if line.strip() and line[0] != "#"]
        except FileNotFoundError:
            self.keys = []
        except (OSError, ValueError):
            raise SetupError(f"{self.path} cannot be read as keys: {self.purpose} its first line") from None

    def make(self) -> None:
        """Create the file with a key. If another process was first, use its key."""
        with suppress(FileExistsError):
            self._write([_new_key()], replace=False)
        self.read()

    def add(self) -> None:
        """Write a new key as the first line of the file. Run in only one process at a time."""
        self.read()
        self._write([_new_key(), *self.keys], replace=True)

    def drop_old(self) -> None:
        """Remove all keys except the newest from the file. Run in only one process at a time."""
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
    """Give the draft the owner of the file it replaces: root may write a file that the service must read."""
    with suppress(FileNotFoundError, PermissionError):
        former = path.stat()
        os.chown(draft, former.st_uid, former.st_gid)
