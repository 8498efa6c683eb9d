"""Hand-overs of concerns to other organisations.

The file for the organisation has the decrypted concern and its additions, encrypted to the organisation's key. Before
the service returns the file, the audit log records the digest of the file, the organisation and the reason.
"""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from pyrage import x25519
from sqlmodel import Session, col, func, select

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
from app.models.audit.audit_log import DeskAct
from app.models.audit.details import ShownDetails
from app.models.audit.entry_kinds import EntryKind, EntryPlace
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
    """The result of a hand-over, stored for retries: the entry, and the seed (hex) if this service made the file.

    With the seed, this service can make the same file again. `seed` is None if the client made the file.
    """

    entry: HandOverEntry
    seed: str | None


@dataclass(frozen=True)
class _NewHandOver:
    """A hand-over to record, and the signer of its receipt.

    `seed` is the random number from which this service made the file, or None if the client made the file.
    """

    recorded: HandOver
    signer: ReceiptSigner
    seed: bytes | None


def hand_over(desk: Desk, reference: str, wanted: HandOver, actor: Actor, key: str | None = None) -> IdempotentResult:
    """Record the hand-over in the audit log, and return its entry (JSON).

    If `wanted.package_sha256` is None, this service makes the file, and the JSON has the file too. Otherwise the client
    has made the file. A retry with the same idempotency key `key` records nothing, and returns the same entry and file.
    If this service made the file and the concern has been erased since, a retry raises `ConcernErased`.

    Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern was erased, `ValidationFailed` if
    the recipient is not an age public key, `IdempotencyKeyReused` if `key` was used for other content, or `StoreBusy`
    if the hand-over could not be stored in time. Raise `ChangedMeanwhile` if, after `actor.seen`, another client
    changed the concern, added an addition or a note, sent a message or handed the concern over. Also raise
    `ChangedMeanwhile` if the same client handed the concern over after `actor.seen`.

    If this service makes the file, raise `UnsealingUnavailable` if this process has no identity for a text. Raise
    `SealedTextMisplaced` if a text does not belong to the concern, or if the file made for a retry has another digest.
    """
    read_recipient(wanted.recipient)
    recorded, package, seed = wanted, None, None
    if wanted.package_sha256 is None:
        seed = secrets.token_bytes(SEED_BYTES)
        package, count = _make_package(desk, reference, wanted, seed, at=actor.at)
        recorded = wanted.model_copy(update={"package_sha256": file_sha256(package), "additions": count})
    keys = derive_idempotency_keys(key, client=f"{actor.client}, hand-over of {reference}")
    request, new = Retryable(canonical_submission(wanted), keys), _NewHandOver(recorded, desk.signer, seed)
    try:
        entry = desk.writer.run(_record, reference, new, request, actor=actor)
    except AlreadyStored:
        return _replay(desk, request, wanted)
    return IdempotentResult(reference, _answer(entry, package), is_replay=False)


def confirm_hand_over(
    session: Session, reference: str, number: int, wanted: HandOverReceipt, actor: Actor
) -> HandOverEntry:
    """Store `wanted.receipt`, which the other organisation gave for the hand-over `number`.

    Return the hand-over's entry. Record a digest of the receipt in the audit log. A repeat with the same receipt
    changes nothing. Raise `NoSuchConcern` if the reference is unknown, `NoSuchItem` if there is no hand-over `number`,
    or `ValidationFailed` if a different receipt is already stored.
    """
    get_concern(session, reference)
    row, receipt = session.get(HandOverRow, (reference, number)), wanted.receipt
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
    """Record the reading in the audit log, and return all hand-overs of the concern as entries, by number.

    Raise `NoSuchConcern` if the reference is unknown.
    """
    get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="hand-overs"))
    return tuple(hand_over_entry(row) for row in list_hand_overs(session, reference))


def list_hand_overs(session: Session, reference: str) -> Sequence[HandOverRow]:
    """Return the rows of all hand-overs of the concern, by number. Nothing is recorded in the audit log."""
    rows = select(HandOverRow).where(HandOverRow.reference == reference)
    return session.exec(rows.order_by(col(HandOverRow.number))).all()


def hand_over_entry(row: HandOverRow) -> HandOverEntry:
    """Return the hand-over in `row` as a `HandOverEntry`, which responses contain."""
    return HandOverEntry.model_validate({name: getattr(row, name) for name in HandOverEntry.model_fields})


def read_recipient(text: str) -> x25519.Recipient:
    """Return `text` as an age recipient (a public key). Raise `ValidationFailed` if `text` is not an age recipient."""
    try:
        return parse_recipient(text)
    except NotAKey:
        raise ValidationFailed([FieldError(("recipient",), NOT_A_RECIPIENT)]) from None


def package_of(
    concern: dict[str, Any], additions: Sequence[dict[str, Any]], *, body: str, reason: str, at: dt.datetime
) -> bytes:
    """Return the file for an organisation before encryption, as JSON: the decrypted `concern` and `additions`.

    `body` is the name of the organisation, and `at` is the time of the hand-over. The file also names the `reason`.
    """
    document = {
        "kind": PACKAGE_KIND,
        "handed_over_at": format_utc(at),
        "body": body,
        "reason": reason,
        "concern": concern,
        "additions": list(additions),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def file_sha256(sealed: bytes) -> str:
    """Return the SHA-256 of the encrypted file `sealed` in hexadecimal. The audit log records this digest."""
    return hashlib.sha256(sealed).hexdigest()


def _make_package(
    desk: Desk, reference: str, wanted: HandOver, seed: bytes, *, at: dt.datetime, up_to: int | None = None
) -> tuple[bytes, int]:
    """Return the encrypted file for the organisation that `wanted` names, and the number of additions in the file.

    Include the first `up_to` additions, or all additions if `up_to` is None. The same `seed` makes the same file again.
    `at` is the time of the hand-over. Raise `NoSuchConcern` if the reference is unknown, `ConcernErased` if the concern
    was erased, `UnsealingUnavailable` if this process has no identity for a text, or `SealedTextMisplaced` if a text
    does not belong to the concern.
    """
    engine, unsealer = desk.engine, desk.unsealer
    if not unsealer.can_unseal:
        raise UnsealingUnavailable
    with Session(engine) as session:
        get_concern(session, reference)
        numbers = [row.number for row in list_entries(session, EntryKind.ADDITION, reference)][:up_to]
    concern = unsealer.open(read_sealed(engine, reference), reference=reference)
    places = (EntryPlace(EntryKind.ADDITION, number) for number in numbers)
    additions = [unsealer.open(read_sealed(engine, reference, each), reference=reference) for each in places]
    package = package_of(concern, additions, body=wanted.body, reason=wanted.reason, at=at)
    return seal_by_seed(package, str(read_recipient(wanted.recipient)), seed), len(additions)


def _record(session: Session, reference: str, new: _NewHandOver, request: Retryable, *, actor: Actor) -> HandOverEntry:
    """Insert the hand-over `new` under the next number, record it in the audit log, and return its entry.

    Raise `NoSuchConcern` if the reference is unknown. Raise `AlreadyStored` if `request` is a retry, even if the
    concern has since been erased. Otherwise raise `ConcernErased` if the concern was erased, or `ChangedMeanwhile`
    under the conditions of `hand_over`.
    """
    concern = get_concern(session, reference)
    number = session.exec(select(func.count()).where(HandOverRow.reference == reference)).one() + 1
    fields = new.recorded.model_dump() | {"number": number}
    claims = {"jti": reference, "iat": int(actor.at.timestamp()), "at": format_utc(actor.at)} | fields
    row = HandOverRow(reference=reference, at=actor.at, receipt=new.signer.sign(claims, kind=HAND_OVER), **fields)
    entry = hand_over_entry(row)
    stored = StoredHandOver(entry=entry, seed=None if new.seed is None else new.seed.hex())
    request.store(session, reference, stored.model_dump_json().encode())
    if concern.erased_at is not None:
        raise ConcernErased
    record_action(session, reference, DeskAct.HANDED_OVER, actor, handed_over_details(row))
    session.add(row)
    session.flush()
    return entry


def _replay(desk: Desk, request: Retryable, wanted: HandOver) -> IdempotentResult:
    """Return the result of the first request, of which `request` is a retry.

    If this service made the file, make it again. Raise `IdempotencyKeyReused` if the content of the two requests
    differs. If the file is made again, raise `SealedTextMisplaced` if it does not have the recorded digest, or if a
    text does not belong to the concern. In this case, also raise `ConcernErased` if the concern was erased, or
    `UnsealingUnavailable` if this process has no identity for a text.
    """
    found = request.replay(desk.engine)
    stored = StoredHandOver.model_validate_json(found.receipt)
    entry, package = stored.entry, None
    if stored.seed is not None:
        seed, up_to = bytes.fromhex(stored.seed), entry.additions
        package, _ = _make_package(desk, found.reference, wanted, seed, at=entry.at, up_to=up_to)
        if file_sha256(package) != entry.package_sha256:
            raise SealedTextMisplaced
    return IdempotentResult(found.reference, _answer(entry, package), is_replay=True)


def _answer(entry: HandOverEntry, package: bytes | None) -> bytes:
    encoded = None if package is None else base64.b64encode(package).decode()
    return HandedOver.model_validate(dict(entry) | {"package": encoded}).model_dump_json().encode()
