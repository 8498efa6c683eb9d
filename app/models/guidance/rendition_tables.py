"""The tables of renditions. Their rows are written once and never change."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class RenditionRow(SQLModel, table=True):
    """One rendition of an edition. The numbers of a guide's renditions in a language are 1, 2, 3."""

    __tablename__ = "renditions"
    __table_args__ = (ForeignKeyConstraint(["guide", "edition"], ["editions.guide", "editions.number"]),)

    guide: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    edition: int
    published_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    digest: str
    content: dict[str, Any] = Field(sa_type=JSON)


class RenditionWithdrawalRow(SQLModel, table=True):
    """The withdrawal of a rendition. The row of the rendition itself does not change."""

    __tablename__ = "rendition_withdrawals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["guide", "language", "number"], ["renditions.guide", "renditions.language", "renditions.number"]
        ),
    )

    guide: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    withdrawn_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    reason: str = Field(sa_type=Text)
