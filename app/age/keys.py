"""Keys of the age format: recipients that encrypt, and identities that decrypt."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import pyrage
from pyrage import x25519

from app.age.bech32 import encode_bech32

AGE_MEDIA_TYPE = "application/age"
FINGERPRINT_LENGTH = 16


class AgeError(Exception):
    """An invalid key or file, or a key that does not decrypt the file."""


class NotOpened(AgeError):
    """None of the given identities decrypts the file."""


class NotThatFile(AgeError):
    """The data is no age file or was altered, or the file key belongs to another file."""


class NotAKey(AgeError):
    """The text is not a valid recipient or identity."""


def fingerprint_of(recipient: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True)
class Sealer:
    """Encrypts to a fixed set of recipients."""

    recipients: tuple[x25519.Recipient, ...]
    fingerprints: tuple[str, ...]

    @classmethod
    def to(cls, *recipients: str) -> Self:
        """Raise `NotAKey` if a recipient (age1...) is invalid."""
        return cls(tuple(map(parse_recipient, recipients)), tuple(map(fingerprint_of, recipients)))

    def seal(self, plaintext: bytes) -> bytes:
        return seal_to(plaintext, *self.recipients)


def seal_to(plaintext: bytes, *recipients: x25519.Recipient) -> bytes:
    """The identity of any one recipient decrypts the file."""
    sealed: bytes = pyrage.encrypt(plaintext, list(recipients))
    return sealed


def parse_recipient(text: str) -> x25519.Recipient:
    """Raise `NotAKey` if `text` (age1...) is invalid."""
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise NotAKey from None


def recipient_of(public_key: bytes) -> str:
    return encode_bech32("age", public_key)


def identity_of(secret_key: bytes) -> x25519.Identity:
    return x25519.Identity.from_str(encode_bech32("age-secret-key-", secret_key).upper())


def parse_identities(text: str) -> tuple[x25519.Identity, ...]:
    """Read each line that begins with `AGE-SECRET-KEY-`. Raise `NotAKey` if one is invalid."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        return tuple(map(x25519.Identity.from_str, lines))
    except pyrage.IdentityError:
        raise NotAKey from None


def decrypt(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    """Raise `NotOpened` if none of `identities` decrypts `sealed`, or if it is no age file."""
    try:
        opened: bytes = pyrage.decrypt(sealed, list(identities))
    except pyrage.DecryptError:
        raise NotOpened from None
    return opened
