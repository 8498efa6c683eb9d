"""The last acts on one concern, for the page that shows it."""

from sqlmodel import Session, col, select

from app.models.desk.disclosure_tables import DisclosureRow


def list_last_acts(session: Session, reference: str, *, limit: int) -> list[DisclosureRow]:
    """Return the last rows of the concern's chain, the newest first."""
    of_concern = select(DisclosureRow).where(DisclosureRow.chain == reference)
    return list(session.exec(of_concern.order_by(col(DisclosureRow.number).desc()).limit(limit)))
