"""Receipts that are stored for retries. Only the idempotency key that the client sends can decrypt them."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.errors import AlreadyStored, IdempotencyKeyReused
from app.models.concerns.rows import StoredReceiptRow

NONCE_LENGTH = 12
_NEW_STORED_RECEIPT = fixed_insert(table_of(StoredReceiptRow))


@dataclass(frozen=True)
class IdempotencyKeys:
    """Three keys derived from the idempotency key of a request.

    `key_sha256` finds the stored receipt, `_encryption` encrypts the receipt, and `_payload` authenticates the
    request's content.
    """

    key_sha256: bytes
    _encryption: bytes
    _payload: bytes

    def mac(self, payload: bytes) -> bytes:
        """Return the authentication code of `payload`, the content of a request.

        A retry with the same content has the same code. Other content has another code.
        """
        return hmac.digest(self._payload, payload, "sha256")

    def encrypt(self, receipt: bytes) -> bytes:
        """Return `receipt`, encrypted for storing."""
        nonce = secrets.token_bytes(NONCE_LENGTH)
        return nonce + AESGCM(self._encryption).encrypt(nonce, receipt, self.key_sha256)

    def decrypt(self, stored: bytes) -> bytes:
        """Return the receipt `stored`, decrypted.

        Raise `IdempotencyKeyReused` if `stored` was encrypted with another key.
        """
        try:
            return AESGCM(self._encryption).decrypt(stored[:NONCE_LENGTH], stored[NONCE_LENGTH:], self.key_sha256)
        except InvalidTag:
            raise IdempotencyKeyReused from None


def derive_idempotency_keys(idempotency_key: str | None, *, client: str) -> IdempotencyKeys | None:
    """Return the keys derived from `idempotency_key` and `client`, or None if `idempotency_key` is None.

    `client` is a text that names the client, the operation, or both. Another `client` gives other keys, so two clients
    may send the same idempotency key without conflict.
    """
    if idempotency_key is None:
        return None
    secret = f"{client}\n{idempotency_key}".encode()
    derived = HKDF(SHA256(), length=64, salt=None, info=b"kept receipt").derive(secret)
    return IdempotencyKeys(hashlib.sha256(b"idempotency key\n" + secret).digest(), derived[:32], derived[32:])


@dataclass(frozen=True)
class IdempotentResult:
    """The result of a request: the concern's reference, and the receipt as JSON.

    `is_replay` is True if an earlier, identical request stored the receipt.
    """

    reference: str
    receipt: bytes
    is_replay: bool
    is_late: bool = False
    """True if very many requests come from the same source.

    The content is stored, but the response is delayed a little.
    """


@dataclass(frozen=True)
class Retryable:
    """A request that its client may send again.

    `payload` is the request's content as canonical JSON. `keys` are derived from the idempotency key, or None without
    one. `refresh` takes the receipt that an earlier request stored, and returns the receipt to send for the retry. By
    default, `refresh` returns the same receipt.
    """

    payload: bytes
    keys: IdempotencyKeys | None
    refresh: Callable[[bytes], bytes] = bytes

    def encrypt(self, reference: str, receipt: bytes) -> StoredReceiptRow | None:
        """Return the row that stores `receipt` encrypted, or None if the request has no idempotency key.

        `reference` is the concern that the request is about.
        """
        if self.keys is None:
            return None
        return StoredReceiptRow(
            key_sha256=self.keys.key_sha256,
            payload_mac=self.keys.mac(self.payload),
            reference=reference,
            sealed_receipt=self.keys.encrypt(receipt),
        )

    def store(self, session: Session, reference: str, receipt: bytes) -> StoredReceiptRow | None:
        """Store `receipt` for retries, encrypted, and return its row.

        `reference` is the concern that the request is about. Without an idempotency key, store nothing and return None.
        Raise `AlreadyStored` if the idempotency key was used before, for this content or for other content.
        """
        row = self.encrypt(reference, receipt)
        insert_stored_receipts(session.connection(), [row])
        return row

    def replay(self, engine: Engine) -> IdempotentResult:
        """Return the receipt that an earlier request with the same idempotency key stored, changed by `refresh`.

        Raise `IdempotencyKeyReused` if the earlier request had other content, if there is no stored receipt, or if this
        request has no idempotency key.
        """
        if self.keys is None:
            raise IdempotencyKeyReused
        with Session(engine) as session:
            stored = session.get(StoredReceiptRow, self.keys.key_sha256)
        if stored is None or not hmac.compare_digest(stored.payload_mac, self.keys.mac(self.payload)):
            raise IdempotencyKeyReused
        receipt = self.refresh(self.keys.decrypt(stored.sealed_receipt))
        return IdempotentResult(stored.reference, receipt, is_replay=True)


def insert_stored_receipts(connection: Connection, receipts: Sequence[StoredReceiptRow | None]) -> None:
    """Insert the rows in `receipts` that are not None. Raise `AlreadyStored` if an idempotency key was used before."""
    rows = [receipt.model_dump() for receipt in receipts if receipt is not None]
    if not rows:
        return
    try:
        _NEW_STORED_RECEIPT.run(connection, *rows)
    except IntegrityError:
        raise AlreadyStored from None
