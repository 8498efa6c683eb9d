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
    """An error in the age format: an invalid key, an invalid file, or keys that do not decrypt the file."""


class NotOpened(AgeError):
    """No identity decrypts the file."""


class NotThatFile(AgeError):
    """The data is not an age file, or the file key belongs to another file."""


class NotAKey(AgeError):
    """The text is not a recipient, or not an identity."""


def fingerprint_of(recipient: str) -> str:
    """Return a name for the key: the first 16 hexadecimal digits of the SHA-256 of the recipient's text."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True)
class Sealer:
    """An encryptor to a fixed set of recipients."""

    recipients: tuple[x25519.Recipient, ...]
    fingerprints: tuple[str, ...]

    @classmethod
    def to(cls, *recipients: str) -> Self:
        """Return a sealer for the recipients. Raises `NotAKey` if one is invalid."""
        return cls(tuple(map(parse_recipient, recipients)), tuple(map(fingerprint_of, recipients)))

    def seal(self, plaintext: bytes) -> bytes:
        """Return the sealed file. The identity of any recipient decrypts it."""
        return seal_to(plaintext, *self.recipients)


def seal_to(plaintext: bytes, *recipients: x25519.Recipient) -> bytes:
    """Return the plaintext as an age file. The identity of any recipient decrypts it."""
    sealed: bytes = pyrage.encrypt(plaintext, list(recipients))
    return sealed


def parse_recipient(text: str) -> x25519.Recipient:
    """Return the recipient (age1...). Raises `NotAKey` if the text is not one."""
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise NotAKey from None


def recipient_of(public_key: bytes) -> str:
    """Return the public half of an X25519 key as a recipient."""
    return encode_bech32("age", public_key)


def identity_of(secret_key: bytes) -> x25519.Identity:
    """Return the secret half of an X25519 key as an identity."""
    return x25519.Identity.from_str(encode_bech32("age-secret-key-", secret_key).upper())


def parse_identities(text: str) -> tuple[x25519.Identity, ...]:
    """Return the identities in the lines of the text. Raises `NotAKey` if one of them is damaged."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        return tuple(map(x25519.Identity.from_str, lines))
    except pyrage.IdentityError:
        raise NotAKey from None


def decrypt(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    """Return the plaintext. Raises `NotOpened` if no identity decrypts the file."""
    try:
        opened: bytes = pyrage.decrypt(sealed, list(identities))
    except pyrage.DecryptError:
        raise NotOpened from None
    return opened
