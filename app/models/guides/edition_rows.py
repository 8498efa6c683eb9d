"""Tables of editions and renditions, withdrawals, drafts and the catalogue."""

import datetime as dt
import json
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
    """A number that increases with each publication and withdrawal. The table has one row.

    A process reads the number to notice what other processes have published or withdrawn.
    """

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


class GuideDraftRow(sqlmodel.SQLModel, table=True):
    """The latest saved draft of a guide's edition, or of a rendition in `language`.

    `version` is the number of the action that saved the draft. `returned_at` is set while the draft is sent back, until
    it is submitted again. `publish_at` is the time of a planned publication, and `agreed_by` is the person who agreed
    to this publication.
    """

    __tablename__ = "guide_drafts"

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(default=OWN_WORDS, primary_key=True)
    version: int
    content: str = sqlmodel.Field(sa_type=sqlalchemy.Text)
    unplaced: str = sqlmodel.Field(default="[]", sa_type=sqlalchemy.Text)
    """The passages of an uploaded document that are not in the content, as a JSON list."""
    begun_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_by: str
    offered_at: dt.datetime | None = sqlmodel.Field(default=None, sa_type=UtcDateTimeType)
    offered_by: str | None = None
    returned_at: dt.datetime | None = sqlmodel.Field(default=None, sa_type=UtcDateTimeType)
    returned_by: str | None = None
    publish_at: dt.datetime | None = sqlmodel.Field(default=None, sa_type=UtcDateTimeType)
    agreed_by: str | None = None

    def read(self) -> dict[str, Any]:
        """Return the content of the draft, which may have errors."""
        content: dict[str, Any] = json.loads(self.content)
        return content

    def read_unplaced(self) -> list[str]:
        """Return the passages of an uploaded document that are not in the content."""
        passages: list[str] = json.loads(self.unplaced)
        return passages


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
