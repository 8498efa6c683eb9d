"""The places of all sealed texts: of concerns, and of what was added to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import literal, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow
from app.models.entries import FOR_THE_DESK, EntryKind, EntryPlace, EntryRow
from app.store.tables import table_of

SEALED_KINDS: tuple[EntryKind | None, ...] = (None, *FOR_THE_DESK)
"""Where texts that the desk opens are: in the concerns themselves, and in these kinds of entries."""


@dataclass(frozen=True)
class SealedPlace:
    """The place of a sealed text, a concern's own or one that was added, and the recipients that it is sealed to."""

    reference: str
    added: EntryPlace | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        """Return its name for an operator."""
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed(session: Session) -> list[SealedPlace]:
    """Return the place of every sealed text that was not erased."""
    return [text for kind in SEALED_KINDS for text in list_sealed_of(session, kind)]


def list_sealed_of(
    session: Session, kind: EntryKind | None, *, after: SealedPlace | None = None, limit: int | None = None
) -> list[SealedPlace]:
    """Return the places of the sealed texts of one kind, in order; None: the texts of the concerns themselves."""
    row = table_of(ConcernRow if kind is None else EntryRow).c
    order = (row.reference,) if kind is None else (row.reference, row.number)
    statement = select_columns(row.recipients, *order).where(row.sealed.is_not(None)).order_by(*order).limit(limit)
    if kind is not None:
        statement = statement.where(row.kind == kind.value)
    if after is not None:
        values = (after.reference,) if after.added is None else (after.reference, after.added.number)
        position = (literal(value, column.type) for value, column in zip(values, order, strict=True))
        statement = statement.where(tuple_(*order) > tuple_(*position))
    return [
        SealedPlace(reference, None if kind is None else EntryPlace(kind, *number), tuple(recipients))
        for recipients, reference, *number in session.connection().execute(statement)
    ]


def find_newest_recipients(session: Session) -> Sequence[str] | None:
    """Return what the newest concern is sealed to, or None if there is no concern."""
    return session.exec(select(ConcernRow.recipients).order_by(col(ConcernRow.received_at).desc()).limit(1)).first()


def read_sealed(session: Session, text: SealedPlace) -> bytes:
    """Return the sealed text; empty if it was erased meanwhile."""
    return _row_of(session, text).sealed or b""


def replace_sealed(session: Session, text: SealedPlace, *, sealed: bytes, recipients: Sequence[str]) -> None:
    """Replace the sealed text with the same words sealed to other recipients, right after its disclosure."""
    row = _row_of(session, text)
    row.sealed, row.recipients = sealed, list(recipients)
    session.flush()


def _row_of(session: Session, text: SealedPlace) -> ConcernRow | EntryRow:
    if text.added is None:
        return session.get_one(ConcernRow, text.reference)
    return session.get_one(EntryRow, (text.reference, text.added.kind.value, text.added.number))
