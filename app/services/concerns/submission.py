"""Reporting: taking a concern in."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from orjson import JSONEncodeError
from sqlalchemy import Connection, Engine

from app.errors import AlreadyStored, IdempotencyKeyReused, InvalidConcern, ReferenceTaken
from app.models.concerns.concern import FORM_VERSION, Concern
from app.models.concerns.receipts import CheckResponse
from app.models.concerns.tables import KeptReceiptRow
from app.models.digest import canonical_submission
from app.models.events.tables import EventKind
from app.services.concerns.edition_resolver import EditionResolver
from app.services.concerns.idempotency import IdempotentResult, RetryKey, for_retries, replay
from app.services.concerns.receipt_builder import ReceiptBuilder
from app.services.concerns.sealing import Sealer, sealed_text
from app.services.events.payloads import concern_data
from app.services.guidance.reference_data import ReferenceData
from app.store.concerns import NewConcern, insert_concerns, insert_kept_receipts
from app.store.contents import Contents
from app.store.events import NewEvent, tell_all
from app.store.writer import Shared, Writer

DRAWS = 5
LARGE = 32_768  # bytes of a submission; a smaller one is sealed in less time than a thread takes to begin


@dataclass(frozen=True)
class Intake:
    """What taking a concern in needs."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    clerk: ReceiptBuilder
    reference_data: ReferenceData
    contents: Contents
    pinner: EditionResolver


@dataclass(frozen=True)
class _Drawn:
    """A concern under a newly drawn reference, ready to be kept."""

    concern: NewConcern
    kept: KeptReceiptRow | None
    receipt: bytes


def check_concern(intake: Intake, concern: Concern, *, at: dt.datetime) -> CheckResponse:
    """What receiving the concern would answer, with nothing kept. Raises `InvalidConcern` with every fault."""
    return intake.clerk.answer_check(intake.pinner.pin(concern), at=at)


async def receive_concern(
    intake: Intake, concern: Concern, *, retry: RetryKey | None, at: dt.datetime
) -> IdempotentResult:
    """Keep the concern, sealed, and give its receipt; returns only once it is on the disk.

    A retry with the same idempotency key and the same words gets the first receipt and makes no second concern.
    Raises `InvalidConcern`, `IdempotencyKeyReused`, or `StoreBusy` where it could not be kept in time.
    """
    told = concern.model_dump_json(exclude_unset=True).encode()
    draw = partial(_draw, intake, concern, told, retry=retry, at=at)
    is_quick = len(told) <= LARGE and intake.pinner.remembered(concern) is not None
    for _ in range(DRAWS):
        try:
            drawn = draw() if is_quick else await to_thread.run_sync(draw)
            await intake.writer.kept(Shared(_keep_all, drawn))
        except ReferenceTaken:
            continue
        except AlreadyStored:
            return await to_thread.run_sync(_replay, intake, concern, retry)
        except InvalidConcern:
            if retry is not None:  # it may have been kept before, though it would be refused by now
                with suppress(IdempotencyKeyReused, JSONEncodeError):
                    return await to_thread.run_sync(_replay, intake, concern, retry)
            raise
        return IdempotentResult(drawn.concern.reference, drawn.receipt, is_replay=False)
    raise ReferenceTaken


def _replay(intake: Intake, concern: Concern, retry: RetryKey | None) -> IdempotentResult:
    return replay(intake.engine, retry, canonical_submission(concern))


def _draw(intake: Intake, concern: Concern, told: bytes, *, retry: RetryKey | None, at: dt.datetime) -> _Drawn:
    """The row: the whole concern under seal, and beside it in clear only what routing needs."""
    pinned = intake.pinner.pin(concern)
    submission = canonical_submission(concern)
    receipt = intake.clerk.draw_receipt(pinned, submission, at=at)
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
        recipients=intake.sealer.fingerprints,
        sealed=intake.sealer.seal(sealed_text(told, receipt)),
        status_token_sha256=hashlib.sha256(receipt.status_token.encode()).digest(),
    )
    return _Drawn(row, for_retries(retry, submission, receipt.reference, answer), answer)


def _keep_all(connection: Connection, drawn: Sequence[_Drawn]) -> None:
    insert_concerns(connection, [each.concern for each in drawn])
    tell_all(
        connection,
        EventKind.CONCERN_RECEIVED,
        [NewEvent(each.concern.received_at, concern_data(each.concern)) for each in drawn],
    )
    insert_kept_receipts(connection, [each.kept for each in drawn if each.kept is not None])
