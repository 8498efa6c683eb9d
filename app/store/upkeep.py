"""What of the published editions is to be checked by a person from time to time."""

import datetime as dt
from collections.abc import Sequence

from sqlmodel import Session, col, select, tuple_

from app.models.guidance.guide_tables import ContactRow, EditionRow
from app.store.editions import EditionKey


def list_contact_checks(session: Session, editions: Sequence[EditionKey]) -> list[tuple[str, dt.date | None]]:
    """Return what names each contact of those editions, and the day on which a person last checked it."""
    of_them = tuple_(col(ContactRow.guide), col(ContactRow.edition)).in_(editions)
    rows = session.exec(select(ContactRow).where(of_them))
    return [(f"{each.guide}/{each.id}", each.verified_on) for each in rows]


def list_dated_reviews(session: Session, editions: Sequence[EditionKey]) -> list[tuple[EditionKey, dt.date]]:
    """Return those editions that name the day of their next review, the first day first."""
    of_them = tuple_(col(EditionRow.guide), col(EditionRow.number)).in_(editions)
    rows = session.exec(select(EditionRow).where(of_them))
    dated = [(EditionKey(each.guide, each.number), each.review_by) for each in rows if each.review_by is not None]
    return sorted(dated, key=lambda each: each[1])
