"""Reads of renditions, and the rows of a new rendition or withdrawal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, NoSuchRendition
from app.models.guidance.guide_tables import WithdrawalRow
from app.models.guidance.rendition_content import RenditionContent
from app.models.guidance.rendition_tables import RenditionRow, RenditionWithdrawalRow
from app.store.editions import EditionKey
from app.store.writer import GENERATION_RAISED


class RenditionKey(NamedTuple):
    """A guide, a language, and the number of one of the guide's renditions in it."""

    guide: str
    language: str
    number: int


@dataclass(frozen=True)
class StoredRendition:
    """A rendition, whole, and its withdrawal if there is one."""

    key: RenditionKey
    edition: int
    published_at: dt.datetime
    digest: str
    content: RenditionContent
    withdrawn_at: dt.datetime | None
    reason: str | None

    @property
    def edition_key(self) -> EditionKey:
        """The edition that it is of."""
        return EditionKey(self.key.guide, self.edition)


def stored_rendition(row: RenditionRow, withdrawal: RenditionWithdrawalRow | None) -> StoredRendition:
    """Return the rendition of the row, with its withdrawal if there is one."""
    return StoredRendition(
        key=RenditionKey(row.guide, row.language, row.number),
        edition=row.edition,
        published_at=row.published_at,
        digest=row.digest,
        content=RenditionContent.model_validate(row.content),
        withdrawn_at=withdrawal.withdrawn_at if withdrawal else None,
        reason=withdrawal.reason if withdrawal else None,
    )


def list_renditions(session: Session, *, guide: str, language: str | None = None) -> list[StoredRendition]:
    """Return the renditions of the guide, withdrawn ones too: by language, the newest first."""
    found = select(RenditionRow, RenditionWithdrawalRow).outerjoin(
        RenditionWithdrawalRow,
        (col(RenditionWithdrawalRow.guide) == RenditionRow.guide)
        & (col(RenditionWithdrawalRow.language) == RenditionRow.language)
        & (col(RenditionWithdrawalRow.number) == RenditionRow.number),
    )
    found = found.where(RenditionRow.guide == guide)
    if language is not None:
        found = found.where(RenditionRow.language == language)
    rows = session.exec(found.order_by(RenditionRow.language, col(RenditionRow.number).desc()))
    return [stored_rendition(row, withdrawal) for row, withdrawal in rows]


def rendition_of(stored: Sequence[StoredRendition], number: int) -> StoredRendition:
    """Return the rendition of that number, withdrawn or not. Raise `NoSuchRendition`."""
    found = next((each for each in stored if each.key.number == number), None)
    if found is None:
        raise NoSuchRendition
    return found


def every_rendition(session: Session) -> list[tuple[RenditionKey, str]]:
    """Return every rendition of every guide, withdrawn ones too, each with its digest."""
    rows = session.exec(
        select(RenditionRow.guide, RenditionRow.language, RenditionRow.number, RenditionRow.digest).order_by(
            RenditionRow.guide, RenditionRow.language, col(RenditionRow.number)
        )
    )
    return [(RenditionKey(guide, language, number), digest) for guide, language, number, digest in rows]


def list_languages(session: Session) -> list[tuple[str, str]]:
    """Return each guide and language that has a rendition which, like its edition, is not withdrawn."""
    withdrawn = (
        select(RenditionWithdrawalRow.number)
        .where(
            RenditionWithdrawalRow.guide == RenditionRow.guide,
            RenditionWithdrawalRow.language == RenditionRow.language,
            RenditionWithdrawalRow.number == RenditionRow.number,
        )
        .exists()
    )
    edition_withdrawn = (
        select(WithdrawalRow.edition)
        .where(WithdrawalRow.guide == RenditionRow.guide, WithdrawalRow.edition == RenditionRow.edition)
        .exists()
    )
    found = select(RenditionRow.guide, RenditionRow.language).where(~withdrawn, ~edition_withdrawn)
    return list(session.exec(found.distinct().order_by(RenditionRow.guide, RenditionRow.language)))


def read_rendition(session: Session, key: RenditionKey) -> RenditionContent:
    """Return the content of the rendition. Raise `NoSuchRendition`."""
    row = session.get(RenditionRow, (key.guide, key.language, key.number))
    if row is None:
        raise NoSuchRendition
    return RenditionContent.model_validate(row.content)


def insert_rendition(
    session: Session, key: RenditionKey, *, content: RenditionContent, digest: str, at: dt.datetime
) -> None:
    """Insert the rendition. Raise `EditionAlreadyPublished` where another one was first."""
    session.add(
        RenditionRow(
            guide=key.guide,
            language=key.language,
            number=key.number,
            edition=content.of.edition,
            published_at=at,
            digest=digest,
            content=content.model_dump(mode="json"),
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise EditionAlreadyPublished from None
    session.connection().info[GENERATION_RAISED] = True


def insert_rendition_withdrawal(session: Session, key: RenditionKey, *, reason: str, at: dt.datetime) -> None:
    """Insert the rendition's withdrawal. Raise `AlreadyWithdrawn` if there is one."""
    session.add(
        RenditionWithdrawalRow(
            guide=key.guide, language=key.language, number=key.number, withdrawn_at=at, reason=reason
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise AlreadyWithdrawn from None
    session.connection().info[GENERATION_RAISED] = True
