"""The tables of guides that are being written: one draft of each, and who wrote, offered or published it."""

import datetime as dt
import json
from enum import StrEnum
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class GuideDraftAct(StrEnum):
    """What was done with the draft of a guide."""

    WRITTEN = "written"
    OFFERED = "offered"
    DISCARDED = "discarded"
    PUBLISHED = "published"


class GuideDraftRow(SQLModel, table=True):
    """The draft of a guide as it was saved last. `version` is the number of the act that saved it."""

    __tablename__ = "guide_drafts"

    guide: str = Field(primary_key=True)
    version: int
    content: str = Field(sa_type=Text)
    begun_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    written_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    written_by: str
    offered_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    offered_by: str | None = None

    def read(self) -> dict[str, Any]:
        """Return the content, which may have faults."""
        content: dict[str, Any] = json.loads(self.content)
        return content


class GuideDraftActRow(SQLModel, table=True):
    """One act on the draft of a guide. The numbers of a guide's acts are never used again."""

    __tablename__ = "guide_draft_acts"

    guide: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    act: str
    by: str
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    digest: str
    """The SHA-256 of the content as it was then."""
