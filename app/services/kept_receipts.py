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

from app.errors import KeyUsedForOtherWords

NONCE_LENGTH = 12


@dataclass(frozen=True)
class RetryKey:
    """An idempotency key of one client, seen as what it is good for."""

    key_sha256: bytes
    _encryption: bytes
    _payload: bytes

    def mac(self, payload: bytes) -> bytes:
        """A code over the payload that tells a true retry from other words under the same key."""
        return hmac.digest(self._payload, payload, "sha256")

    def encrypt(self, receipt: bytes) -> bytes:
        """The receipt, for keeping."""
        nonce = secrets.token_bytes(NONCE_LENGTH)
        return nonce + AESGCM(self._encryption).encrypt(nonce, receipt, self.key_sha256)

    def decrypt(self, kept: bytes) -> bytes:
        """The receipt again; raises `KeyUsedForOtherWords` where it was kept under another key."""
        try:
            return AESGCM(self._encryption).decrypt(kept[:NONCE_LENGTH], kept[NONCE_LENGTH:], self.key_sha256)
        except InvalidTag:
            raise KeyUsedForOtherWords from None


def retry_key(idempotency_key: str, *, client: str) -> RetryKey:
    """The key as that client sent it: two clients may use the same key without meeting."""
    secret = f"{client}\n{idempotency_key}".encode()
    derived = HKDF(SHA256(), length=64, salt=None, info=b"kept receipt").derive(secret)
    return RetryKey(hashlib.sha256(b"idempotency key\n" + secret).digest(), derived[:32], derived[32:])
