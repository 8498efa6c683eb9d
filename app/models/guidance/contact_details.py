"""The details of a contact beside telephone and web: email, text relay, postal address and opening hours."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import RequestModel, Text

EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>.]+$", max_length=254)]
TextRelay = Annotated[str, StringConstraints(pattern=r"^18001[0-9 ]{6,20}$", max_length=40)]
"""18001, then the number: what Relay UK needs."""
Time = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", max_length=5)]


class PostalAddress(RequestModel):
    """A place to visit or to write to."""

    lines: tuple[Text, ...] = Field(
        min_length=1, max_length=6, description="Building, street and district.", examples=[["1 Example Street"]]
    )
    town: Text = Field(description="Town or city.", examples=["Exampleton"])
    postcode: str = Field(
        pattern=r"^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$",
        max_length=8,
        description="Postcode, with its space.",
        examples=["ZZ99 9ZZ"],
    )


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class OpeningHours(RequestModel):
    """Hours of one kind of day. What is open past midnight has an entry up to 24:00 and one from 00:00."""

    days: tuple[Weekday, ...] = Field(
        min_length=1, max_length=7, description="The days.", examples=[["monday", "tuesday"]]
    )
    opens: Time = Field(description="From, in local time.", examples=["08:30"])
    closes: Time = Field(description="Until, in local time; 24:00 is midnight.", examples=["17:00"])

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise CodedValueError(FaultCode.OUT_OF_ORDER, "`opens` must be before `closes`")
        return self
