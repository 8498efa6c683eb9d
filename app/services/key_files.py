"""Key files, readable only by their owner."""

import base64
import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from app.db.private_files import make_private_folder
from app.errors import SetupError

KEY_BYTES = 32
Result = TypeVar("Result")


def write_key_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a key file completely or not at all, so that processes that start together use one key.

    A replaced file keeps its owner, if possible. Raise `FileExistsError` unless `replace`, or another `OSError`.
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
    """A key of a file. `id` is the first 8 hex digits of the SHA-256 of `value`."""

    id: str
    value: bytes


class KeyFile:
    """The keys in one file, one a line. The first is for new data; the others still work for old data.

    `is_configured`: a setting names the file, which nodes may share, so only an operator's command creates it (`add`).
    Raise `SetupError` if the file cannot be read or a line is not a key. A change also raises `OSError`.
    """

    purpose: ClassVar[str]
    """Begins a sentence such as "concerns are encrypted with": the comment in the file ends it, and the error."""
    command: ClassVar[str]

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        self.path = path
        self.is_configured = is_configured
        self.keys: list[FileKey] = []

    def load(self) -> None:
        """Read the keys. Raise `SetupError` if the file has none, or is configured and absent."""
        self.read()
        if not self.keys and (self.is_configured or self.path.exists()):
            raise SetupError(f"{self.path} has no key ({self.command} makes one)")

    def read(self) -> None:
        """Read the keys. An absent file has none."""
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
            self.keys = [_key_of(base64.urlsafe_b64decode(line)) for line in lines if line.strip() and line[0] != "#"]
        except FileNotFoundError:
            self.keys = []
        except (OSError, ValueError):
            raise SetupError(f"{self.path} cannot be read as keys: {self.purpose} its first line") from None

    def look_twice(self, look: Callable[[], Result]) -> Result:
        """Read the file again if `look` finds nothing: another process may have added a key."""
        if found := look():
            return found
        self.read()
        return look()

    def make(self) -> None:
        """Create the file. If another process was faster, read its keys."""
        with suppress(FileExistsError):
            self._write([_new_key()], replace=False)
        self.read()

    def add(self) -> None:
        """Add a key before the existing ones. The caller keeps other processes from changing the file."""
        self.read()
        self._write([_new_key(), *self.keys], replace=True)

    def drop_old(self) -> None:
        """Keep only the newest key. The caller keeps other processes from changing the file."""
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
    """The service must be able to read a file that root has replaced."""
    with suppress(FileNotFoundError, PermissionError):
        former = path.stat()
        os.chown(draft, former.st_uid, former.st_gid)
