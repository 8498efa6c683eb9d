"""What the desk stores for a person alone: saved views of the inbox, and up to when they have looked at it."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class SavedViewRow(SQLModel, table=True):
    """One view of one person."""

    __tablename__ = "saved_views"

    person: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    filters: dict[str, Any] = Field(sa_type=JSON)
    saved_at: dt.datetime = Field(sa_type=UtcDateTimeType)


class InboxLookRow(SQLModel, table=True):
    """Up to when one person has looked at what changed in the inbox. They say so themselves."""

    __tablename__ = "inbox_looks"

    person: str = Field(primary_key=True)
    looked_at: dt.datetime = Field(sa_type=UtcDateTimeType)
