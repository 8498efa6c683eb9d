"""Requests of a reporter after submitting, with reference and status token: read the status, add more."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import Sealer
from app.errors import (
    AlreadyStored,
    ConcernErased,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    TooManyAdditions,
)
from app.faults import FieldError
from app.models.concerns.addition import Addition
from app.models.concerns.receipts import ConcernStatus
from app.models.concerns.references import find_reference
from app.models.concerns.status_tokens import standard_token
from app.models.concerns.tables import MORE_URGENT, ConcernRow, StoredReceiptRow
from app.models.digest import canonical_submission
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.services.concerns.answers import record_answers
from app.services.concerns.edition_resolver import detail_in, unknown_ids
from app.services.concerns.idempotency import (
    IdempotencyKeys,
    IdempotentResult,
    derive_idempotency_keys,
    encrypt_for_replay,
    replay_receipt,
)
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.seal_records import record_addition
from app.services.concerns.sealing import addition_plaintext
from app.services.events.payloads import addition_payload
from app.store.added_texts import ADDITIONS
from app.store.additions import NewAddition, insert_addition
from app.store.concerns import find_concern, get_unerased, insert_stored_receipt
from app.store.contents import Contents
from app.store.editions import EditionKey
from app.store.events import append_event
from app.store.messages import list_messages
from app.store.writer import Writer, write_operation

MAX_ADDITIONS = 200
MAX_ADDED_BYTES = 20_000_000


@dataclass(frozen=True)
class FollowUps:
    """Reads the status of a concern, and stores additions to it, sealed like the concern itself."""

    engine: Engine
    writer: Writer
    contents: Contents
    sealer: Sealer
    receipts: ReceiptBuilder

    def read_status(self, *, typed_reference: str, status_token: str, at: dt.datetime) -> ConcernStatus:
        """Return the concern's status. Raises `NoSuchConcern` for a wrong reference and a wrong token alike."""
        row = self.find(typed_reference, status_token)
        with Session(self.engine) as session:
            additions, messages = ADDITIONS.list(session, row.reference), list_messages(session, row.reference)
        return self.receipts.build_status(row, additions, messages, self._content_of(row).contacts, at=at)

    def add(
        self,
        addition: Addition,
        *,
        typed_reference: str,
        status_token: str,
        idempotency_key: str | None,
        at: dt.datetime,
    ) -> IdempotentResult:
        """Store the addition, sealed, and return its receipt after it is on the disk. It never lowers the urgency.

        Raises `NoSuchConcern`, `ConcernErased`, `InvalidConcern` with every fault, `TooManyAdditions`, or `StoreBusy`.
        """
        row = self.find(typed_reference, status_token)
        keys = derive_idempotency_keys(idempotency_key, client=f"addition to {row.reference}")
        if row.erased_at is not None:
            return self._replay_after_erasure(addition, keys)
        content = self._content_of(row)
        faults = self.receipts.reference_data.faults_in_codes(addition) + unknown_ids(addition.concern, content)
        if faults:
            raise InvalidConcern(faults)
        response = self.receipts.build_addition_receipt(row, content.contacts, at=at)
        receipt = response.model_dump_json().encode()
        added = NewAddition(
            reference=row.reference,
            received_at=at,
            acknowledge_by=response.acknowledge_by,
            immediate_danger=addition.immediate_danger,
            recipients=self.sealer.fingerprints,
            sealed=self.sealer.seal(addition_plaintext(addition, row.reference, at=at)),
        )
        stored_receipt = encrypt_for_replay(keys, canonical_submission(addition), row.reference, receipt)
        try:
            _add(self.writer, added.reference, added, stored_receipt)
        except AlreadyStored:
            return replay_receipt(self.engine, keys, canonical_submission(addition))
        return IdempotentResult(row.reference, receipt, is_replay=False)

    def unknown_ids_in(self, body: Mapping[str, Any], *, typed_reference: str, status_token: str) -> list[FieldError]:
        """Return the same faults in ids, for a body that was meant as an addition. Raises `NoSuchConcern`."""
        row = self.find(typed_reference, status_token)
        return [] if row.erased_at is not None else unknown_ids(detail_in(body), self._content_of(row))

    def find(self, typed_reference: str, status_token: str) -> ConcernRow:
        """Return the concern's row. Raises `NoSuchConcern` for a wrong reference and a wrong token alike."""
        with Session(self.engine) as session:
            row = find_concern(session, find_reference(typed_reference) or "")
        expected = row.status_token_sha256 if row else bytes(hashlib.sha256().digest_size)
        given = hashlib.sha256(standard_token(status_token).encode()).digest()
        if not hmac.compare_digest(given, expected) or row is None:
            raise NoSuchConcern
        return row

    def _replay_after_erasure(self, addition: Addition, keys: IdempotencyKeys | None) -> IdempotentResult:
        """Return the receipt of what was added before the erasure. Anything else can no longer be added."""
        try:
            return replay_receipt(self.engine, keys, canonical_submission(addition))
        except IdempotencyKeyReused:
            raise ConcernErased from None

    def _content_of(self, row: ConcernRow) -> EditionContent:
        return self.contents(EditionKey(row.guide, row.edition))


@write_operation
def _add(session: Session, reference: str, addition: NewAddition, stored_receipt: StoredReceiptRow | None) -> None:
    """Insert the addition under the next number, with its event. A retry is found before anything is refused."""
    insert_stored_receipt(session, stored_receipt)
    concern = get_unerased(session, reference)  # read again: the desk may have changed it
    count, size = ADDITIONS.measure(session, reference)
    if count >= MAX_ADDITIONS or size + len(addition.sealed) > MAX_ADDED_BYTES:
        raise TooManyAdditions
    danger = max(concern.immediate_danger, addition.immediate_danger or "no", key=MORE_URGENT.index)
    record_addition(session, concern, addition, number=count + 1, immediate_danger=danger)
    concern.added_at, concern.immediate_danger = addition.received_at, danger
    insert_addition(session, concern, addition, number=count + 1)
    record_answers(session, concern, addition=count + 1, at=addition.received_at)
    if not concern.test:
        payload = addition_payload(concern, number=count + 1, acknowledge_by=addition.acknowledge_by)
        append_event(session, EventKind.CONCERN_ADDED, at=addition.received_at, data=payload)
