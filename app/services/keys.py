"""Key files, readable only by their owner: identities that open concerns, the key that signs receipts, and others."""

import base64
import datetime as dt
import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyrage import x25519

from app.db.private_files import make_private_folder
from app.errors import SetupError
from app.services.sealing import read_identities

DEVELOPMENT_IDENTITY = "development-identity.txt"
RECEIPT_KEY = "receipt-key.pem"
KEY_BYTES = 32
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def create_identity(path: Path, *, at: dt.datetime) -> str:
    """Write a new age identity to a file that must not exist yet, and return its recipient (the public key)."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_key_file(path, f"# created: {at.isoformat()}\n# public key: {recipient}\n{identity}\n".encode())
    return recipient


def load_development_recipient(data_dir: Path, *, at: dt.datetime) -> str:
    """Return the recipient of the development identity in the data folder, which is made if it is absent."""
    path = data_dir / DEVELOPMENT_IDENTITY
    if not path.exists():  # a start with its keys writes nothing, since the disk may be full
        with suppress(FileExistsError):
            return create_identity(path, at=at)
    return str(read_identities(path).identities[0].to_public())


def load_receipt_key(configured: Path | None, data_dir: Path) -> Ed25519PrivateKey:
    """Return the key that signs receipts: the configured one, else one in the data folder, made if it is absent."""
    path = configured or data_dir / RECEIPT_KEY
    if configured is None and not path.exists():
        with suppress(FileExistsError):
            write_key_file(path, Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError):
        raise SetupError(f"GUIDANCE_RECEIPT_KEY_FILE: {path} cannot be read as a PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"GUIDANCE_RECEIPT_KEY_FILE: {path} is not an Ed25519 private key")
    return key


def load_retired_keys(paths: Sequence[Path]) -> list[Ed25519PublicKey]:
    """Return the public keys of earlier signing keys, from PEM files with the private or the public key."""
    keys = []
    for path in paths:
        try:
            content = path.read_bytes()
            if b"PRIVATE KEY" in content:
                key = serialization.load_pem_private_key(content, password=None).public_key()
            else:
                key = serialization.load_pem_public_key(content)
        except (OSError, ValueError):
            raise SetupError(f"GUIDANCE_RETIRED_RECEIPT_KEYS: {path} cannot be read as a PEM key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise SetupError(f"GUIDANCE_RETIRED_RECEIPT_KEYS: {path} is not an Ed25519 key")
        keys.append(key)
    return keys


def write_key_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that only its owner can read. If there is one, replace it, or else raise `FileExistsError`.

    The file appears under its name complete or not at all, so that two processes that start together use one key.
    """
    make_private_folder(path.parent)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
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
    """A key of a file, and its id."""

    id: str
    value: bytes


class KeyFile:
    """Keys of one file, one to a line: the first is used from now on, and what was made under the others still counts.

    A file that is configured, which nodes may share, is made by `add` alone.
    """

    purpose: ClassVar[str]
    """What the keys are for, as a line of the file says it."""
    command: ClassVar[str]
    """The command that adds a key."""

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        self.path = path
        self.is_configured = is_configured
        self.keys: list[FileKey] = []

    def load(self) -> None:
        """Read the file again. Raises `SetupError` if it has no keys, or is configured and absent."""
        self.read()
        if not self.keys and (self.is_configured or self.path.exists()):
            raise SetupError(f"{self.path} has no key ({self.command} makes one)")

    def read(self) -> None:
        """Read the file again, which may be absent. Raises `SetupError`."""
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
            self.keys = [_key_of(base64.urlsafe_b64decode(line)) for line in lines if line.strip() and line[0] != "#"]
        except FileNotFoundError:
            self.keys = []
        except (OSError, ValueError):
            raise SetupError(f"{self.path} cannot be read as keys: {self.purpose} its first line") from None

    def make(self) -> None:
        """Make the file with a key, unless another process was first: then that one's key is used."""
        with suppress(FileExistsError):
            self._write([_new_key()], replace=False)
        self.read()

    def add(self) -> None:
        """Write a new key in the first line of the file. One process at a time may do so."""
        self.read()
        self._write([_new_key(), *self.keys], replace=True)

    def drop_old(self) -> None:
        """Leave only the newest key in the file. One process at a time may do so."""
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
    """Give the draft the owner of the file that it replaces: the service reads it, and root may have written it."""
    with suppress(FileNotFoundError, PermissionError):
        former = path.stat()
        os.chown(draft, former.st_uid, former.st_gid)
