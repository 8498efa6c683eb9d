"""Filters of the inbox: one model for the query parameters, the saved views, the form and the command."""

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.errors import CodedValueError, FaultCode
from app.models.access.names import PersonName
from app.models.base import RequestModel, Slug
from app.models.concerns.channels import Channel
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.receipts import ConcernState
from app.models.references import BURST, find_reference_start

NO_BURST = "none"
BURST_OR_NONE = rf"^({NO_BURST}|{BURST})$"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
MOMENT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40})


class InboxOrder(StrEnum):
    """Sort order of the inbox. Indicators play no part."""

    URGENT = "urgent"
    NEWEST = "newest"
    CHANGED = "changed"


class InboxFilter(RequestModel):
    """Absent or null means no filter. A concern must match all given ones."""

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
    channel: Channel | None = Field(default=None, description="Only concerns that came this way.", examples=["call"])
    mine: bool = Field(default=False, description="Only concerns assigned to you.", examples=[True])
    unassigned: bool = Field(default=False, description="Only unassigned concerns.", examples=[True])

    @field_validator("mine", "unassigned")
    @classmethod
    def _name_one_person(cls, value: bool, info: ValidationInfo) -> bool:
        if value and (info.data.get("assigned_to") is not None or info.data.get("mine")):
            raise CodedValueError(FaultCode.INVALID, "give one of `assigned_to`, `mine` and `unassigned`")
        return value


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
    """The route refuses unknown parameters."""

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
