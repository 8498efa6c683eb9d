"""Reporting: taking a concern in."""

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from rfc8785 import IntegerDomainError
from sqlalchemy import Connection, Engine

from app.errors import AlreadyKept, ConcernRefused, KeyUsedForOtherWords, ReferenceTaken
from app.models.concern import FORM_VERSION, Concern
from app.models.concern_tables import ConcernRow, ConcernState, KeptReceiptRow
from app.models.digest import canonical_submission
from app.models.event_tables import EventKind
from app.models.receipts import CheckAnswer, Receipt
from app.services.kept_receipts import Kept, RetryKey, for_retries, replay
from app.services.pinning import pin_concern
from app.services.receipts import Clerk
from app.services.reference_data import ReferenceData
from app.services.sealing import Sealer, sealed_text
from app.services.telling import concern_data
from app.store.concerns import insert_concern, insert_kept_receipt
from app.store.editions import Contents
from app.store.events import tell
from app.store.writer import Writer

DRAWS = 5


@dataclass(frozen=True)
class Intake:
    """What taking a concern in needs."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    clerk: Clerk
    reference_data: ReferenceData
    contents: Contents


def check_concern(intake: Intake, concern: Concern, *, at: dt.datetime) -> CheckAnswer:
    """What receiving the concern would answer, with nothing kept. Raises `ConcernRefused` with every fault."""
    pinned = pin_concern(intake.engine, concern, intake.reference_data, intake.contents)
    contacts = intake.contents(pinned).contacts
    return intake.clerk.answer_check(pinned, contacts, at=at)


def receive_concern(intake: Intake, concern: Concern, *, retry: RetryKey | None, at: dt.datetime) -> Kept:
    """Keep the concern, sealed, and give its receipt; returns only once it is on the disk.

    A retry with the same idempotency key and the same words gets the first receipt and makes no second concern.
    Raises `ConcernRefused`, `KeyUsedForOtherWords`, or `StoreBusy` where it could not be kept in time.
    """
    try:
        pinned = pin_concern(intake.engine, concern, intake.reference_data, intake.contents)
    except ConcernRefused:
        with suppress(KeyUsedForOtherWords, IntegerDomainError):  # kept before, though it would be refused by now
            return replay(intake.engine, retry, canonical_submission(concern))
        raise
    contacts = intake.contents(pinned).contacts
    submission = canonical_submission(concern)
    for _ in range(DRAWS):
        receipt = intake.clerk.draw_receipt(pinned, contacts, concern, at=at)
        told = receipt.model_dump_json().encode()
        row, kept = _sealed(intake, concern, receipt), for_retries(retry, submission, receipt.reference, told)
        try:
            intake.writer.keep(_keep(row, kept))
        except ReferenceTaken:
            continue
        except AlreadyKept:
            return replay(intake.engine, retry, submission)
        return Kept(receipt.reference, told, is_replay=False)
    raise ReferenceTaken


def _keep(row: ConcernRow, kept: KeptReceiptRow | None) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        insert_concern(connection, row)
        tell(connection, EventKind.CONCERN_RECEIVED, at=row.received_at, data=concern_data(row))
        if kept is not None:
            insert_kept_receipt(connection, kept)

    return act


def _sealed(intake: Intake, concern: Concern, receipt: Receipt) -> ConcernRow:
    """The row: the whole concern under seal, and beside it in clear only what routing needs."""
    return ConcernRow(
        reference=receipt.reference,
        received_at=receipt.received_at,
        acknowledge_by=receipt.acknowledge_by,
        state=ConcernState.RECEIVED,
        immediate_danger=concern.immediate_danger,
        guide=receipt.guide,
        edition=receipt.edition,
        referral_source=concern.reporter.source_code,
        form_version=FORM_VERSION,
        recipients=list(intake.sealer.fingerprints),
        sealed=intake.sealer.seal(sealed_text(concern, receipt)),
        status_token_sha256=hashlib.sha256(receipt.status_token.encode()).digest(),
    )
