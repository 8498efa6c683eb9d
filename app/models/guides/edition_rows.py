"""Tables of editions, withdrawals, drafts and the catalogue."""

import datetime as dt
import json
from enum import StrEnum
from typing import Any

import sqlalchemy
import sqlmodel
from sqlalchemy import JSON, ForeignKeyConstraint, UniqueConstraint

from app.models.base import UtcDateTimeType

OWN_WORDS = ""
"""In place of a language: the guide's own words, which are the edition itself."""


class EditionRow(sqlmodel.SQLModel, table=True):
    """One edition, the whole guide as published at one time; or a rendition of it in another language or form.

    Editions are numbered 1, 2, 3 for each guide, renditions for each guide and language. `edition` is the number of the
    edition that a rendition is of; of an edition, its own. `details` and `words` together are the content.
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


class WithdrawalRow(sqlmodel.SQLModel, table=True):
    """The withdrawal of an edition or of a rendition, whose own row does not change."""

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
    """One number that the database raises whenever something is published or withdrawn."""

    __tablename__ = "generation"

    id: int = sqlmodel.Field(primary_key=True)
    number: int


class CatalogueRow(sqlmodel.SQLModel, table=True):
    """The place of an item of a guide's current edition, and the words by which it is found.

    The rows are derived from the editions. Those of a guide are rebuilt whenever it has an edition published or
    withdrawn.
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
    """What was done with the draft of a guide."""

    WRITTEN = "written"
    OFFERED = "offered"
    DISCARDED = "discarded"
    PUBLISHED = "published"


class GuideDraftRow(sqlmodel.SQLModel, table=True):
    """The draft of a guide as it was saved last. `version` is the number of the act that saved it."""

    __tablename__ = "guide_drafts"

    guide: str = sqlmodel.Field(primary_key=True)
    version: int
    content: str = sqlmodel.Field(sa_type=sqlalchemy.Text)
    begun_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_by: str
    offered_at: dt.datetime | None = sqlmodel.Field(default=None, sa_type=UtcDateTimeType)
    offered_by: str | None = None

    def read(self) -> dict[str, Any]:
        """Return the content, which may have faults."""
        content: dict[str, Any] = json.loads(self.content)
        return content


class GuideDraftActRow(sqlmodel.SQLModel, table=True):
    """One act on the draft of a guide. The numbers of a guide's acts are never used again."""

    __tablename__ = "guide_draft_acts"

    guide: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    act: str
    by: str
    at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    digest: str
    """The SHA-256 of the content as it was then."""
