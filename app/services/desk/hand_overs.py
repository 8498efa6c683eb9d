"""Handing a concern over to another body: on the record with digest, body and reason before the file leaves."""

import base64
import datetime as dt
import secrets

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from app.age.files import SEED_BYTES, seal_by_seed
from app.errors import AlreadyStored, ConcernErased, SealedTextMisplaced, UnsealingUnavailable, ValidationFailed
from app.faults import FieldError
from app.models.base import format_utc
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.hand_over_tables import HandOverRow
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverEntry
from app.models.desk.recorded import confirmed_detail, handed_over_detail
from app.models.digest import canonical_submission
from app.models.entries import EntryKind, EntryPlace
from app.services.concerns.hand_over_package import package_of, parse_recipient, sha256_of
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, Retryable
from app.services.concerns.receipt_signing import HAND_OVER, ReceiptSigner
from app.services.concerns.sealing import Unsealer
from app.services.desk.opening import read_sealed_concern
from app.services.entries import list_entries, read_sealed_entry
from app.store.concerns import get_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.hand_overs import count_hand_overs, get_hand_over, list_hand_overs
from app.store.writer import Writer, write_operation


class StoredHandOver(BaseModel):
    """What a retry needs, under its idempotency key: the entry, and the seed (hex) of a file that was made here."""

    entry: HandOverEntry
    seed: str | None


ANOTHER_RECEIPT = "The receipt of this hand-over is stored already, and is another one."


def hand_over(
    engine: Engine,
    writer: Writer,
    reference: str,
    wanted: HandOver,
    *,
    keys: IdempotencyKeys | None,
    signer: ReceiptSigner,
    unsealer: Unsealer,
    actor: Actor,
    at: dt.datetime,
) -> IdempotentResult:
    """Record the hand-over, and return its entry (JSON); with the file, where it was not made on the worker's machine.

    A retry with the same idempotency key records nothing, and gets the same entry and the same file. Raises
    `NoSuchConcern`, `ConcernErased`, `ValidationFailed`, `UnsealingUnavailable`, `SealedTextMisplaced` or
    `IdempotencyKeyReused`.
    """
    parse_recipient(wanted.recipient)
    recorded, package, seed = wanted, None, None
    if wanted.package_sha256 is None:
        seed = secrets.token_bytes(SEED_BYTES)
        package, count = _make_package(engine, reference, wanted, unsealer, seed=seed, at=at)
        recorded = wanted.model_copy(update={"package_sha256": sha256_of(package), "additions": count})
    try:
        entry = _record(writer, reference, wanted, recorded, seed, keys=keys, signer=signer, actor=actor, at=at)
    except AlreadyStored:
        return _replay(engine, keys, wanted, unsealer)
    return IdempotentResult(reference, _answer(entry, package), is_replay=False)


@write_operation
def confirm_hand_over(
    session: Session, reference: str, number: int, *, receipt: str, actor: Actor, at: dt.datetime
) -> HandOverEntry:
    """Store the receipt of the other body. Again, it changes nothing. Raises `NoSuchItem` or `ValidationFailed`."""
    get_concern(session, reference)
    row = get_hand_over(session, reference, number)
    if row.their_receipt not in (None, receipt):
        raise ValidationFailed([FieldError(("receipt",), ANOTHER_RECEIPT)])
    if row.their_receipt is None:
        detail = confirmed_detail(number, receipt)
        record_disclosure(session, chain=reference, act=DeskAct.HAND_OVER_CONFIRMED, actor=actor, at=at, detail=detail)
        row.their_receipt, row.confirmed_at = receipt, at
        session.flush()
    return hand_over_entry(row)


@write_operation
def read_hand_overs(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> tuple[HandOverEntry, ...]:
    """Return the hand-overs of the concern. Raises `NoSuchConcern`."""
    get_concern(session, reference)
    record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail="hand-overs")
    return tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))


def _make_package(
    engine: Engine,
    reference: str,
    wanted: HandOver,
    unsealer: Unsealer,
    *,
    seed: bytes,
    at: dt.datetime,
    up_to: int | None = None,
) -> tuple[bytes, int]:
    """Return the file for the body, and how many additions are in it: all, or those up to that number."""
    if not unsealer.can_unseal:
        raise UnsealingUnavailable
    with Session(engine) as session:
        get_concern(session, reference)
        numbers = [row.number for row in list_entries(session, EntryKind.ADDITION, reference)][:up_to]
    concern = unsealer.open(read_sealed_concern(engine, reference), reference=reference)
    sealed = (read_sealed_entry(engine, reference, EntryPlace(EntryKind.ADDITION, number)) for number in numbers)
    additions = [unsealer.open(each, reference=reference) for each in sealed]
    package = package_of(concern, additions, body=wanted.body, reason=wanted.reason, at=at)
    return seal_by_seed(package, str(parse_recipient(wanted.recipient)), seed), len(additions)


@write_operation
def _record(
    session: Session,
    reference: str,
    wanted: HandOver,
    recorded: HandOver,
    seed: bytes | None,
    *,
    keys: IdempotencyKeys | None,
    signer: ReceiptSigner,
    actor: Actor,
    at: dt.datetime,
) -> HandOverEntry:
    """Insert the hand-over under the next number, and return its entry. A retry is found before anything is refused."""
    concern, number = get_concern(session, reference), count_hand_overs(session, reference) + 1
    fields = recorded.model_dump() | {"number": number}
    claims = {"jti": reference, "iat": int(at.timestamp()), "at": format_utc(at)} | fields
    row = HandOverRow(reference=reference, at=at, receipt=signer.sign(claims, kind=HAND_OVER), **fields)
    entry = hand_over_entry(row)
    to_repeat = StoredHandOver(entry=entry, seed=None if seed is None else seed.hex()).model_dump_json().encode()
    Retryable(canonical_submission(wanted), keys).store(session, reference, to_repeat)
    if concern.erased_at is not None:
        raise ConcernErased
    detail = handed_over_detail(row)
    record_disclosure(session, chain=reference, act=DeskAct.HANDED_OVER, actor=actor, at=at, detail=detail)
    session.add(row)
    session.flush()
    return entry


def _replay(engine: Engine, keys: IdempotencyKeys | None, wanted: HandOver, unsealer: Unsealer) -> IdempotentResult:
    """Return what the first request got. The file is made again, and is the one that is on the record."""
    found = Retryable(canonical_submission(wanted), keys).replay(engine)
    stored = StoredHandOver.model_validate_json(found.receipt)
    entry, package = stored.entry, None
    if stored.seed is not None:
        seed, up_to = bytes.fromhex(stored.seed), entry.additions
        package, _ = _make_package(engine, found.reference, wanted, unsealer, seed=seed, at=entry.at, up_to=up_to)
        if sha256_of(package) != entry.package_sha256:
            raise SealedTextMisplaced
    return IdempotentResult(found.reference, _answer(entry, package), is_replay=True)


def _answer(entry: HandOverEntry, package: bytes | None) -> bytes:
    encoded = None if package is None else base64.b64encode(package).decode()
    return HandedOver.model_validate(dict(entry) | {"package": encoded}).model_dump_json().encode()


def hand_over_entry(row: HandOverRow) -> HandOverEntry:
    """Return the entry of a hand-over."""
    return HandOverEntry.model_validate({name: getattr(row, name) for name in HandOverEntry.model_fields})
