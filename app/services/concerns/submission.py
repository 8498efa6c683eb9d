"""Taking concerns in: checking one, or storing it and returning its receipt."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from orjson import JSONEncodeError
from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import AlreadyStored, IdempotencyKeyReused, InvalidConcern, ReferenceTaken
from app.models.concerns.concern import FORM_VERSION, Concern
from app.models.concerns.receipts import CheckResponse
from app.models.concerns.tables import KeptReceiptRow
from app.models.digest import canonical_submission
from app.models.events.tables import EventKind
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, encrypt_for_replay, replay
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.sealing import Sealer, sealed_text
from app.services.events.payloads import concern_payload
from app.store.concerns import NewConcern, insert_concerns, insert_kept_receipts
from app.store.events import NewEvent, append_events
from app.store.writer import BatchableWrite, Writer

DRAWS = 5
LARGE = 32_768  # bytes of a submission; a smaller one is sealed in less time than a thread takes to begin


@dataclass(frozen=True)
class _Prepared:
    """A concern under a newly drawn reference, ready to be stored."""

    concern: NewConcern
    kept: KeptReceiptRow | None
    receipt: bytes


@dataclass(frozen=True)
class Submissions:
    """Checks concerns and stores them, sealed."""

    engine: Engine
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder

    def check(self, concern: Concern, *, at: dt.datetime) -> CheckResponse:
        """Return what submitting the concern would, and store nothing. Raises `InvalidConcern` with every fault."""
        return self.receipts.answer_check(self.resolver.resolve(concern), at=at)

    async def submit(self, concern: Concern, *, keys: IdempotencyKeys | None, at: dt.datetime) -> IdempotentResult:
        """Store the concern, sealed, and return its receipt; returns only once it is on the disk.

        A retry with the same idempotency key and the same words gets the first receipt and makes no second concern.
        Raises `InvalidConcern`, `IdempotencyKeyReused`, or `StoreBusy` where it could not be stored in time.
        """
        submitted = concern.model_dump_json(exclude_unset=True).encode()
        prepare = partial(self._prepare, concern, submitted, keys=keys, at=at)
        is_quick = len(submitted) <= LARGE and self.resolver.cached(concern) is not None
        for _ in range(DRAWS):
            try:
                prepared = prepare() if is_quick else await to_thread.run_sync(prepare)
                await self.writer.run_async(BatchableWrite(_write_all, prepared))
            except ReferenceTaken:
                continue
            except AlreadyStored:
                return await to_thread.run_sync(self._replay, concern, keys)
            except InvalidConcern:
                if keys is not None:  # it may have been stored before, though it would be refused by now
                    with suppress(IdempotencyKeyReused, JSONEncodeError):
                        return await to_thread.run_sync(self._replay, concern, keys)
                raise
            return IdempotentResult(prepared.concern.reference, prepared.receipt, is_replay=False)
        raise ReferenceTaken

    def _replay(self, concern: Concern, keys: IdempotencyKeys | None) -> IdempotentResult:
        return replay(self.engine, keys, canonical_submission(concern))

    def _prepare(
        self, concern: Concern, submitted: bytes, *, keys: IdempotencyKeys | None, at: dt.datetime
    ) -> _Prepared:
        """Return the row: the whole concern under seal, and beside it in clear only what routing needs."""
        pinned = self.resolver.resolve(concern)
        submission = canonical_submission(concern)
        receipt = self.receipts.draw_receipt(pinned, submission, at=at)
        answer = receipt.model_dump_json().encode()
        row = NewConcern(
            reference=receipt.reference,
            received_at=receipt.received_at,
            acknowledge_by=receipt.acknowledge_by,
            immediate_danger=concern.immediate_danger,
            guide=receipt.guide,
            edition=receipt.edition,
            referral_source=concern.reporter.source_code,
            form_version=FORM_VERSION,
            recipients=self.sealer.fingerprints,
            sealed=self.sealer.seal(sealed_text(submitted, receipt)),
            status_token_sha256=hashlib.sha256(receipt.status_token.encode()).digest(),
        )
        return _Prepared(row, encrypt_for_replay(keys, submission, receipt.reference, answer), answer)


def _write_all(session: Session, prepared: Sequence[_Prepared]) -> None:
    insert_concerns(session, [each.concern for each in prepared])
    append_events(
        session,
        EventKind.CONCERN_RECEIVED,
        [NewEvent(each.concern.received_at, concern_payload(each.concern)) for each in prepared],
    )
    insert_kept_receipts(session, [each.kept for each in prepared if each.kept is not None])
