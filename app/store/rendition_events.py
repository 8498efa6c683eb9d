"""Events of renditions, across guides: each was published once, and some were withdrawn."""

import datetime as dt
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlmodel import Session, col, select

from app.models.guidance.guide_tables import EditionRow
from app.models.guidance.rendition_tables import RenditionRow, RenditionWithdrawalRow
from app.store.edition_events import EditionEventKind
from app.store.renditions import StoredRendition, stored_rendition

_OF_ITS_EDITION = (col(EditionRow.guide) == RenditionRow.guide) & (col(EditionRow.number) == RenditionRow.edition)
_OF_IT = (
    (col(RenditionWithdrawalRow.guide) == RenditionRow.guide)
    & (col(RenditionWithdrawalRow.language) == RenditionRow.language)
    & (col(RenditionWithdrawalRow.number) == RenditionRow.number)
)


@dataclass(frozen=True)
class RenditionEvent:
    """One event of a rendition, with the title, the publisher and the digest of its edition."""

    kind: EditionEventKind
    rendition: StoredRendition
    title: str
    publisher: str
    edition_digest: str
    at: dt.datetime


def list_rendition_events(session: Session, *, limit: int) -> list[RenditionEvent]:
    """Return the latest events, the newest first."""
    joined: Any = select(RenditionRow, RenditionWithdrawalRow, EditionRow).join(EditionRow, _OF_ITS_EDITION)
    ties = (RenditionRow.guide, RenditionRow.language, col(RenditionRow.number).desc())
    published = joined.outerjoin(RenditionWithdrawalRow, _OF_IT).order_by(col(RenditionRow.published_at).desc(), *ties)
    withdrawn = joined.join(RenditionWithdrawalRow, _OF_IT).order_by(
        col(RenditionWithdrawalRow.withdrawn_at).desc(), *ties
    )
    events = [
        *(_event(EditionEventKind.WITHDRAWN, *row) for row in session.exec(withdrawn.limit(limit))),
        *(_event(EditionEventKind.PUBLISHED, *row) for row in session.exec(published.limit(limit))),
    ]
    return sorted(events, key=attrgetter("at"), reverse=True)[:limit]


def _event(
    kind: EditionEventKind, row: RenditionRow, withdrawal: RenditionWithdrawalRow | None, edition: EditionRow
) -> RenditionEvent:
    at = row.published_at if kind is EditionEventKind.PUBLISHED or withdrawal is None else withdrawal.withdrawn_at
    stored = stored_rendition(row, withdrawal)
    return RenditionEvent(kind, stored, edition.title, edition.publisher["name"], edition.digest, at)
