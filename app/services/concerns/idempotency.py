"""Receipts kept for retries, so that only the holder of the idempotency key can read one again.

The key itself is not kept. From it come, by HKDF (RFC 5869), a key that encrypts the receipt (AES-256-GCM) and a key
for a code over the payload (HMAC-SHA-256). So the database alone gives away neither the status token nor a way of
testing guesses at what was written.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import IdempotencyKeyReused
from app.models.concerns.tables import KeptReceiptRow
from app.store.concerns import find_kept_receipt

NONCE_LENGTH = 12


@dataclass(frozen=True)
class IdempotencyKeys:
    """The keys derived from one client's idempotency key: for finding, for encrypting and for comparing."""

    key_sha256: bytes
    _encryption: bytes
    _payload: bytes

    def mac(self, payload: bytes) -> bytes:
        """Return a code over the payload, by which a true retry differs from other words under the same key."""
        return hmac.digest(self._payload, payload, "sha256")

    def encrypt(self, receipt: bytes) -> bytes:
        """Encrypt the receipt for storage."""
        nonce = secrets.token_bytes(NONCE_LENGTH)
        return nonce + AESGCM(self._encryption).encrypt(nonce, receipt, self.key_sha256)

    def decrypt(self, kept: bytes) -> bytes:
        """Decrypt the receipt; raises `IdempotencyKeyReused` where it was stored under another key."""
        try:
            return AESGCM(self._encryption).decrypt(kept[:NONCE_LENGTH], kept[NONCE_LENGTH:], self.key_sha256)
        except InvalidTag:
            raise IdempotencyKeyReused from None


def derive_idempotency_keys(idempotency_key: str, *, client: str) -> IdempotencyKeys:
    """Derive the keys from the key that the client sent: two clients may use the same one without meeting."""
    secret = f"{client}\n{idempotency_key}".encode()
    derived = HKDF(SHA256(), length=64, salt=None, info=b"kept receipt").derive(secret)
    return IdempotencyKeys(hashlib.sha256(b"idempotency key\n" + secret).digest(), derived[:32], derived[32:])


@dataclass(frozen=True)
class IdempotentResult:
    """The receipt as finished JSON, and whether it is that of an earlier, identical request."""

    reference: str
    receipt: bytes
    is_replay: bool


def encrypt_for_replay(
    keys: IdempotencyKeys | None, submission: bytes, reference: str, receipt: bytes
) -> KeptReceiptRow | None:
    """Return the row that stores the receipt; None where the request had no idempotency key."""
    if keys is None:
        return None
    return KeptReceiptRow(
        key_sha256=keys.key_sha256,
        payload_mac=keys.mac(submission),
        reference=reference,
        sealed_receipt=keys.encrypt(receipt),
    )


def replay(engine: Engine, keys: IdempotencyKeys | None, submission: bytes) -> IdempotentResult:
    """Return the first receipt, whole. Raises `IdempotencyKeyReused` where the key was used for another submission."""
    if keys is None:
        raise IdempotencyKeyReused
    with Session(engine) as session:
        kept = find_kept_receipt(session, key_sha256=keys.key_sha256)
    if kept is None or not hmac.compare_digest(kept.payload_mac, keys.mac(submission)):
        raise IdempotencyKeyReused
    return IdempotentResult(kept.reference, keys.decrypt(kept.sealed_receipt), is_replay=True)
