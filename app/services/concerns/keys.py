"""Key files for concerns: identities for decryption, and the key that signs receipts."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyrage import x25519

from app.errors import SetupError
from app.services.concerns.sealing import read_identities
from app.services.key_files import write_key_file

DEVELOPMENT_IDENTITY = "development-identity.txt"
RECEIPT_KEY = "receipt-key.pem"
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def create_identity(path: Path, *, at: dt.datetime) -> str:
    """Write a new age identity, and return its recipient. Raise `FileExistsError`."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_key_file(path, f"# created: {at.isoformat()}\n# public key: {recipient}\n{identity}\n".encode())
    return recipient


def load_development_recipient(data_dir: Path, *, at: dt.datetime) -> str:
    """Return the recipient of the first identity in the file, which is created if it is absent. Raise `SetupError`."""
    path = data_dir / DEVELOPMENT_IDENTITY
    if not path.exists():  # if the file exists, nothing is written, because the disk may be full
        with suppress(FileExistsError):
            return create_identity(path, at=at)
    return str(read_identities(path).identities[0].to_public())


def load_receipt_key(configured: Path | None, data_dir: Path) -> Ed25519PrivateKey:
    """Read the key from `configured`, or from a file in `data_dir`, which is created if it is absent.

    Raise `SetupError`.
    """
    path = configured or data_dir / RECEIPT_KEY
    if configured is None and not path.exists():
        with suppress(FileExistsError):
            write_key_file(path, Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):  # TypeError if the key is behind a password
        raise SetupError(f"GUIDANCE_RECEIPT_KEY_FILE: {path} cannot be read as a PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"GUIDANCE_RECEIPT_KEY_FILE: {path} is not an Ed25519 private key")
    return key


def load_retired_keys(paths: Sequence[Path]) -> list[Ed25519PublicKey]:
    """Read the retired keys, each from a file with the private or the public key. Raise `SetupError`."""
    keys = []
    for path in paths:
        try:
            content = path.read_bytes()
            if b"PRIVATE KEY" in content:
                key = serialization.load_pem_private_key(content, password=None).public_key()
            else:
                key = serialization.load_pem_public_key(content)
        except (OSError, ValueError, TypeError):  # TypeError if the key is behind a password
            raise SetupError(f"GUIDANCE_RETIRED_RECEIPT_KEYS: {path} cannot be read as a PEM key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise SetupError(f"GUIDANCE_RETIRED_RECEIPT_KEYS: {path} is not an Ed25519 key")
        keys.append(key)
    return keys
