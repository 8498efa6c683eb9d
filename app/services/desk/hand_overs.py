"""Handing a concern over to another body: on the record with digest, body and reason before the file leaves."""

import base64
import datetime as dt
import hashlib
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import UnsealingUnavailable, ValidationFailed
from app.faults import FieldError
from app.models.base import format_utc
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.hand_over_entries import confirmed_detail, handed_over_detail
from app.models.desk.hand_over_tables import HandOverRow
from app.models.desk.hand_overs import HandedOver, HandOver, HandOverEntry
from app.services.concerns.hand_over_package import parse_recipient, seal_package
from app.services.concerns.receipt_signing import HAND_OVER, ReceiptSigner
from app.services.concerns.unsealing import Unsealer
from app.services.desk.opening import read_sealed_added, read_sealed_concern
from app.store.added_texts import ADDITIONS
from app.store.concerns import get_concern, get_unerased
from app.store.concurrent import concern_operation
from app.store.disclosures import Actor, record_disclosure
from app.store.hand_overs import count_hand_overs, get_hand_over, list_hand_overs
from app.store.writer import Writer

ANOTHER_RECEIPT = "The receipt of this hand-over is stored already, and is another one."


def hand_over(
    engine: Engine,
    writer: Writer,
    reference: str,
    wanted: HandOver,
    *,
    signer: ReceiptSigner,
    unsealer: Unsealer,
    actor: Actor,
    at: dt.datetime,
) -> HandedOver:
    """Record the hand-over, and return its entry; with the file, where it was not made on the worker's machine.

    Raises `NoSuchConcern`, `ConcernErased`, `ValidationFailed`, `UnsealingUnavailable` or `SealedTextMisplaced`.
    """
    recipient, package = parse_recipient(wanted.recipient), None
    if wanted.package_sha256 is None:
        concern, additions = _open_all(engine, reference, unsealer)
        package = seal_package(concern, additions, recipient=recipient, body=wanted.body, reason=wanted.reason, at=at)
        sha256 = hashlib.sha256(package).hexdigest()
        wanted = wanted.model_copy(update={"package_sha256": sha256, "additions": len(additions)})
    entry = _record(writer, reference, wanted, signer=signer, actor=actor, at=at)
    encoded = None if package is None else base64.b64encode(package).decode()
    return HandedOver.model_validate(dict(entry) | {"package": encoded})


@concern_operation
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


@concern_operation
def read_hand_overs(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> tuple[HandOverEntry, ...]:
    """Return the hand-overs of the concern. Raises `NoSuchConcern`."""
    get_concern(session, reference)
    record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail="hand-overs")
    return tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))


def _open_all(engine: Engine, reference: str, unsealer: Unsealer) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if not unsealer.can_unseal:
        raise UnsealingUnavailable
    with Session(engine) as session:
        get_concern(session, reference)
        numbers = [row.number for row in ADDITIONS.list(session, reference)]
    concern = unsealer.open(read_sealed_concern(engine, reference), reference=reference)
    sealed = (read_sealed_added(engine, ADDITIONS, reference, number) for number in numbers)
    return concern, [unsealer.open(each, reference=reference) for each in sealed]


@concern_operation
def _record(
    session: Session, reference: str, wanted: HandOver, *, signer: ReceiptSigner, actor: Actor, at: dt.datetime
) -> HandOverEntry:
    get_unerased(session, reference)
    fields = wanted.model_dump() | {"number": count_hand_overs(session, reference) + 1}
    claims = {"jti": reference, "iat": int(at.timestamp()), "at": format_utc(at)} | fields
    row = HandOverRow(reference=reference, at=at, receipt=signer.sign(claims, kind=HAND_OVER), **fields)
    detail = handed_over_detail(row)
    record_disclosure(session, chain=reference, act=DeskAct.HANDED_OVER, actor=actor, at=at, detail=detail)
    session.add(row)
    session.flush()
    return hand_over_entry(row)


def hand_over_entry(row: HandOverRow) -> HandOverEntry:
    """Return the entry of a hand-over."""
    return HandOverEntry.model_validate({name: getattr(row, name) for name in HandOverEntry.model_fields})
