"""The rows of concerns that are not sent yet."""

import datetime as dt

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from app.models.concerns.draft_tables import DraftRow


def count_drafts(session: Session) -> int:
    """Return how many drafts there are, with those that have expired and are not erased yet."""
    return session.exec(select(func.count()).select_from(DraftRow)).one()


def claim_draft(
    session: Session, *, draft_id: bytes, page_sha256: bytes, at: dt.datetime, until: dt.datetime
) -> bytes | None:
    """Return the encrypted draft to the first page that opens it, and to that page alone until then; else None."""
    claimed = (
        update(DraftRow)
        .where(
            col(DraftRow.draft_id) == draft_id,
            col(DraftRow.expires_at) > at,
            or_(col(DraftRow.opened_by_sha256).is_(None), col(DraftRow.opened_by_sha256) == page_sha256),
        )
        .values(opened_by_sha256=page_sha256)
        .returning(col(DraftRow.sealed))
    )
    sealed: bytes | None = session.connection().execute(claimed).scalar_one_or_none()
    soon = update(DraftRow).where(col(DraftRow.draft_id) == draft_id, col(DraftRow.expires_at) > until)
    if sealed is not None:
        session.connection().execute(soon.values(expires_at=until))
    return sealed


def delete_expired_drafts(session: Session, *, at: dt.datetime) -> int:
    """Delete every draft that has expired, and return how many."""
    return session.connection().execute(delete(DraftRow).where(col(DraftRow.expires_at) <= at)).rowcount
