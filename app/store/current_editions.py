"""Reads of the rows of all current editions: what they say of themselves, without their sections."""

from sqlmodel import Session, col, select

from app.models.guidance.guide_tables import EditionRow
from app.store.editions import newest_readable

MAX_CURRENT_EDITIONS = 10_000


def list_current_rows(session: Session) -> list[EditionRow]:
    """Return the row of each guide's current edition, by the guide's name."""
    newest = newest_readable()
    is_newest = (col(EditionRow.guide) == newest.c.guide) & (col(EditionRow.number) == newest.c.number)
    found = select(EditionRow).join(newest, is_newest).order_by(EditionRow.guide)
    return list(session.exec(found, params={"after": "", "limit": MAX_CURRENT_EDITIONS}))
