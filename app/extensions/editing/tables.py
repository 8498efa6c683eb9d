"""The table of drafts. What was done to a draft stands in the trunk's `guide_draft_acts`, with withdrawals."""

import datetime as dt
import json
from typing import Any

import sqlalchemy
import sqlmodel

from app.models.base import UtcDateTimeType
from app.models.guides.edition_rows import OWN_WORDS


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
    """See `read_unplaced`, as a JSON object. Earlier versions wrote a list of the passages."""
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

    def read_unplaced(self) -> dict[str, str]:
        """Return the passages of an uploaded document that are not in the content, each with its place there."""
        passages: dict[str, str] | list[str] = json.loads(self.unplaced)
        return passages if isinstance(passages, dict) else dict.fromkeys(passages, "")
