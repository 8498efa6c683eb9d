"""Reads of the rows of all current editions: what they say of themselves, without their sections."""

from sqlmodel import Session, select

from app.models.guidance.guide_tables import EditionRow
from app.store.editions import list_current

MAX_CURRENT_EDITIONS = 10_000


def list_current_rows(session: Session) -> list[EditionRow]:
    """Return the row of each guide's current edition, by the guide's name."""
    current = {head.key for head in list_current(session, limit=MAX_CURRENT_EDITIONS)}
    rows = session.exec(select(EditionRow).order_by(EditionRow.guide))
    return [row for row in rows if (row.guide, row.number) in current]
