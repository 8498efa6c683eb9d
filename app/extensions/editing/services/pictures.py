"""Pictures of drafts: stored once, and deleted when nothing uses them any more."""

from collections.abc import Iterable

from sqlalchemy import String, cast
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.extensions.editing.tables import GuideDraftRow
from app.models.guides.edition_rows import EditionRow, PictureRow
from app.services.guides.pictures import digest_of_picture

_EDITIONS = table_of(EditionRow)


def store_picture(session: Session, data: bytes) -> str:
    """Return its digest."""
    digest = digest_of_picture(data)
    if session.get(PictureRow, digest) is None:
        session.add(PictureRow(digest=digest, data=data))
    return digest


def remove_unused_pictures(session: Session, digests: Iterable[str]) -> None:
    """Those that no draft and no published rendition has."""
    for digest in digests:
        row = session.get(PictureRow, digest)
        if row is not None and not _is_used(session, digest):
            session.delete(row)


def _is_used(session: Session, digest: str) -> bool:
    in_drafts = select(GuideDraftRow.guide).where(col(GuideDraftRow.content).contains(digest))
    in_renditions = select(EditionRow.guide).where(cast(_EDITIONS.c.words, String).contains(digest))
    return any(session.exec(each.limit(1)).first() is not None for each in (in_drafts, in_renditions))
