"""The rows of concerns."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import exists, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.errors import ConcernErased, NoSuchConcern, ReferenceTaken
from app.models.concerns.receipts import ConcernState
from app.models.concerns.tables import ConcernRow, NewConcern
from app.models.entries import EntryKind, EntryRow
from app.store.tables import table_of

NO_SUCH_REFERENCE = "No concern has that reference. Check it for a slip."
WITHOUT_SEALED = defer(ConcernRow.sealed)  # type: ignore[arg-type]  # SQLModel types a column as its value
"""Loads the columns of a concern without its sealed text."""
_NEW_CONCERN = insert(table_of(ConcernRow))  # executed with every concern: built once
_DEFAULTS = {
    "state": ConcernState.RECEIVED.value,
    "outcome_shared": False,
    "overdue_told": False,
    "due_soon_announced": False,
    "held": False,
    "additions_waiting": 0,
    "assigned_to": "",
}


def insert_concern(session: Session, concern: NewConcern) -> None:
    """Insert the concern; raises `ReferenceTaken` if another concern has its reference."""
    row = _DEFAULTS | vars(concern) | {"changed_at": concern.received_at}
    try:
        session.connection().execute(_NEW_CONCERN, row)
    except IntegrityError:
        raise ReferenceTaken from None


def find_concern(session: Session, reference: str) -> ConcernRow | None:
    """Return the concern of that reference, or None. Its sealed text, which may be large, is not read."""
    return session.get(ConcernRow, reference, options=[WITHOUT_SEALED])


def get_concern(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern`."""
    concern = find_concern(session, reference)
    if concern is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return concern


def get_unerased(session: Session, reference: str) -> ConcernRow:
    """Return the concern of that reference without its sealed text; raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


def read_concern(session: Session, reference: str) -> bytes | None:
    """Return the sealed text of a concern; None if it was erased."""
    return session.exec(select(ConcernRow.sealed).where(ConcernRow.reference == reference)).first()


def erase_sealed(session: Session, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Erase the sealed text of the concern and of its entries; the rows stay."""
    session.exec(update(EntryRow).where(col(EntryRow.reference) == concern.reference).values(sealed=None))
    concern.sealed, concern.erased_at = None, at
    session.flush()


def due_for_erasure(session: Session, *, state: str, before: dt.datetime, limit: int) -> Sequence[str]:
    """Return the references of concerns that entered the state before that time.

    Left out are concerns on hold, those already erased, and those with an addition that nobody acknowledged before
    that time.
    """
    since = ConcernRow.closed_at if state == ConcernState.CLOSED else ConcernRow.acknowledged_at
    return session.exec(
        select(ConcernRow.reference)
        .where(
            ConcernRow.state == state,
            col(since) < before,
            ~exists().where(
                col(EntryRow.reference) == ConcernRow.reference,
                col(EntryRow.kind) == EntryKind.ADDITION.value,
                or_(col(EntryRow.acknowledged_at).is_(None), col(EntryRow.acknowledged_at) >= before),
            ),
            col(ConcernRow.held).is_(False),
            col(ConcernRow.erased_at).is_(None),
        )
        .order_by(col(since))
        .limit(limit)
    ).all()


def tests_due_for_erasure(session: Session, *, before: dt.datetime, limit: int) -> Sequence[str]:
    """Return the references of tests that were received before that time, without those on hold and those erased."""
    return session.exec(
        select(ConcernRow.reference)
        .where(
            col(ConcernRow.test).is_(True),
            ConcernRow.received_at < before,
            col(ConcernRow.held).is_(False),
            col(ConcernRow.erased_at).is_(None),
        )
        .order_by(col(ConcernRow.received_at))
        .limit(limit)
    ).all()
