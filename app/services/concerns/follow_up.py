"""Requests of a reporter after submitting, with reference and status token: read the status, add more."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import AlreadyStored, ConcernErased, InvalidConcern, NoSuchConcern
from app.models.concerns.addition import Addition
from app.models.concerns.receipts import ConcernStatus
from app.models.concerns.references import find_reference
from app.models.concerns.tables import ConcernRow
from app.models.digest import canonical_submission
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.services.concerns.edition_resolver import unknown_ids
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, encrypt_for_replay, replay_receipt
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.seal_records import record_addition
from app.services.concerns.sealing import Sealer, addition_plaintext
from app.services.events.payloads import concern_payload
from app.store.concerns import get_concern, insert_addition, insert_stored_receipts
from app.store.contents import Contents
from app.store.editions import EditionKey
from app.store.events import append_event
from app.store.writer import WriteOp, Writer

MORE_URGENT = ("no", "not_sure", "yes")


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
        row = self._find(typed_reference, status_token)
        return self.receipts.build_status(row, self._content_of(row).contacts, at=at)

    def add(
        self,
        addition: Addition,
        *,
        typed_reference: str,
        status_token: str,
        derive_keys: Callable[[str], IdempotencyKeys | None],
        at: dt.datetime,
    ) -> IdempotentResult:
        """Store the addition, sealed, and return its receipt after it is on the disk. It never lowers the urgency.

        `derive_keys` gets the reference. Raises `NoSuchConcern`, `ConcernErased`, `InvalidConcern` with every fault,
        or `StoreBusy`.
        """
        row = self._find(typed_reference, status_token)
        if row.erased_at is not None:
            raise ConcernErased
        content = self._content_of(row)
        faults = self.receipts.reference_data.faults_in_codes(addition) + unknown_ids(addition.concern, content)
        if faults:
            raise InvalidConcern(faults)
        receipt = self.receipts.build_addition_receipt(row, content.contacts, at=at).model_dump_json().encode()
        keys = derive_keys(row.reference)
        try:
            self.writer.run(self._write_operation(addition, row.reference, keys, receipt, at))
        except AlreadyStored:
            return replay_receipt(self.engine, keys, canonical_submission(addition))
        return IdempotentResult(row.reference, receipt, is_replay=False)

    def _write_operation(
        self, addition: Addition, reference: str, keys: IdempotencyKeys | None, receipt: bytes, at: dt.datetime
    ) -> WriteOp[None]:
        sealed = self.sealer.seal(addition_plaintext(addition, reference, at=at))
        stored_receipt = encrypt_for_replay(keys, canonical_submission(addition), reference, receipt)

        def write(session: Session) -> None:
            concern = get_concern(session, reference)  # read again: the desk may have changed it
            if concern.erased_at is not None:
                raise ConcernErased
            danger = max(concern.immediate_danger, addition.immediate_danger or "no", key=MORE_URGENT.index)
            added = insert_addition(session, reference, at=at, recipients=self.sealer.fingerprints, sealed=sealed)
            record_addition(session, concern, added, immediate_danger=danger)
            concern.added_at, concern.immediate_danger = at, danger
            append_event(session, EventKind.CONCERN_ADDED, at=at, data=concern_payload(concern))
            if stored_receipt is not None:
                insert_stored_receipts(session, [stored_receipt])

        return write

    def _find(self, typed_reference: str, status_token: str) -> ConcernRow:
        with Session(self.engine) as session:
            row = session.get(ConcernRow, find_reference(typed_reference) or "")
        expected = row.status_token_sha256 if row else bytes(hashlib.sha256().digest_size)
        given = hashlib.sha256(status_token.encode()).digest()
        if not hmac.compare_digest(given, expected) or row is None:
            raise NoSuchConcern
        return row

    def _content_of(self, row: ConcernRow) -> EditionContent:
        return self.contents(EditionKey(row.guide, row.edition))
