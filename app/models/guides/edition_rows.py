"""Tables of editions and renditions, withdrawals, the catalogue, and what was done to a guide."""

import datetime as dt
from enum import StrEnum
from typing import Any

import sqlalchemy
import sqlmodel
from sqlalchemy import JSON, ForeignKeyConstraint, UniqueConstraint

from app.models.base import UtcDateTimeType

OWN_WORDS = ""
"""Value of the column `language` for the guide's own language: the row is an edition, not a rendition."""


class EditionRow(sqlmodel.SQLModel, table=True):
    """A published edition, or a rendition: an edition in another language or format.

    Editions are numbered from 1 for each guide, and renditions for each guide and language. For a rendition, `edition`
    is the number of the edition that the rendition renders. For an edition, it is the same as `number`, and `language`
    is `OWN_WORDS`.

    `details` and `words` together are the content: `details` has the fields of `EditionDetails` or `RenditionDetails`,
    and `words` has all other fields.
    """

    __tablename__ = "editions"

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    edition: int
    published_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    digest: str
    details: dict[str, Any] = sqlmodel.Field(sa_type=JSON)
    words: dict[str, Any] = sqlmodel.Field(sa_type=JSON)


class PictureRow(sqlmodel.SQLModel, table=True):
    """A picture of renditions, as a JPEG. `digest` is the digest of `data`, so that equal pictures have one row."""

    __tablename__ = "pictures"

    digest: str = sqlmodel.Field(primary_key=True)
    data: bytes = sqlmodel.Field(sa_type=sqlalchemy.LargeBinary)


class WithdrawalRow(sqlmodel.SQLModel, table=True):
    """The withdrawal of an edition or rendition. The row of the edition or rendition does not change."""

    __tablename__ = "withdrawals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["guide", "language", "number"], ["editions.guide", "editions.language", "editions.number"]
        ),
    )

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    withdrawn_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    reason: str = sqlmodel.Field(sa_type=sqlalchemy.Text)


class GenerationRow(sqlmodel.SQLModel, table=True):
    """The one row has a number that increases with each publication and withdrawal, and tells processes of both."""

    __tablename__ = "generation"

    id: int = sqlmodel.Field(primary_key=True)
    number: int


class CatalogueRow(sqlmodel.SQLModel, table=True):
    """The place of an item in a guide's current edition, and the words by which search finds the item.

    The rows are derived from the editions. A guide's rows are rebuilt after each publication or withdrawal of an
    edition.
    """

    __tablename__ = "catalogue"
    __table_args__ = (UniqueConstraint("part", "guide", "position"),)

    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    guide: str = sqlmodel.Field(index=True)
    edition: int
    part: str
    item_id: str
    position: int
    codes: str = sqlmodel.Field(default="", sa_type=sqlalchemy.Text)
    words: str = sqlmodel.Field(sa_type=sqlalchemy.Text)


class GuideDraftAct(StrEnum):
    """Kind of action on a guide's draft, or on its published editions and renditions."""

    WRITTEN = "written"
    OFFERED = "offered"
    RETURNED = "returned"
    """The draft was sent back to its writers, with a reason. It is no longer submitted or planned for publication."""
    COMMENTED = "commented"
    SETTLED = "settled"
    """A comment was marked as done."""
    SCHEDULED = "scheduled"
    """A person agreed that the draft is to be published at a certain time."""
    UNSCHEDULED = "unscheduled"
    LINKED = "linked"
    """A link was created with which people without an account can look at the draft."""
    UNLINKED = "unlinked"
    DISCARDED = "discarded"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    """A published edition or rendition was withdrawn. This action is not about a draft."""


class GuideDraftActRow(sqlmodel.SQLModel, table=True):
    """An action on a guide's draft, or the withdrawal of an edition or rendition.

    Within a guide and language, the actions are numbered from 1. A later draft continues the numbers.

    `details` has further data of the action, such as a reason, a comment or the number of the published edition.
    """

    __tablename__ = "guide_draft_acts"

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(default=OWN_WORDS, primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    act: str
    by: str
    at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    digest: str
    """The SHA-256 of the draft at the time of the action.

    The SHA-256 covers the content and, if there are any, the unplaced passages of an uploaded document. If `details` is
    not empty, `digest` is instead the SHA-256 of that SHA-256 and `details`.
    """
    details: dict[str, Any] = sqlmodel.Field(default_factory=dict, sa_type=JSON)
