"""Submission of concerns: check a concern, or store it and return its receipt."""

import datetime as dt
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import Sealer
from app.errors import AlreadyStored, IdempotencyKeyReused, InvalidConcern, ReferenceTaken
from app.faults import FieldError
from app.models.concerns.concern import FORM_VERSION, NO_QUESTION, Concern
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.receipts import CheckResponse
from app.models.concerns.tables import NewConcern, StoredReceiptRow
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.recorded import seal_entry
from app.models.digest import canonical_json, canonical_submission
from app.models.events.tables import EventKind
from app.services.concerns.edition_resolver import EditionResolver, PinnedEdition
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, Retryable, insert_stored_receipt
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.sealing import concern_plaintext, derive_public_key
from app.services.events.payloads import concern_payload
from app.store.concerns import insert_concern
from app.store.disclosures import REPORTER, first_disclosure, insert_first_disclosure
from app.store.editions import EditionKey, list_current
from app.store.events import append_event
from app.store.writer import Writer, write_without_change

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
                await self.writer.run_async(partial(_write, prepared=prepared))
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
                    _write(session, prepared)
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


def _write(session: Session, prepared: _Prepared) -> None:
    insert_concern(session, prepared.concern)
    insert_first_disclosure(session, prepared.disclosure)
    if not prepared.concern.test:
        received_at, data = prepared.concern.received_at, concern_payload(prepared.concern)
        append_event(session, EventKind.CONCERN_RECEIVED, at=received_at, data=data)
    insert_stored_receipt(session, prepared.stored_receipt)
