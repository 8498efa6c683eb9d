"""The rows of hand-overs."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from app.errors import NoSuchItem
from app.models.desk.hand_over_tables import HandOverRow


def count_hand_overs(session: Session, reference: str) -> int:
    """Return how often the concern was handed over."""
    return session.exec(select(func.count()).where(HandOverRow.reference == reference)).one()


def list_hand_overs(session: Session, reference: str) -> Sequence[HandOverRow]:
    """Return the hand-overs of the concern, in order."""
    rows = select(HandOverRow).where(HandOverRow.reference == reference)
    return session.exec(rows.order_by(col(HandOverRow.number))).all()


def get_hand_over(session: Session, reference: str, number: int) -> HandOverRow:
    """Return one hand-over. Raises `NoSuchItem`."""
    row = session.get(HandOverRow, (reference, number))
    if row is None:
        raise NoSuchItem("The concern has no hand-over of that number.")
    return row
