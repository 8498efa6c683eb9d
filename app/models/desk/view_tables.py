"""The views that people of the desk save: a name, and the filters of the inbox."""

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
