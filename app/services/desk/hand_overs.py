"""Hand-overs of concerns to other organisations, as a file encrypted to their key, whose digest is recorded first."""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import BaseModel
from pyrage import x25519
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.age.files import SEED_BYTES, seal_by_seed
from app.age.keys import NotAKey, parse_recipient
from app.errors import (
    AlreadyStored,
    ConcernErased,
    FieldError,
    NoSuchItem,
    SealedTextMisplaced,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.audit.rows import DeskAct
from app.models.base import canonical_submission, format_utc
from app.models.desk.hand_over_details import confirmed_details, handed_over_details
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverEntry, HandOverReceipt, HandOverRow
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import Desk, list_entries, read_sealed
from app.services.concerns.idempotency import IdempotentResult, Retryable, derive_idempotency_keys
from app.services.concerns.receipt_signing import HAND_OVER, ReceiptSigner
from app.services.concerns.rows import get_concern

PACKAGE_KIND = "guidance-hand-over"
NOT_A_RECIPIENT = "This is not an age recipient (age1...)."
ANOTHER_RECEIPT = "A different receipt is already stored for this hand-over."


class StoredHandOver(BaseModel):
    """What a retry needs. `seed` (hex) makes the same file again; it is None if the client made the file."""

    entry: HandOverEntry
    seed: str | None


def hand_over(
    desk: Desk, reference: str, hand_over: HandOver, actor: Actor, key: str | None = None
) -> IdempotentResult:
    """Record a hand-over. Return its entry (JSON), with the file if this service makes it; a retry returns the same.

    Raise `NoSuchConcern`, `ConcernErased` (also for a retry whose file is made here), `ValidationFailed` (recipient),
    `IdempotencyKeyReused`, `StoreBusy`, or `ChangedMeanwhile` as `expect_seen`. If the file is made here, also raise
    `UnsealingUnavailable` or `SealedTextMisplaced`.
    """
    read_recipient(hand_over.recipient)
    recorded, package, seed = hand_over, None, None
    if hand_over.package_sha256 is None:
        seed = secrets.token_bytes(SEED_BYTES)
        package, count = _make_package(desk, reference, hand_over, seed, at=actor.at)
        recorded = hand_over.model_copy(
            update={"package_sha256": hashlib.sha256(package).hexdigest(), "additions": count}
        )
    keys = derive_idempotency_keys(key, client=f"{actor.client}, hand-over of {reference}")
    request = Retryable(canonical_submission(hand_over), keys)
    try:
        entry = desk.writer.run(_record, reference, recorded, request, desk.signer, seed=seed, actor=actor)
    except AlreadyStored:
        return _replay(desk, request, hand_over)
    return IdempotentResult(reference, _answer(entry, package), is_replay=False)


def confirm_hand_over(
    session: Session, reference: str, number: int, confirmation: HandOverReceipt, actor: Actor
) -> HandOverEntry:
    """Store the organisation's receipt, and record its digest. The same receipt again changes nothing.

    Raise `NoSuchConcern`, `NoSuchItem`, or `ValidationFailed` for a different one.
    """
    get_concern(session, reference)
    row, receipt = session.get(HandOverRow, (reference, number)), confirmation.receipt
    if row is None:
        raise NoSuchItem("The concern has no hand-over with that number.")
    if row.their_receipt not in (None, receipt):
        raise ValidationFailed([FieldError(("receipt",), ANOTHER_RECEIPT)])
    if row.their_receipt is None:
        details = confirmed_details(number, receipt)
        record_action(session, reference, DeskAct.HAND_OVER_CONFIRMED, actor, details)
        row.their_receipt, row.confirmed_at = receipt, actor.at
        session.flush()
    return hand_over_entry(row)


def read_hand_overs(session: Session, reference: str, actor: Actor) -> tuple[HandOverEntry, ...]:
    """Return the hand-overs by number, and record the reading. Raise `NoSuchConcern`."""
    get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="hand-overs"))
    return tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))


def list_hand_overs(session: Session, reference: str) -> Sequence[HandOverRow]:
    """Return the hand-overs by number. Nothing is recorded."""
    rows = select(HandOverRow).where(HandOverRow.reference == reference)
    return session.exec(rows.order_by(col(HandOverRow.number))).all()


def hand_over_entry(row: HandOverRow) -> HandOverEntry:
    return HandOverEntry.model_validate({name: getattr(row, name) for name in HandOverEntry.model_fields})


def read_recipient(text: str) -> x25519.Recipient:
    try:
        return parse_recipient(text)
    except NotAKey:
        raise ValidationFailed([FieldError(("recipient",), NOT_A_RECIPIENT)]) from None


def package_of(
    concern: dict[str, Any], additions: Sequence[dict[str, Any]], *, body: str, reason: str, at: dt.datetime
) -> bytes:
    """Return the file before encryption, as JSON. `body` is the organisation."""
    document = {
        "kind": PACKAGE_KIND,
        "handed_over_at": format_utc(at),
        "body": body,
        "reason": reason,
        "concern": concern,
        "additions": list(additions),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _make_package(
    desk: Desk, reference: str, hand_over: HandOver, seed: bytes, *, at: dt.datetime, up_to: int | None = None
) -> tuple[bytes, int]:
    """Return file and number of additions, at most `up_to`. The same `seed` makes the same file."""
    engine, unsealer = desk.engine, desk.unsealer
    if not unsealer.can_unseal:
        raise UnsealingUnavailable
    with Session(engine) as session:
        get_concern(session, reference)
        numbers = [row.number for row in list_entries(session, EntryKind.ADDITION, reference)][:up_to]
    concern = unsealer.open(read_sealed(engine, reference), reference=reference)
    places = (EntryPlace(EntryKind.ADDITION, number) for number in numbers)
    additions = [unsealer.open(read_sealed(engine, reference, each), reference=reference) for each in places]
    package = package_of(concern, additions, body=hand_over.body, reason=hand_over.reason, at=at)
    return seal_by_seed(package, str(read_recipient(hand_over.recipient)), seed), len(additions)


def _record(
    session: Session,
    reference: str,
    recorded: HandOver,
    request: Retryable,
    signer: ReceiptSigner,
    *,
    seed: bytes | None,
    actor: Actor,
) -> HandOverEntry:
    """Raise `AlreadyStored` for a retry even after erasure."""
    concern = get_concern(session, reference)
    number = session.exec(select(func.count()).where(HandOverRow.reference == reference)).one() + 1
    fields = recorded.model_dump() | {"number": number}
    claims = {"jti": reference, "iat": int(actor.at.timestamp()), "at": format_utc(actor.at)} | fields
    row = HandOverRow(reference=reference, at=actor.at, receipt=signer.sign(claims, kind=HAND_OVER), **fields)
    entry = hand_over_entry(row)
    stored = StoredHandOver(entry=entry, seed=None if seed is None else seed.hex())
    request.store(session, reference, stored.model_dump_json().encode())
    if concern.erased_at is not None:
        raise ConcernErased
    record_action(session, reference, DeskAct.HANDED_OVER, actor, handed_over_details(row))
    session.add(row)
    session.flush()
    return entry


def _replay(desk: Desk, request: Retryable, hand_over: HandOver) -> IdempotentResult:
    """Make the file again if this service made it. Raise `SealedTextMisplaced` for another digest."""
    found = request.replay(desk.engine)
    stored = StoredHandOver.model_validate_json(found.receipt)
    entry, package = stored.entry, None
    if stored.seed is not None:
        seed, up_to = bytes.fromhex(stored.seed), entry.additions
        package, _ = _make_package(desk, found.reference, hand_over, seed, at=entry.at, up_to=up_to)
        if hashlib.sha256(package).hexdigest() != entry.package_sha256:
            raise SealedTextMisplaced
    return IdempotentResult(found.reference, _answer(entry, package), is_replay=True)


def _answer(entry: HandOverEntry, package: bytes | None) -> bytes:
    encoded = None if package is None else base64.b64encode(package).decode()
    return HandedOver.model_validate(dict(entry) | {"package": encoded}).model_dump_json().encode()
