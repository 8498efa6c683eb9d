"""The rows of concerns."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Engine, exists, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import SharedWrite, Writer, write_without_change
from app.errors import (
    AlreadyStored,
    ConcernErased,
    FieldError,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    ReferenceTaken,
)
from app.models.base import canonical_json, canonical_submission
from app.models.concerns import FORM_VERSION, NO_QUESTION, Concern, ConcernRow, NewConcern, StoredReceiptRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EventKind
from app.models.form import SMALLEST_EXAMPLE
from app.models.receipts import CheckResponse, ConcernState
from app.models.record import DeskAct
from app.models.record_details import seal_entry
from app.services.editions import EditionKey, list_current
from app.services.events import append_events, concern_payload
from app.services.pinning import EditionResolver, PinnedEdition
from app.services.receipts import IdempotencyKeys, IdempotentResult, ReceiptBuilder, Retryable, insert_stored_receipts
from app.services.record import REPORTER, first_disclosure, insert_first_disclosures
from app.services.sealing import concern_plaintext, derive_public_key

NO_SUCH_REFERENCE = "No concern has that reference. Check it for a slip."
WITHOUT_SEALED = defer(ConcernRow.sealed)  # type: ignore[arg-type]  # SQLModel types a column as its value
"""Loads the columns of a concern without its sealed text."""
_NEW_CONCERN = insert(table_of(ConcernRow))  # executed with every concern: built once
_DEFAULTS = {
    "state": ConcernState.RECEIVED.value,
    "outcome_shared": False,
    "overdue_told": False,
    "due_soon_announced": False,
    "held": False,
    "additions_waiting": 0,
    "assigned_to": "",
}


def insert_concerns(session: Session, concerns: Sequence[NewConcern]) -> None:
    """Insert the concerns; raises `ReferenceTaken` if another concern has one of the references."""
    rows = [_DEFAULTS | vars(concern) | {"changed_at": concern.received_at} for concern in concerns]
    try:
        session.connection().execute(_NEW_CONCERN, rows)
    except IntegrityError:
        raise ReferenceTaken from None


def find_concern(session: Session, reference: str) -> ConcernRow | None:
    """Return the concern of that reference, or None. Its sealed text, which may be large, is not read."""
    return session.get(ConcernRow, reference, options=[WITHOUT_SEALED])


def get_concern(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern`."""
    concern = find_concern(session, reference)
    if concern is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return concern


def get_unerased(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


def read_concern(session: Session, reference: str) -> bytes | None:
    """Return the sealed text of a concern; None if it was erased."""
    return session.exec(select(ConcernRow.sealed).where(ConcernRow.reference == reference)).first()


def erase_sealed(session: Session, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Erase the sealed text of the concern and of its entries; the rows stay."""
    session.exec(update(EntryRow).where(col(EntryRow.reference) == concern.reference).values(sealed=None))
    concern.sealed, concern.erased_at = None, at
    session.flush()


def due_for_erasure(session: Session, *, state: str, before: dt.datetime, limit: int) -> Sequence[str]:
    """Return the references of concerns that entered the state before that time.

    Left out are concerns on hold, those already erased, and those with an addition that nobody acknowledged before
    that time.
    """
    since = ConcernRow.closed_at if state == ConcernState.CLOSED else ConcernRow.acknowledged_at
    return session.exec(
        select(ConcernRow.reference)
        .where(
            ConcernRow.state == state,
            col(since) < before,
            ~exists().where(
                col(EntryRow.reference) == ConcernRow.reference,
                col(EntryRow.kind) == EntryKind.ADDITION.value,
                or_(col(EntryRow.acknowledged_at).is_(None), col(EntryRow.acknowledged_at) >= before),
            ),
            col(ConcernRow.held).is_(False),
            col(ConcernRow.erased_at).is_(None),
        )
        .order_by(col(since))
        .limit(limit)
    ).all()


def tests_due_for_erasure(session: Session, *, before: dt.datetime, limit: int) -> Sequence[str]:
    """Return the references of tests that were received before that time, without those on hold and those erased."""
    return session.exec(
        select(ConcernRow.reference)
        .where(
            col(ConcernRow.test).is_(True),
            ConcernRow.received_at < before,
            col(ConcernRow.held).is_(False),
            col(ConcernRow.erased_at).is_(None),
        )
        .order_by(col(ConcernRow.received_at))
        .limit(limit)
    ).all()


# Submission of concerns: check a concern, or store it and return its receipt.


NEEDS_TEST_KEY = (
    "A test needs a test key, and nothing was stored. If this is about a real child, send it again without `test`."
)
MAX_ATTEMPTS = 5
LARGE_SUBMISSION_BYTES = 32_768  # a smaller one is sealed in less time than a thread takes to start


@dataclass(frozen=True)
class _Submitted:
    """A concern as it came, and as JSON; whether it is a test; and the keys of its idempotency key."""

    concern: Concern
    json: bytes
    test: bool
    keys: IdempotencyKeys | None


@dataclass(frozen=True)
class _Prepared:
    """A concern with a new reference, ready to be stored."""

    concern: NewConcern
    disclosure: dict[str, Any]
    stored_receipt: StoredReceiptRow | None
    receipt: bytes


@dataclass(frozen=True)
class Submissions:
    """Checks concerns and stores them, sealed."""

    engine: Engine
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder

    def check(self, concern: Concern, *, for_tests: bool = False, at: dt.datetime) -> CheckResponse:
        """Validate the concern as a submission does, and store nothing. Raises `InvalidConcern` with every fault."""
        _require_test_key(concern, for_tests=for_tests)
        return self.receipts.build_check_response(self.resolver.resolve(concern), at=at)

    async def submit(
        self, concern: Concern, *, for_tests: bool = False, keys: IdempotencyKeys | None, at: dt.datetime
    ) -> IdempotentResult:
        """Store the concern, sealed, and return its receipt after it is on the disk. With a key for tests it is a test.

        A retry with the same idempotency key and the same words gets the first receipt and makes no second concern.
        Raises `InvalidConcern`, `IdempotencyKeyReused`, or `StoreBusy` if it could not be stored in time.
        """
        _require_test_key(concern, for_tests=for_tests)
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        cached = self.resolver.cached(concern)
        prepare = partial(self._prepare, _Submitted(concern, submitted, for_tests, keys), cached, at=at)
        is_quick = len(submitted) <= LARGE_SUBMISSION_BYTES and cached is not None
        for _ in range(MAX_ATTEMPTS):
            try:
                prepared = prepare() if is_quick else await to_thread.run_sync(prepare)
                await self.writer.run_async(SharedWrite(_write_all, prepared))
            except ReferenceTaken:
                continue
            except AlreadyStored:
                return await to_thread.run_sync(self._replay, concern, keys)
            except InvalidConcern:
                if keys is not None:  # it may have been valid, and stored, before
                    with suppress(IdempotencyKeyReused, orjson.JSONEncodeError):
                        return await to_thread.run_sync(self._replay, concern, keys)
                raise
            return IdempotentResult(prepared.concern.reference, prepared.receipt, is_replay=False)
        raise ReferenceTaken

    def rehearse(self, *, at: dt.datetime) -> None:
        """Do all that `submit` does with an invented concern, up to the disk, and leave nothing of it.

        Its rows are written and rolled back; a write without any change is then flushed to the disk. Without a guide
        there is nothing that a concern can be about, and only that write is tried. Raises what `submit` would raise.
        """
        with Session(self.engine) as session:
            current = list_current(session, limit=1)
        prepared = self._prepare_invented(current[0].key, at=at) if current else None

        def write(session: Session) -> None:
            if prepared is not None:
                with session.begin_nested() as savepoint:
                    _write_all(session, [prepared])
                    savepoint.rollback()
            write_without_change(session)

        self.writer.run(write)

    def _prepare_invented(self, edition: EditionKey, *, at: dt.datetime) -> _Prepared:
        concern = Concern(**SMALLEST_EXAMPLE, guide=edition.guide, edition=edition.number)
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        return self._prepare(_Submitted(concern, submitted, test=False, keys=None), None, at=at)

    def _replay(self, concern: Concern, keys: IdempotencyKeys | None) -> IdempotentResult:
        return Retryable(canonical_submission(concern), keys).replay(self.engine)

    def _prepare(self, submitted: _Submitted, cached: PinnedEdition | None, *, at: dt.datetime) -> _Prepared:
        """Build the receipt, and the row: the whole concern sealed, and in clear only what routing needs."""
        concern, test = submitted.concern, submitted.test
        pinned = self.resolver.resolve(concern, cached)
        submission = canonical_json(orjson.loads(submitted.json))  # in a fifth of the time that the model takes again
        receipt = self.receipts.build_receipt(pinned, submission, test=test, at=at)
        plaintext = concern_plaintext(submitted.json, receipt.reference, pinned.key, test=test, at=at)
        row = NewConcern(
            reference=receipt.reference,
            received_at=receipt.received_at,
            acknowledge_by=receipt.acknowledge_by,
            immediate_danger=concern.immediate_danger,
            guide=pinned.key.guide,
            edition=pinned.key.number,
            referral_source=concern.reporter.source_code,
            form_version=FORM_VERSION,
            recipients=self.sealer.fingerprints,
            sealed=self.sealer.seal(plaintext),
            status_token_sha256=hashlib.sha256(receipt.status_token.encode()).digest(),
            test=test,
            message_key=derive_public_key(receipt.status_token, receipt.reference),
        )
        detail = str(seal_entry(row.sealed, row.recipients, columns=vars(row)))
        disclosure = first_disclosure(
            chain=row.reference, act=DeskAct.RECEIVED, actor=REPORTER, at=row.received_at, detail=detail
        )
        stored_receipt = Retryable(submission, submitted.keys).encrypt(receipt.reference, receipt.json)
        return _Prepared(row, disclosure, stored_receipt, receipt.json)


def _require_test_key(concern: Concern, *, for_tests: bool) -> None:
    """Refuse what is marked as a test and came without a key for tests: it may be about a real child."""
    if concern.test and not for_tests:
        raise InvalidConcern([FieldError((NO_QUESTION,), NEEDS_TEST_KEY)])


def _write_all(session: Session, prepared: Sequence[_Prepared]) -> None:
    insert_concerns(session, [each.concern for each in prepared])
    insert_first_disclosures(session, [each.disclosure for each in prepared])
    events = [(each.concern.received_at, concern_payload(each.concern)) for each in prepared if not each.concern.test]
    if events:
        append_events(session, EventKind.CONCERN_RECEIVED, events)
    insert_stored_receipts(session, [each.stored_receipt for each in prepared])
