"""Sealing a concern to the duty team's public keys, in the age format (age-encryption.org/v1).

The holder of the identity of any recipient can open it with this service or with the plain `age` program. This service
needs no identity to receive concerns.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import pyrage
from pyrage import x25519

from app.errors import SetupError
from app.models.base import format_utc
from app.models.concerns.addition import Addition
from app.models.concerns.concern import FORM_VERSION
from app.store.editions import EditionKey

AGE_MEDIA_TYPE = "application/age"
FINGERPRINT_LENGTH = 16


def fingerprint_of(recipient: str) -> str:
    """Return a name for the key: the first 16 hexadecimal digits of the SHA-256 of the recipient's text."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:FINGERPRINT_LENGTH]


@dataclass(frozen=True)
class Sealer:
    """Seals to every configured recipient at once."""

    recipients: tuple[x25519.Recipient, ...]
    fingerprints: tuple[str, ...]

    def seal(self, plaintext: bytes) -> bytes:
        """Return the sealed file, which the identity of any recipient opens."""
        sealed: bytes = pyrage.encrypt(plaintext, list(self.recipients))
        return sealed


def make_sealer(recipients: Sequence[str]) -> Sealer:
    """Return a sealer to those age recipients; raises `SetupError` if one is not a public key, or there is none."""
    if not recipients:
        raise SetupError("no recipient to seal concerns to")
    try:
        parsed = tuple(x25519.Recipient.from_str(recipient) for recipient in recipients)
    except pyrage.RecipientError:
        raise SetupError("GUIDANCE_SEAL_TO holds something that is not an age recipient (age1...)") from None
    return Sealer(parsed, tuple(fingerprint_of(recipient) for recipient in recipients))


def addition_plaintext(addition: Addition, reference: str, *, at: dt.datetime) -> bytes:
    """Return the text of an addition, as it is sealed."""
    document = {
        "reference": reference,
        "received_at": format_utc(at),
        "form_version": FORM_VERSION,
        "addition": addition.model_dump(mode="json", exclude_unset=True),
    }
    return orjson.dumps(document)


def concern_plaintext(submission: bytes, reference: str, pinned: EditionKey, *, test: bool, at: dt.datetime) -> bytes:
    """Return the text of a concern, as it is sealed: the submission (JSON), with reference, edition and time.

    These are inside, because the age format binds no outside data to a file: a sealed file that was moved to another
    row still says which concern it is, and whether it is a test.
    """
    document = ({"test": True} if test else {}) | {
        "reference": reference,
        "guide": pinned.guide,
        "edition": pinned.number,
        "received_at": format_utc(at),
        "form_version": FORM_VERSION,
        "submission": orjson.Fragment(submission),
    }
    return orjson.dumps(document)
