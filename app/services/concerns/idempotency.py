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
from app.db.writer import Writer
from app.errors import AlreadyStored, IdempotencyKeyReused
from app.models.concerns.rows import StoredReceiptRow

NONCE_LENGTH = 12
_NEW_STORED_RECEIPT = fixed_insert(table_of(StoredReceiptRow))


@dataclass(frozen=True)
class IdempotencyKeys:
    """Keys derived from an idempotency key, which find and encrypt the stored receipt, and authenticate the content."""

    key_sha256: bytes
    _encryption: bytes
    _payload: bytes

    def mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._payload, payload, "sha256")

    def encrypt(self, receipt: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_LENGTH)
        return nonce + AESGCM(self._encryption).encrypt(nonce, receipt, self.key_sha256)

    def decrypt(self, stored: bytes) -> bytes:
        """Return the stored receipt. Raise `IdempotencyKeyReused` for another key."""
        try:
            return AESGCM(self._encryption).decrypt(stored[:NONCE_LENGTH], stored[NONCE_LENGTH:], self.key_sha256)
        except InvalidTag:
            raise IdempotencyKeyReused from None


def derive_idempotency_keys(idempotency_key: str | None, *, client: str) -> IdempotencyKeys | None:
    """Return the keys. `client` names the client or operation, so that two may send the same key without conflict."""
    if idempotency_key is None:
        return None
    secret = f"{client}\n{idempotency_key}".encode()
    derived = HKDF(SHA256(), length=64, salt=None, info=b"kept receipt").derive(secret)
    return IdempotencyKeys(hashlib.sha256(b"idempotency key\n" + secret).digest(), derived[:32], derived[32:])


@dataclass(frozen=True)
class IdempotentResult:
    """A reference and a receipt (JSON). `is_replay` says that an earlier, identical request stored it."""

    reference: str
    receipt: bytes
    is_replay: bool
    is_late: bool = False
    """Very many come from the same source: the response is delayed a little."""


@dataclass(frozen=True)
class Retryable:
    """A request that may come again. `payload` is its canonical JSON; `refresh` changes a stored receipt."""

    payload: bytes
    keys: IdempotencyKeys | None
    refresh: Callable[[bytes], bytes] = bytes

    def encrypt(self, reference: str, receipt: bytes) -> StoredReceiptRow | None:
        if self.keys is None:
            return None
        return StoredReceiptRow(
            key_sha256=self.keys.key_sha256,
            payload_mac=self.keys.mac(self.payload),
            reference=reference,
            sealed_receipt=self.keys.encrypt(receipt),
        )

    def store(self, session: Session, reference: str, receipt: bytes) -> StoredReceiptRow | None:
        """Store the receipt if there is a key. Raise `AlreadyStored` if the key was used before."""
        row = self.encrypt(reference, receipt)
        insert_stored_receipts(session.connection(), [row])
        return row

    def store_once(self, writer: Writer, reference: str, write: Callable[[Session], bytes]) -> IdempotentResult:
        """Return what `write` stores, or what an earlier request stored."""
        try:
            stored = writer.run(write)
        except AlreadyStored:
            return self.replay(writer.engine)
        return IdempotentResult(reference, stored, is_replay=False)

    def replay(self, engine: Engine) -> IdempotentResult:
        """Return what an earlier request stored.

        Raise `IdempotencyKeyReused` if its content was another, or nothing is stored.
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
    rows = [receipt.model_dump() for receipt in receipts if receipt is not None]
    if not rows:
        return
    try:
        _NEW_STORED_RECEIPT.run(connection, *rows)
    except IntegrityError:
        raise AlreadyStored from None
