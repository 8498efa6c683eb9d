"""Saved views of the inbox, and the time up to which a person has seen the changes in the inbox."""

import datetime as dt
from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticKnownError
from sqlalchemy import JSON
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import ResponseModel, Slug, UtcDateTime, UtcDateTimeType
from app.models.desk.inbox_filters import InboxFilter
from app.models.links import Links


class ViewFilters(InboxFilter):
    """Filters of the inbox, named like its query parameters. Absent or null means no filter."""

    @field_validator("overdue", "mine", "unassigned", mode="before")
    @classmethod
    def _check_json(cls, value: object) -> object:
        if not isinstance(value, bool | None):
            raise PydanticKnownError("bool_type")  # in JSON, only true and false are booleans
        return value


class SavedView(ResponseModel):
    """A saved view of the inbox."""

    name: Slug = Field(description="Its name.", examples=["urgent"])
    filters: dict[str, str | bool] = Field(description="Its filters.", examples=[{"danger": "yes", "mine": True}])
    saved_at: UtcDateTime = Field(description="Time of the last save.")
    links: Links = Field(
        description="Paths of this API, by relation; `concerns` is the inbox with these filters.",
        examples=[{"self": "/v1/desk/views/urgent", "concerns": "/v1/desk/concerns?danger=yes&mine=true"}],
    )


class SavedViewsResponse(ResponseModel):
    """The views of one person, by name."""

    views: tuple[SavedView, ...] = Field(description="Up to 50 views.")


class SavedViewRow(SQLModel, table=True):
    """A saved view, which only its person sees."""

    __tablename__ = "saved_views"

    person: str = TableField(primary_key=True)
    name: str = TableField(primary_key=True)
    filters: dict[str, Any] = TableField(sa_type=JSON)
    saved_at: dt.datetime = TableField(sa_type=UtcDateTimeType)


class InboxLookRow(SQLModel, table=True):
    """Until when the person has confirmed that they saw the changes."""

    __tablename__ = "inbox_looks"

    person: str = TableField(primary_key=True)
    looked_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
