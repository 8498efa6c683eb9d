"""Filters of the audit log: one model for the query parameters of the API and for the form of the page."""

import datetime as dt
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from app.errors import CodedValueError, FaultCode
from app.models.audit.rows import AUDIT, CARDS, EVENTS, INBOX, PEOPLE, WEBHOOKS, DeskAct
from app.models.base import FullDate, RequestModel

LISTS = (INBOX, CARDS, AUDIT, EVENTS, PEOPLE, WEBHOOKS)
A_CHAIN = "A concern's reference, or `inbox`, `cards`, `audit`, `events`, `people` or `webhooks`."
CHAIN = r"^[0-9A-Za-z-]{1,40}$"
PRINTABLE: JsonDict = {"pattern": "^[^\\u0000-\\u001f]*$"}
LONGEST_DAY = dt.date(9998, 12, 31)
_LONDON = ZoneInfo("Europe/London")


class LogOrder(StrEnum):
    """Sort order of the audit log."""

    OLDEST = "oldest"
    NEWEST = "newest"


class OwnLogFilter(RequestModel, extra="ignore"):
    """For a person who reads their own entries. The route refuses unknown parameters."""

    chain: str | None = Field(
        default=None,
        max_length=60,
        description=A_CHAIN,
        examples=[INBOX],
        json_schema_extra={"pattern": CHAIN},  # a typed reference may also have spaces
    )
    act: DeskAct | None = Field(default=None, description="Only this action.", examples=["opened"])
    first_day: FullDate | None = Field(
        default=None,
        alias="from",
        description="Only entries of this day and later, in London.",
        examples=["2026-11-01"],
    )
    last_day: FullDate | None = Field(
        default=None,
        alias="to",
        description="Only entries of this day and earlier, in London.",
        examples=["2030-11-30"],
    )
    received: bool = Field(
        default=True,
        description="False leaves out the entries that record the receipt of a concern, unless `act` asks for them.",
        examples=[False],
    )
    order: LogOrder = Field(default=LogOrder.OLDEST, description="Sort order.", examples=["newest"])

    @field_validator("last_day")
    @classmethod
    def _expect_days_in_order(cls, value: dt.date | None, info: ValidationInfo) -> dt.date | None:
        first = info.data.get("first_day")
        if value is not None and first is not None and value < first:
            raise CodedValueError(FaultCode.INVALID, "this day is before the first day")
        return value

    @property
    def since(self) -> dt.datetime | None:
        return None if self.first_day is None else _start_of(self.first_day)

    @property
    def until(self) -> dt.datetime | None:
        """Return the start of the day after the last one in London."""
        return None if self.last_day is None else _start_of(min(self.last_day, LONGEST_DAY) + dt.timedelta(days=1))


class LogFilter(OwnLogFilter):
    """The route refuses unknown parameters."""

    person: str | None = Field(
        default=None,
        max_length=200,
        description="Only actions of this person, whichever client they used. A client that names no person, "
        "`reporter`, `operator`, `retention` and `service` count as persons.",
        examples=["operator"],
        json_schema_extra=PRINTABLE,
    )
    client: str | None = Field(
        default=None,
        max_length=200,
        description="Only actions of this client, or of one person (`client/person`).",
        examples=["example-desk"],
    )


def _start_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(max(day, dt.date(2, 1, 1)), dt.time.min, tzinfo=_LONDON).astimezone(dt.UTC)
