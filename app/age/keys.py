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
    """An error in the age format: an invalid key, an invalid file, or a key that does not decrypt the file."""


class NotOpened(AgeError):
    """None of the given identities decrypts the file."""


class NotThatFile(AgeError):
    """The data is not an age file or was altered, or the file key belongs to another file."""


class NotAKey(AgeError):
    """The text is not a valid recipient or identity."""


def fingerprint_of(recipient: str) -> str:
    """Return the fingerprint of a key: the first 16 hexadecimal digits of the SHA-256 of `recipient`."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True)
class Sealer:
    """An encryptor that seals (encrypts) texts to a fixed set of recipients."""

    recipients: tuple[x25519.Recipient, ...]
    fingerprints: tuple[str, ...]

    @classmethod
    def to(cls, *recipients: str) -> Self:
        """Return a sealer for `recipients` (age1...). Raise `NotAKey` if a recipient is invalid."""
        return cls(tuple(map(parse_recipient, recipients)), tuple(map(fingerprint_of, recipients)))

    def seal(self, plaintext: bytes) -> bytes:
        """Return `plaintext` as an age file. The identity of any one recipient decrypts the file."""
        return seal_to(plaintext, *self.recipients)


def seal_to(plaintext: bytes, *recipients: x25519.Recipient) -> bytes:
    """Return `plaintext` as an age file. The identity of any one of `recipients` decrypts the file."""
    sealed: bytes = pyrage.encrypt(plaintext, list(recipients))
    return sealed


def parse_recipient(text: str) -> x25519.Recipient:
    """Return `text` (age1...) as a recipient. Raise `NotAKey` if `text` is not a valid recipient."""
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise NotAKey from None


def recipient_of(public_key: bytes) -> str:
    """Return the X25519 public key `public_key` as a recipient (age1...)."""
    return encode_bech32("age", public_key)


def identity_of(secret_key: bytes) -> x25519.Identity:
    """Return the X25519 private key `secret_key` as an identity."""
    return x25519.Identity.from_str(encode_bech32("age-secret-key-", secret_key).upper())


def parse_identities(text: str) -> tuple[x25519.Identity, ...]:
    """Return the identity in each line of `text` that begins with `AGE-SECRET-KEY-`. Ignore other lines.

    Raise `NotAKey` if such a line is not a valid identity.
    """
    lines = [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        return tuple(map(x25519.Identity.from_str, lines))
    except pyrage.IdentityError:
        raise NotAKey from None


def decrypt(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    """Return the plaintext of the age file `sealed`.

    Raise `NotOpened` if none of `identities` decrypts the file, or if `sealed` is not an age file.
    """
    try:
        opened: bytes = pyrage.decrypt(sealed, list(identities))
    except pyrage.DecryptError:
        raise NotOpened from None
    return opened
