"""The key of a status token: a message that is sealed to its public half is opened with the token alone.

HKDF (RFC 5869) derives an X25519 key from the token, with the reference as its salt. The public half is stored with
the concern. The token and the private half are not, so nothing that is stored opens a message.
"""

import datetime as dt
import json

import orjson
import pyrage
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from app.models.base import format_utc
from app.models.concerns.status_tokens import standard_token
from app.services.concerns.bech32 import encode_bech32

INFO = b"guidance: key of messages to a reporter, version 1"
MESSAGE_KEY_BYTES = 32


def derive_public_key(status_token: str, reference: str) -> bytes:
    """Return the public half of the token's key, for storing with the concern."""
    key = X25519PrivateKey.from_private_bytes(_derive(status_token, reference))
    return key.public_key().public_bytes_raw()


def recipient_of(public_key: bytes) -> str:
    """Return the public half as an age recipient."""
    return encode_bech32("age", public_key)


def identity_of(status_token: str, reference: str) -> x25519.Identity:
    """Return the token's key as an age identity."""
    return x25519.Identity.from_str(encode_bech32("age-secret-key-", _derive(status_token, reference)).upper())


def seal_message(text: str, reference: str, recipient: str, *, at: dt.datetime) -> bytes:
    """Return the age file of the message, with its reference and time inside. Only the token opens it."""
    document = {"reference": reference, "sent_at": format_utc(at), "message": text}
    sealed: bytes = pyrage.encrypt(orjson.dumps(document), [x25519.Recipient.from_str(recipient)])
    return sealed


def find_message(sealed: bytes | None, identity: x25519.Identity, reference: str) -> str | None:
    """Return the words of the message; None if they were erased, or the file is not one for that reporter."""
    try:
        document = json.loads(pyrage.decrypt(sealed or b"", [identity]))
        return str(document["message"]) if document["reference"] == reference else None
    except (pyrage.DecryptError, ValueError, KeyError, TypeError):
        return None


def _derive(status_token: str, reference: str) -> bytes:
    derivation = HKDF(SHA256(), length=MESSAGE_KEY_BYTES, salt=reference.encode(), info=INFO)
    return derivation.derive(standard_token(status_token).encode())
