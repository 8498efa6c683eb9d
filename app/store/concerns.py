"""The rows of concerns, of what was added to them, and of the receipts kept for retries."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import AlreadyStored, NoSuchConcern, ReferenceTaken
from app.models.concerns.tables import AdditionRow, ConcernRow, ConcernState, KeptReceiptRow
from app.store.tables import table_of

# Inserted with every concern: built once.
_NEW_CONCERN = insert(table_of(ConcernRow))
_NEW_KEPT_RECEIPT = insert(table_of(KeptReceiptRow))
_AS_EVERY_NEW_ONE = {
    "state": ConcernState.RECEIVED.value,
    "outcome_shared": False,
    "overdue_told": False,
    "held": False,
}


@dataclass(frozen=True)
class NewConcern:
    """A concern as it is received: the columns of its row that are not as they are in every new one."""

    reference: str
    received_at: dt.datetime
    acknowledge_by: dt.datetime
    immediate_danger: str
    guide: str
    edition: int
    referral_source: str | None
    form_version: int
    recipients: Sequence[str]
    sealed: bytes
    status_token_sha256: bytes


def insert_concerns(session: Session, concerns: Sequence[NewConcern]) -> None:
    """Insert them; raises `ReferenceTaken` where another concern has a reference of theirs."""
    try:
        session.connection().execute(_NEW_CONCERN, [_AS_EVERY_NEW_ONE | vars(concern) for concern in concerns])
    except IntegrityError:
        raise ReferenceTaken from None


def insert_kept_receipts(session: Session, kept: Sequence[KeptReceiptRow]) -> None:
    """Insert them; raises `AlreadyStored` where an idempotency key was used before."""
    if not kept:
        return
    try:
        session.connection().execute(_NEW_KEPT_RECEIPT, [each.model_dump() for each in kept])
    except IntegrityError:
        raise AlreadyStored from None


def find_kept_receipt(session: Session, *, key_sha256: bytes) -> KeptReceiptRow | None:
    """Return the receipt that was stored under that idempotency key."""
    return session.get(KeptReceiptRow, key_sha256)


def find_concern(session: Session, *, reference: str) -> ConcernRow | None:
    """Return the concern of that reference."""
    return session.get(ConcernRow, reference)


def get_concern(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference; raises `NoSuchConcern`."""
    concern = find_concern(session, reference=reference)
    if concern is None:
        raise NoSuchConcern
    return concern


def insert_addition(
    session: Session, reference: str, *, at: dt.datetime, recipients: Sequence[str], sealed: bytes
) -> None:
    """Insert an addition under the next number of its concern."""
    last = session.exec(select(func.max(AdditionRow.number)).where(AdditionRow.reference == reference)).one() or 0
    session.add(
        AdditionRow(reference=reference, number=last + 1, received_at=at, recipients=list(recipients), sealed=sealed)
    )
    session.flush()


def list_additions(session: Session, reference: str) -> list[AdditionRow]:
    """Return what was added to the concern, in the order of arrival."""
    added = select(AdditionRow).where(AdditionRow.reference == reference).order_by(col(AdditionRow.number))
    return list(session.exec(added))


def erase_sealed(session: Session, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Take the sealed text of the concern and of its additions away; the rows stay."""
    session.exec(update(AdditionRow).where(col(AdditionRow.reference) == concern.reference).values(sealed=None))
    concern.sealed, concern.erased_at = None, at
    session.flush()


def due_for_erasure(session: Session, *, state: str, before: dt.datetime, limit: int) -> Sequence[str]:
    """List concerns in that state, with nothing added, since before the moment; not held, not yet erased."""
    since = ConcernRow.closed_at if state == ConcernState.CLOSED else ConcernRow.acknowledged_at
    return session.exec(
        select(ConcernRow.reference)
        .where(
            ConcernRow.state == state,
            col(since) < before,
            or_(col(ConcernRow.added_at).is_(None), col(ConcernRow.added_at) < before),
            col(ConcernRow.held).is_(False),
            col(ConcernRow.sealed).is_not(None),
        )
        .order_by(col(since))
        .limit(limit)
    ).all()


@dataclass(frozen=True)
class SealedText:
    """Where a sealed text stands: a concern's own, or its numbered addition; and what it is sealed to."""

    reference: str
    number: int | None
    recipients: tuple[str, ...]


def list_sealed(session: Session) -> list[SealedText]:
    """Return every sealed text that was not erased, without the text."""
    own = session.exec(select(ConcernRow.reference, ConcernRow.recipients).where(col(ConcernRow.sealed).is_not(None)))
    added = session.exec(
        select(AdditionRow.reference, AdditionRow.number, AdditionRow.recipients).where(
            col(AdditionRow.sealed).is_not(None)
        )
    )
    return [
        *(SealedText(reference, None, tuple(recipients)) for reference, recipients in own),
        *(SealedText(reference, number, tuple(recipients)) for reference, number, recipients in added),
    ]


def read_sealed(session: Session, text: SealedText) -> bytes:
    """Return the sealed text; empty where it was erased meanwhile."""
    return _row_of(session, text).sealed or b""


def replace_sealed(session: Session, text: SealedText, *, sealed: bytes, recipients: Sequence[str]) -> None:
    """Put the same words under another seal, unless they were erased meanwhile."""
    row = _row_of(session, text)
    if row.sealed is not None:
        row.sealed, row.recipients = sealed, list(recipients)
        session.flush()


def _row_of(session: Session, text: SealedText) -> ConcernRow | AdditionRow:
    if text.number is None:
        return session.get_one(ConcernRow, text.reference)
    return session.get_one(AdditionRow, (text.reference, text.number))
