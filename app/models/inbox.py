"""Requests and responses of the desk, where the duty team works."""

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError
from sqlalchemy import JSON
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.errors import CodedValueError, FaultCode
from app.models.base import RequestModel, ResponseModel, Slug, UtcDateTime, UtcDateTimeType
from app.models.concerns import ImmediateDanger
from app.models.links import Links, desk_concern_path
from app.models.people import PersonName
from app.models.receipts import BURST, EXAMPLE_REFERENCE, ConcernState, find_reference_start


class InboxEntry(ResponseModel):
    """One concern, as far as it is known without opening it."""

    reference: str = Field(description="The reference.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="How far the team has come.", examples=["received"])
    immediate_danger: str = Field(description="What the reporter said: yes, no or not_sure.", examples=["no"])
    overdue: bool = Field(
        description="Whether it still waits after `acknowledge_by`, or something added to it after its own time.",
        examples=[False],
    )
    received_at: UtcDateTime = Field(description="When it was kept.")
    acknowledge_by: UtcDateTime = Field(
        description="When the reporter may expect an acknowledgement at the latest.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | None = Field(description="When it was acknowledged.", examples=[None])
    closed_at: UtcDateTime | None = Field(description="When it was closed.", examples=[None])
    changed_at: UtcDateTime = Field(description="When anything about it last changed. Reading it changes nothing.")
    assigned_to: str | None = Field(
        description="The person that it is assigned to; null for nobody.", examples=["Robin Example"]
    )
    added_at: UtcDateTime | None = Field(description="When its reporter last added to it.", examples=[None])
    additions_waiting: int = Field(description="How many additions nobody has acknowledged.", examples=[0])
    addition_acknowledge_by: UtcDateTime | None = Field(
        description="Of those, the earliest time for an acknowledgement; null where none waits.", examples=[None]
    )
    addition_danger: str | None = Field(
        description="Of those, the most urgent answer about immediate danger: yes, not_sure or no.", examples=[None]
    )
    outcome: str | None = Field(description="Its outcome: a code of the list `outcome`.", examples=[None])
    held: bool = Field(description="Whether a hold keeps it from being erased.", examples=[False])
    test: bool = Field(
        description="Whether it is a test: about no child, in no count and no event, and erased after a day.",
        examples=[False],
    )
    burst: str | None = Field(
        description="The mark of the many that came without a key from one source on one day; null for nearly all. "
        "Another day has other marks, and no mark tells an address.",
        examples=[None],
    )
    erased_at: UtcDateTime | None = Field(description="When its words were erased.", examples=[None])
    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The edition that it is pinned to.", examples=[1])
    referral_source: str | None = Field(description="A code of the list `referral-source`.", examples=["2A"])
    recipients: tuple[str, ...] = Field(
        description="Fingerprints of the keys that open it.", examples=[["0123456789abcdef"]]
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE)}])


class InboxResponse(ResponseModel):
    """One page of the inbox."""

    concerns: tuple[InboxEntry, ...] = Field(description="The concerns, in the order that the request names.")
    next_changed_since: UtcDateTime = Field(
        description="What to give as `changed_since` next time: a little before the page was read, since a change "
        "of that moment may still be on its way to the disk."
    )
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])


class SummaryResponse(ResponseModel):
    """How much work there is. Exact, and for the team alone."""

    received: int = Field(description="Concerns that wait for an acknowledgement.", examples=[3])
    acknowledged: int = Field(description="Acknowledged and not yet closed.", examples=[5])
    closed: int = Field(description="Closed.", examples=[40])
    overdue: int = Field(
        description="Concerns past `acknowledge_by` that nobody has acknowledged, or with an addition that is.",
        examples=[0],
    )
    additions_waiting: int = Field(description="Additions that wait for an acknowledgement.", examples=[2])
    additions_overdue: int = Field(description="Of those, the ones past their own `acknowledge_by`.", examples=[0])


# What the inbox is narrowed to, in one model for its query, its saved views, its form and its command.


NO_BURST = "none"
BURST_OR_NONE = rf"^({NO_BURST}|{BURST})$"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)


class InboxOrder(StrEnum):
    """How the inbox is sorted: never by anything that indicators say."""

    URGENT = "urgent"
    NEWEST = "newest"
    CHANGED = "changed"


class InboxFilter(RequestModel):
    """Filters of the inbox. What is absent, or null, is no filter. All that are given must hold."""

    state: ConcernState | None = Field(default=None, description="Only this state.", examples=["received"])
    overdue: bool | None = Field(
        default=None, description="Only those that are overdue, or only the others.", examples=[True]
    )
    danger: ImmediateDanger | None = Field(
        default=None, description="Only this answer about immediate danger.", examples=["yes"]
    )
    guide: Slug | None = Field(
        default=None, description="Only those about this guide.", examples=["child-sexual-exploitation"]
    )
    assigned_to: PersonName | None = Field(
        default=None, description="Only those of this person.", examples=["Robin Example"]
    )
    burst: Annotated[str, StringConstraints(pattern=BURST_OR_NONE, max_length=40)] | None = Field(
        default=None,
        description="Only those that came in this burst; `none`: only those that came in no burst.",
        examples=["none"],
    )
    mine: bool = Field(default=False, description="Only those that are assigned to you.", examples=[True])
    unassigned: bool = Field(default=False, description="Only those that are assigned to nobody.", examples=[True])

    @field_validator("mine", "unassigned")
    @classmethod
    def _name_one_person(cls, value: bool, info: ValidationInfo) -> bool:
        if value and (info.data.get("assigned_to") is not None or info.data.get("mine")):
            raise CodedValueError(FaultCode.INVALID, "give one of `assigned_to`, `mine` and `unassigned`")
        return value


MOMENT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40})


def _parse_moment(text: object) -> dt.datetime:
    try:
        if not isinstance(text, str) or not MOMENT.fullmatch(text):
            raise ValueError
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise CodedValueError(FaultCode.WRONG_FORM, "a moment is written like 2026-11-24T09:30:00Z") from None


Moment = Annotated[dt.datetime, BeforeValidator(_parse_moment), MOMENT_SCHEMA]


def _parse_start(text: str) -> str:
    start = find_reference_start(text)
    if start is None:
        reason = "a reference starts with four characters of its alphabet or more"
        raise CodedValueError(FaultCode.WRONG_FORM, reason)
    return start


class InboxParameters(InboxFilter, extra="ignore"):
    """The query of a request for the inbox. The route itself refuses parameters that nobody knows."""

    changed_since: Moment | None = Field(
        default=None, description="Only what changed then or later.", examples=["2026-11-24T09:30:00Z"]
    )
    since_event: str | None = Field(
        default=None,
        max_length=100,
        description="Only what changed at the time of that event or later: a `next_cursor` of `GET /v1/events`.",
        examples=["MQ"],
    )
    reference: Annotated[str, Field(max_length=40), AfterValidator(_parse_start)] | None = Field(
        default=None,
        description="Only references that start so, in any case and grouping: four characters or more.",
        examples=["4F7K"],
    )
    order: InboxOrder | None = Field(
        default=None,
        description="What wants attention first, what came last, or what changed last. Without it: `changed` with "
        "`changed_since` or `since_event`, else `urgent`.",
        examples=["urgent"],
    )
    test: bool = Field(default=False, description="Only tests, which are never among the concerns.", examples=[False])


class ViewFilters(InboxFilter):
    """Filters of the inbox, as its query parameters name them. What is absent, or null, is no filter."""

    @field_validator("overdue", "mine", "unassigned", mode="before")
    @classmethod
    def _check_json(cls, value: object) -> object:
        if not isinstance(value, bool | None):
            raise PydanticKnownError("bool_type")  # in JSON, text is not true
        return value


class SavedView(ResponseModel):
    """A view of the inbox that a person saved."""

    name: Slug = Field(description="Its name.", examples=["urgent"])
    filters: dict[str, str | bool] = Field(description="Its filters.", examples=[{"danger": "yes", "mine": True}])
    saved_at: UtcDateTime = Field(description="When it was saved last.")
    links: Links = Field(
        description="Paths of this API, by relation; `concerns` is the inbox with these filters.",
        examples=[{"self": "/v1/desk/views/urgent", "concerns": "/v1/desk/concerns?danger=yes&mine=true"}],
    )


class SavedViewsResponse(ResponseModel):
    """The views of one person, by name."""

    views: tuple[SavedView, ...] = Field(description="The views: 50 at most.")


class SavedViewRow(SQLModel, table=True):
    """One view of one person."""

    __tablename__ = "saved_views"

    person: str = TableField(primary_key=True)
    name: str = TableField(primary_key=True)
    filters: dict[str, Any] = TableField(sa_type=JSON)
    saved_at: dt.datetime = TableField(sa_type=UtcDateTimeType)


class InboxLookRow(SQLModel, table=True):
    """Up to when one person has looked at what changed in the inbox. They say so themselves."""

    __tablename__ = "inbox_looks"

    person: str = TableField(primary_key=True)
    looked_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
