"""Reporting: taking a concern in, and telling its reporter how it stands."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlmodel import Session

from app.errors import AlreadyKept, KeyUsedForOtherWords, NoSuchConcern, ReferenceTaken
from app.models.concern import FORM_VERSION, Concern
from app.models.concern_tables import ConcernRow, ConcernState, KeptReceiptRow
from app.models.digest import canonical_submission
from app.models.receipts import CheckAnswer, ConcernStatus, Receipt
from app.models.references import find_reference
from app.services.kept_receipts import RetryKey
from app.services.pinning import pin_concern
from app.services.receipts import Clerk
from app.services.reference_data import ReferenceData
from app.services.sealing import Sealer, sealed_text
from app.store.concerns import find_concern, find_kept_receipt, insert_concern, insert_kept_receipt
from app.store.editions import EditionKey, read_content
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


@dataclass(frozen=True)
class Kept:
    """The receipt as finished JSON, and whether it is that of an earlier, identical request."""

    reference: str
    receipt: bytes
    is_replay: bool


def check_concern(intake: Intake, concern: Concern, *, at: dt.datetime) -> CheckAnswer:
    """What receiving the concern would answer, with nothing kept. Raises `ConcernRefused` with every fault."""
    with Session(intake.engine) as session:
        pinned = pin_concern(session, concern, intake.reference_data)
        contacts = read_content(session, pinned).contacts
    return intake.clerk.answer_check(pinned, contacts, at=at)


def receive_concern(intake: Intake, concern: Concern, *, retry: RetryKey | None, at: dt.datetime) -> Kept:
    """Keep the concern, sealed, and give its receipt; returns only once it is on the disk.

    A retry with the same idempotency key and the same words gets the first receipt and makes no second concern.
    Raises `ConcernRefused`, `KeyUsedForOtherWords`, or `StoreBusy` where it could not be kept in time.
    """
    with Session(intake.engine) as session:
        pinned = pin_concern(session, concern, intake.reference_data)
        contacts = read_content(session, pinned).contacts
    for _ in range(DRAWS):
        receipt = intake.clerk.draw_receipt(pinned, contacts, concern, at=at)
        told = receipt.model_dump_json().encode()
        try:
            intake.writer.keep(_keep(_sealed(intake, concern, receipt), _for_retries(retry, concern, receipt, told)))
        except ReferenceTaken:
            continue
        except AlreadyKept:
            return _replay(intake, concern, retry)
        return Kept(receipt.reference, told, is_replay=False)
    raise ReferenceTaken


def get_status(intake: Intake, *, typed_reference: str, status_token: str) -> ConcernStatus:
    """How the concern stands. Raises `NoSuchConcern` for a wrong reference and a wrong token alike."""
    with Session(intake.engine) as session:
        row = find_concern(session, reference=find_reference(typed_reference) or "")
        expected = row.status_token_sha256 if row else bytes(hashlib.sha256().digest_size)
        if not hmac.compare_digest(_sha256(status_token), expected) or row is None:
            raise NoSuchConcern
        contacts = read_content(session, EditionKey(row.guide, row.edition)).contacts
    return intake.clerk.answer_status(row, contacts)


def _keep(row: ConcernRow, for_retries: KeptReceiptRow | None) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        insert_concern(connection, row)
        if for_retries is not None:
            insert_kept_receipt(connection, for_retries)

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
        status_token_sha256=_sha256(receipt.status_token),
    )


def _for_retries(retry: RetryKey | None, concern: Concern, receipt: Receipt, told: bytes) -> KeptReceiptRow | None:
    if retry is None:
        return None
    return KeptReceiptRow(
        key_sha256=retry.key_sha256,
        payload_mac=retry.mac(canonical_submission(concern)),
        reference=receipt.reference,
        sealed_receipt=retry.encrypt(told),
    )


def _replay(intake: Intake, concern: Concern, retry: RetryKey | None) -> Kept:
    """The first receipt, whole, where the words are the same."""
    with Session(intake.engine) as session:
        kept = find_kept_receipt(session, key_sha256=retry.key_sha256) if retry else None
    if (
        kept is None
        or retry is None
        or not hmac.compare_digest(kept.payload_mac, retry.mac(canonical_submission(concern)))
    ):
        raise KeyUsedForOtherWords
    return Kept(kept.reference, retry.decrypt(kept.sealed_receipt), is_replay=True)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
