"""Events of editions, across guides: each was published once, and some were withdrawn."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlmodel import Session, col

from app.models.guidance.guide_tables import EditionRow, WithdrawalRow


class EditionEventKind(StrEnum):
    """The kinds of events of an edition."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class EditionEvent:
    """One event of an edition; `words` are its change note, or the reason of its withdrawal."""

    kind: EditionEventKind
    guide: str
    edition: int
    title: str
    publisher: str
    digest: str
    at: dt.datetime
    words: str


def list_edition_events(session: Session, *, limit: int) -> list[EditionEvent]:
    """Return the latest events, the newest first."""
    edition: list[Any] = [getattr(EditionRow, name) for name in ("guide", "number", "title", "publisher", "digest")]
    published = select(
        literal(EditionEventKind.PUBLISHED.value).label("kind"),
        *edition,
        col(EditionRow.published_at).label("at"),
        col(EditionRow.change_note).label("words"),
    )
    withdrawn = select(
        literal(EditionEventKind.WITHDRAWN.value), *edition, col(WithdrawalRow.withdrawn_at), col(WithdrawalRow.reason)
    ).join(
        WithdrawalRow,
        (col(WithdrawalRow.guide) == EditionRow.guide) & (col(WithdrawalRow.edition) == EditionRow.number),
    )
    both = union_all(published, withdrawn).subquery()
    newest_first = (both.c.at.desc(), both.c.guide, both.c.number.desc(), both.c.kind.desc())
    rows = session.execute(select(both).order_by(*newest_first).limit(limit))
    return [
        EditionEvent(EditionEventKind(row.kind), row.guide, row.number, row.title, row.publisher["name"], *row[5:])
        for row in rows
    ]
