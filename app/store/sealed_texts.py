"""The places of all sealed texts: of concerns, and of what was added to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.models.concerns.tables import AddedRow, ConcernRow
from app.models.desk.added_texts import AddedText
from app.store.added_texts import ALL_ADDED


@dataclass(frozen=True)
class SealedPlace:
    """The place of a sealed text, a concern's own or one that was added, and the recipients that it is sealed to."""

    reference: str
    added: AddedText | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        """Return its name for an operator."""
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed(session: Session) -> list[SealedPlace]:
    """Return the place of every sealed text that was not erased."""
    own = select(ConcernRow.reference, ConcernRow.recipients).where(col(ConcernRow.sealed).is_not(None))
    texts = [SealedPlace(reference, None, tuple(recipients)) for reference, recipients in session.exec(own)]
    for kind, each in ALL_ADDED.items():
        row = each.row
        added = select(row.reference, row.number, row.recipients).where(col(row.sealed).is_not(None))
        texts += [SealedPlace(ref, AddedText(kind, number), tuple(to)) for ref, number, to in session.exec(added)]
    return texts


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


def _row_of(session: Session, text: SealedPlace) -> ConcernRow | AddedRow:
    if text.added is None:
        return session.get_one(ConcernRow, text.reference)
    return session.get_one(ALL_ADDED[text.added.kind].row, (text.reference, text.added.number))
