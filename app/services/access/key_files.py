"""Key files, readable by their owner alone: identities that open concerns, and the key that signs receipts."""

import datetime as dt
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pyrage import x25519

from app.errors import SetupError

DEVELOPMENT_IDENTITY = "development-identity.txt"
RECEIPT_KEY = "receipt-key.pem"


def new_identity(path: Path, *, at: dt.datetime) -> str:
    """Write a new age identity to a file that must not exist yet, and give its recipient (the public key)."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    _write_new(path, f"# created: {at.isoformat()}\n# public key: {recipient}\n{identity}\n".encode())
    return recipient


def recipient_of(path: Path) -> str:
    """The recipient of the identity in that file (as `guidance keys new` or `age-keygen` wrote it)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("AGE-SECRET-KEY-"):
            return str(x25519.Identity.from_str(line.strip()).to_public())
    raise SetupError(f"{path} holds no age identity")


def development_recipient(data_dir: Path, *, at: dt.datetime) -> str:
    """The recipient of the development identity in the data folder, which is made if it is absent."""
    path = data_dir / DEVELOPMENT_IDENTITY
    try:
        return new_identity(path, at=at)
    except FileExistsError:
        return recipient_of(path)


def receipt_key(configured: Path | None, data_dir: Path) -> Ed25519PrivateKey:
    """The key that signs receipts: the configured one, else one in the data folder, made if it is absent."""
    path = configured or data_dir / RECEIPT_KEY
    if configured is None:
        made = Ed25519PrivateKey.generate()
        try:
            _write_new(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        except FileExistsError:
            pass
        else:
            return made
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError):
        raise SetupError(f"{path} cannot be read as a PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path} is not an Ed25519 private key")
    return key


def retired_keys(paths: Sequence[Path]) -> list[Ed25519PublicKey]:
    """The public parts of keys that signed receipts before, from files with either part (PEM)."""
    found = []
    for path in paths:
        try:
            content = path.read_bytes()
            is_private = b"PRIVATE KEY" in content
            key = (
                load_pem_private_key(content, password=None).public_key()
                if is_private
                else load_pem_public_key(content)
            )
        except (OSError, ValueError):
            raise SetupError(f"{path} cannot be read as a PEM key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise SetupError(f"{path} is not an Ed25519 key")
        found.append(key)
    return found


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read; raises `FileExistsError` and leaves one that is there as it is.

    It appears under its name whole or not at all, so that two processes that start together agree on one key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        os.unlink(draft)
