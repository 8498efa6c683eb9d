"""The rows of concerns, of what was added to them, and of the receipts kept for retries."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

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


def insert_concerns(connection: Connection, concerns: Sequence[NewConcern]) -> None:
    """Insert them; raises `ReferenceTaken` where another concern has a reference of theirs."""
    try:
        connection.execute(_NEW_CONCERN, [_AS_EVERY_NEW_ONE | vars(concern) for concern in concerns])
    except IntegrityError:
        raise ReferenceTaken from None


def insert_kept_receipts(connection: Connection, kept: Sequence[KeptReceiptRow]) -> None:
    """Insert them; raises `AlreadyStored` where an idempotency key was used before."""
    if not kept:
        return
    try:
        connection.execute(_NEW_KEPT_RECEIPT, [each.model_dump() for each in kept])
    except IntegrityError:
        raise AlreadyStored from None


def find_kept_receipt(session: Session, *, key_sha256: bytes) -> KeptReceiptRow | None:
    """The receipt that was kept under that idempotency key."""
    return session.scalar(select(KeptReceiptRow).where(col(KeptReceiptRow.key_sha256) == key_sha256))


def find_concern(session: Session, *, reference: str) -> ConcernRow | None:
    """The concern of that reference."""
    return session.get(ConcernRow, reference)


def get_concern(session: Session | Connection, reference: str) -> ConcernRow:
    """The concern of that reference; raises `NoSuchConcern`."""
    concerns = table_of(ConcernRow)
    row = session.execute(select(concerns).where(concerns.c.reference == reference)).mappings().one_or_none()
    if row is None:
        raise NoSuchConcern
    return ConcernRow(**row)


def update_concern(connection: Connection, reference: str, **columns: Any) -> None:
    """Set those columns; the database refuses what must not be."""
    connection.execute(update(ConcernRow).where(col(ConcernRow.reference) == reference).values(**columns))


def insert_addition(connection: Connection, addition: AdditionRow) -> None:
    """Insert it under the next number of its concern."""
    additions = table_of(AdditionRow).c
    last = connection.scalar(select(func.max(additions.number)).where(additions.reference == addition.reference))
    connection.execute(insert(AdditionRow), [addition.model_dump() | {"number": (last or 0) + 1}])


def list_additions(session: Session | Connection, reference: str) -> list[AdditionRow]:
    """What was added to the concern, in the order of arrival."""
    additions = table_of(AdditionRow)
    rows = session.execute(
        select(additions).where(additions.c.reference == reference).order_by(additions.c.number)
    ).mappings()
    return [AdditionRow(**row) for row in rows]


def erase_sealed(connection: Connection, reference: str, *, at: dt.datetime) -> None:
    """Take the sealed text of the concern and of its additions away; the rows stay."""
    connection.execute(update(AdditionRow).where(col(AdditionRow.reference) == reference).values(sealed=None))
    update_concern(connection, reference, sealed=None, erased_at=at)


def due_for_erasure(session: Session | Connection, *, state: str, before: dt.datetime, limit: int) -> Sequence[str]:
    """References of concerns in that state, with nothing added, since before the moment; not held, not yet erased."""
    since = ConcernRow.closed_at if state == ConcernState.CLOSED else ConcernRow.acknowledged_at
    return list(
        session.scalars(
            select(col(ConcernRow.reference))
            .where(
                col(ConcernRow.state) == state,
                col(since) < before,
                or_(col(ConcernRow.added_at).is_(None), col(ConcernRow.added_at) < before),
                col(ConcernRow.held).is_(False),
                col(ConcernRow.sealed).is_not(None),
            )
            .order_by(col(since))
            .limit(limit)
        )
    )


@dataclass(frozen=True)
class SealedText:
    """Where a sealed text stands: a concern's own, or its numbered addition; and what it is sealed to."""

    reference: str
    number: int | None
    recipients: tuple[str, ...]


def list_sealed(session: Session) -> list[SealedText]:
    """Every sealed text that was not erased, without the text."""
    concerns, additions = table_of(ConcernRow).c, table_of(AdditionRow).c
    own = session.execute(select(concerns.reference, concerns.recipients).where(concerns.sealed.is_not(None)))
    added = session.execute(
        select(additions.reference, additions.number, additions.recipients).where(additions.sealed.is_not(None))
    )
    return [
        *(SealedText(reference, None, tuple(recipients)) for reference, recipients in own),
        *(SealedText(reference, number, tuple(recipients)) for reference, number, recipients in added),
    ]


def read_sealed(session: Session, text: SealedText) -> bytes:
    """The sealed text; empty where it was erased meanwhile."""
    return session.execute(select(_table_of(text).c.sealed).where(_is_it(text))).scalar_one() or b""


def replace_sealed(connection: Connection, text: SealedText, *, sealed: bytes, recipients: Sequence[str]) -> None:
    """Put the same words under another seal."""
    table = _table_of(text)
    still_there = _is_it(text) & table.c.sealed.is_not(None)
    connection.execute(update(table).where(still_there).values(sealed=sealed, recipients=list(recipients)))


def _table_of(text: SealedText) -> Table:
    return table_of(ConcernRow if text.number is None else AdditionRow)


def _is_it(text: SealedText) -> ColumnElement[bool]:
    columns = _table_of(text).c
    is_its: ColumnElement[bool] = columns.reference == text.reference
    return is_its if text.number is None else is_its & (columns.number == text.number)
