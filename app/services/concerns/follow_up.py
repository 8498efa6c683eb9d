"""Requests of a reporter after submitting, with reference and status token: read the status and messages, add more."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from app.age.keys import Sealer
from app.errors import AlreadyStored, ConcernErased, IdempotencyKeyReused, InvalidConcern, NoSuchConcern
from app.faults import FieldError
from app.models.concerns.addition import Addition
from app.models.concerns.receipts import ConcernStatus
from app.models.concerns.references import find_reference
from app.models.concerns.status_tokens import standard_token
from app.models.concerns.tables import MORE_URGENT, ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.recorded import read_detail
from app.models.digest import canonical_submission
from app.models.entries import EntryKind, EntryRow, ReceivedMessage, ReceivedMessages
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.services.concerns.edition_resolver import detail_in, unknown_ids
from app.services.concerns.idempotency import IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.sealing import addition_plaintext, find_message, token_identity
from app.services.entries import (
    NewEntry,
    append_entry,
    count_waiting,
    list_entries,
    list_messages,
    mark_answered,
    measure_entries,
)
from app.services.events.payloads import addition_payload, message_payload
from app.store.concerns import find_concern, get_concern
from app.store.contents import Contents
from app.store.disclosures import REPORTER, record_disclosure
from app.store.editions import EditionKey
from app.store.events import append_event
from app.store.writer import Writer, write_operation


@dataclass(frozen=True)
class FollowUps:
    """Reads the status of a concern and its messages, and stores additions to it, sealed like the concern itself."""

    engine: Engine
    writer: Writer
    contents: Contents
    sealer: Sealer
    receipts: ReceiptBuilder

    def read_status(self, *, typed_reference: str, status_token: str, at: dt.datetime) -> ConcernStatus:
        """Return the concern's status. Raises `NoSuchConcern` for a wrong reference and a wrong token alike."""
        row = self.find(typed_reference, status_token)
        with Session(self.engine) as session:
            additions = list_entries(session, EntryKind.ADDITION, row.reference)
            messages = list_messages(session, row.reference)
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
        request = Retryable(canonical_submission(addition), keys)
        if row.erased_at is not None:
            return self._replay_after_erasure(request)
        content = self._content_of(row)
        faults = self.receipts.reference_data.faults_in_codes(addition) + unknown_ids(addition.concern, content)
        if faults:
            raise InvalidConcern(faults)
        response = self.receipts.build_addition_receipt(row, content.contacts, at=at)
        receipt = response.model_dump_json().encode()
        entry = NewEntry(
            EntryKind.ADDITION,
            at,
            REPORTER,
            self.sealer.seal(addition_plaintext(addition, row.reference, at=at)),
            self.sealer.fingerprints,
            response.acknowledge_by,
            addition.immediate_danger,
        )
        try:
            _add(self.writer, row.reference, entry, request, receipt)
        except AlreadyStored:
            return request.replay(self.engine)
        return IdempotentResult(row.reference, receipt, is_replay=False)

    def open_messages(self, *, typed_reference: str, status_token: str, at: dt.datetime) -> ReceivedMessages:
        """Return every message with its words, after it is recorded which of them are read for the first time.

        Raises `NoSuchConcern` for a wrong reference and a wrong token alike, and `StoreBusy`.
        """
        reference = self.find(typed_reference, status_token).reference
        with Session(self.engine) as session:
            unread = _unread(session, reference)
        if unread:
            _record_reading(self.writer, reference, up_to=unread[-1], at=at)
        with Session(self.engine) as session:
            messages = select(EntryRow).where(EntryRow.reference == reference, EntryRow.kind == EntryKind.MESSAGE.value)
            rows = session.exec(messages.order_by(col(EntryRow.number))).all()
        identity = token_identity(status_token, reference)
        opened = (
            ReceivedMessage(
                number=row.number,
                sent_at=row.received_at,
                read_at=row.read_at,
                message=find_message(row.sealed, identity, reference),
            )
            for row in rows
            if row.read_at is not None  # one that came after the record is for the next time
        )
        return ReceivedMessages(reference=reference, messages=tuple(opened))

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

    def _replay_after_erasure(self, request: Retryable) -> IdempotentResult:
        """Return the receipt of what was added before the erasure. Anything else can no longer be added."""
        try:
            return request.replay(self.engine)
        except IdempotencyKeyReused:
            raise ConcernErased from None

    def _content_of(self, row: ConcernRow) -> EditionContent:
        return self.contents(EditionKey(row.guide, row.edition))


@write_operation
def _add(session: Session, reference: str, entry: NewEntry, request: Retryable, receipt: bytes) -> None:
    """Insert the addition under the next number, with its event. A retry is found before anything is refused."""
    request.store(session, reference, receipt)
    concern, at = get_concern(session, reference), entry.received_at  # read again: the desk may have changed it
    danger = max(concern.immediate_danger, entry.immediate_danger or "no", key=MORE_URGENT.index)
    former = measure_entries(session, EntryKind.ADDITION, reference)
    number = append_entry(session, concern, entry, former, dict(concern) | {"immediate_danger": danger})
    concern.added_at, concern.immediate_danger = at, danger
    count_waiting(session, concern)
    answered = mark_answered(session, reference, addition=number)
    if concern.test:
        return
    for message in answered:
        data = message_payload(concern, number=message, addition=number)
        append_event(session, EventKind.CONCERN_MESSAGE_ANSWERED, at=at, data=data)
    due = entry.acknowledge_by or at
    append_event(
        session, EventKind.CONCERN_ADDED, at=at, data=addition_payload(concern, number=number, acknowledge_by=due)
    )


@write_operation
def _record_reading(session: Session, reference: str, *, up_to: int, at: dt.datetime) -> None:
    concern = get_concern(session, reference)
    numbers = [number for number in _unread(session, reference) if number <= up_to]
    if not numbers:  # another request was first
        return
    detail = read_detail(numbers)
    record_disclosure(session, chain=reference, act=DeskAct.MESSAGE_READ, actor=REPORTER, at=at, detail=detail)
    read = update(EntryRow).where(
        col(EntryRow.reference) == reference,
        col(EntryRow.kind) == EntryKind.MESSAGE.value,
        col(EntryRow.number).in_(numbers),
    )
    session.exec(read.values(read_at=at))
    if not concern.test:
        for number in numbers:
            data = message_payload(concern, number=number)
            append_event(session, EventKind.CONCERN_MESSAGE_READ, at=at, data=data)


def _unread(session: Session, reference: str) -> Sequence[int]:
    return [each.number for each in list_messages(session, reference) if each.read_at is None]
