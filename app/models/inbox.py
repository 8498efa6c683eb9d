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
    """The unencrypted data of a concern."""

    reference: str = Field(description="The reference.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="State of the team's work.", examples=["received"])
    immediate_danger: str = Field(description="The reporter's answer: yes, no or not_sure.", examples=["no"])
    overdue: bool = Field(
        description="True if the concern or one of its additions is unacknowledged after its deadline.",
        examples=[False],
    )
    received_at: UtcDateTime = Field(description="Time when the addition was stored.")
    acknowledge_by: UtcDateTime = Field(
        description="Latest time by which the concern should be acknowledged.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | None = Field(description="Time of acknowledgement.", examples=[None])
    closed_at: UtcDateTime | None = Field(description="Time of closing.", examples=[None])
    changed_at: UtcDateTime = Field(description="Time of the last change. Reads do not count.")
    assigned_to: str | None = Field(
        description="The person it is assigned to; null if unassigned.", examples=["Robin Example"]
    )
    added_at: UtcDateTime | None = Field(description="When the reporter last added to it.", examples=[None])
    additions_waiting: int = Field(description="Number of unacknowledged additions.", examples=[0])
    addition_acknowledge_by: UtcDateTime | None = Field(
        description="Earliest deadline of the unacknowledged additions; null if there are none.", examples=[None]
    )
    addition_danger: str | None = Field(
        description="Most urgent answer about immediate danger in the unacknowledged additions: yes, not_sure or no.",
        examples=[None],
    )
    outcome: str | None = Field(description="Outcome: a code of the list `outcome`.", examples=[None])
    held: bool = Field(description="True if a hold prevents erasure.", examples=[False])
    test: bool = Field(
        description="True for a test: not about a real child, not counted, without events, and erased after a day.",
        examples=[False],
    )
    burst: str | None = Field(
        description="Identifies many concerns sent without a key from one source on one day; null for most concerns. "
        "Changes "
        "daily, and does not reveal an address.",
        examples=[None],
    )
    erased_at: UtcDateTime | None = Field(description="Time of erasure.", examples=[None])
    guide: Slug = Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = Field(description="The edition of the concern.", examples=[1])
    referral_source: str | None = Field(description="A code of the list `referral-source`.", examples=["2A"])
    recipients: tuple[str, ...] = Field(
        description="Fingerprints of the keys that can decrypt it.", examples=[["0123456789abcdef"]]
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE)}])


class InboxResponse(ResponseModel):
    """One page of the inbox."""

    concerns: tuple[InboxEntry, ...] = Field(description="The concerns, in the requested order.")
    next_changed_since: UtcDateTime = Field(
        description="Send as `changed_since` next time. Slightly earlier than the read, because changes at that "
        "moment may "
        "not be stored yet."
    )
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last page.", examples=[None])


class SummaryResponse(ResponseModel):
    """Exact counts of the work, for the team only."""

    received: int = Field(description="Unacknowledged concerns.", examples=[3])
    acknowledged: int = Field(description="Acknowledged concerns that are not closed.", examples=[5])
    closed: int = Field(description="Closed.", examples=[40])
    overdue: int = Field(
        description="Concerns unacknowledged after `acknowledge_by`, or with such an addition.",
        examples=[0],
    )
    additions_waiting: int = Field(description="Unacknowledged additions.", examples=[2])
    additions_overdue: int = Field(description="Of those, the number past their own `acknowledge_by`.", examples=[0])


# What the inbox is narrowed to, in one model for its query, its saved views, its form and its command.


NO_BURST = "none"
BURST_OR_NONE = rf"^({NO_BURST}|{BURST})$"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)


class InboxOrder(StrEnum):
    """Sort order of the inbox. Indicators play no part."""

    URGENT = "urgent"
    NEWEST = "newest"
    CHANGED = "changed"


class InboxFilter(RequestModel):
    """Filters of the inbox. What is absent, or null, is no filter. All that are given must hold."""

    state: ConcernState | None = Field(default=None, description="Only this state.", examples=["received"])
    overdue: bool | None = Field(
        default=None, description="Only overdue concerns, or only those not overdue.", examples=[True]
    )
    danger: ImmediateDanger | None = Field(
        default=None, description="Only this answer about immediate danger.", examples=["yes"]
    )
    guide: Slug | None = Field(
        default=None, description="Only concerns about this guide.", examples=["child-sexual-exploitation"]
    )
    assigned_to: PersonName | None = Field(
        default=None, description="Only concerns assigned to this person.", examples=["Robin Example"]
    )
    burst: Annotated[str, StringConstraints(pattern=BURST_OR_NONE, max_length=40)] | None = Field(
        default=None,
        description="Only concerns of this burst; `none` for those in no burst.",
        examples=["none"],
    )
    mine: bool = Field(default=False, description="Only concerns assigned to you.", examples=[True])
    unassigned: bool = Field(default=False, description="Only unassigned concerns.", examples=[True])

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
        raise CodedValueError(FaultCode.WRONG_FORM, "use a time such as 2026-11-24T09:30:00Z") from None


Moment = Annotated[dt.datetime, BeforeValidator(_parse_moment), MOMENT_SCHEMA]


def _parse_start(text: str) -> str:
    start = find_reference_start(text)
    if start is None:
        reason = "give at least four valid characters of a reference"
        raise CodedValueError(FaultCode.WRONG_FORM, reason)
    return start


class InboxParameters(InboxFilter, extra="ignore"):
    """The query of a request for the inbox. The route itself refuses parameters that nobody knows."""

    changed_since: Moment | None = Field(
        default=None, description="Only concerns changed at or after this time.", examples=["2026-11-24T09:30:00Z"]
    )
    since_event: str | None = Field(
        default=None,
        max_length=100,
        description="Only concerns changed at or after the time of this event: a `next_cursor` of `GET /v1/events`.",
        examples=["MQ"],
    )
    reference: Annotated[str, Field(max_length=40), AfterValidator(_parse_start)] | None = Field(
        default=None,
        description="Only references starting with this, in any case and grouping: at least four characters.",
        examples=["4F7K"],
    )
    order: InboxOrder | None = Field(
        default=None,
        description="Sort order: most urgent, most recently received or most recently changed. Defaults to `changed` "
        "with "
        "`changed_since` or `since_event`, otherwise `urgent`.",
        examples=["urgent"],
    )
    test: bool = Field(default=False, description="Only tests, which are otherwise not listed.", examples=[False])


class ViewFilters(InboxFilter):
    """Filters of the inbox, named like its query parameters. Absent or null means no filter."""

    @field_validator("overdue", "mine", "unassigned", mode="before")
    @classmethod
    def _check_json(cls, value: object) -> object:
        if not isinstance(value, bool | None):
            raise PydanticKnownError("bool_type")  # in JSON, text is not true
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
