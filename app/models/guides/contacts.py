"""Contacts, and the phone numbers, addresses and opening hours of a contact."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_ITEMS, FullDate, RequestModel, Text, WebAddress
from app.models.guides.items import ItemId, Position

EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>.]+$", max_length=254)]
TextRelay = Annotated[str, StringConstraints(pattern=r"^18001[0-9 ]{6,20}$", max_length=40)]
"""A text relay number: 18001 and then the number to call, as Relay UK requires."""
Time = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", max_length=5)]


class PostalAddress(RequestModel):
    """A place to visit or write to."""

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
    """Opening hours on certain days. Hours past midnight are two entries: up to 24:00 and from 00:00."""

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


class ContactKind(StrEnum):
    """How to reach a contact."""

    TELEPHONE = "telephone"
    WEB = "web"
    EMAIL = "email"
    ADDRESS = "address"


class Phone(RequestModel):
    """A phone number."""

    number: str = Field(
        pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{2,5})$",
        max_length=16,
        description="E.164, or the bare digits of a national short code such as 999.",
        examples=["+441225396312"],
    )
    display: str = Field(min_length=2, max_length=40, description="As printed.", examples=["01225 396312"])
    option: str | None = Field(default=None, max_length=20, description="Menu option to press.", examples=["1"])

    @property
    def dialled(self) -> str:
        """The number to dial: as printed, with the area code in front if the printed number lacks it.

        If the printed number does not match `number`, this is `number`, with 0 in place of +44.
        """
        printed = "".join(filter(str.isdigit, self.display))
        whole = re.sub(r"^\+44", "0", self.number)
        if printed and printed in (whole, self.number.removeprefix("+")):
            return self.display
        return f"{whole.removesuffix(printed)} {self.display}" if printed and whole.endswith(printed) else whole

    @property
    def option_text(self) -> str:
        """The menu option to press, as text to print after the number: ` (option 1)`. Empty if there is no option."""
        return f" (option {self.option})" if self.option else ""


WAYS = {
    ContactKind.TELEPHONE: ("phones", "a telephone {} needs at least one number in `phones`"),
    ContactKind.WEB: ("url", "a web {} needs a `url`"),
    ContactKind.EMAIL: ("email", "an email {} needs an `email`"),
    ContactKind.ADDRESS: ("address", "a {} to visit or write to needs an `address`"),
}
"""The required field of each kind of contact, and the error message if the field is missing."""


class Reachable(RequestModel):
    """Base class of contacts and signposts. An instance must have the field that its `kind` requires.

    Each subclass declares the fields itself, because the order and the descriptions of the fields differ.
    """

    called: ClassVar[str]
    """The noun for the object in error messages."""

    if TYPE_CHECKING:
        name: str
        kind: ContactKind
        phones: tuple[Phone, ...]
        url: str | None

    @property
    def has_own_way(self) -> bool:
        """True if the field that `kind` requires must be present."""
        return True

    @model_validator(mode="after")
    def _is_reachable(self) -> Self:
        field, reason = WAYS[self.kind]
        if self.has_own_way and not getattr(self, field, None):
            raise CodedValueError(FaultCode.NOT_REACHABLE, reason.format(self.called))
        return self


class Contact(Reachable):
    """A contact to call or write to."""

    called = "contact"

    id: ItemId = Field(examples=["duty-and-assessment-team"])
    position: Position
    name: Text = Field(description="The name as printed.", examples=["Duty and Assessment Team"])
    kind: ContactKind = Field(description="How to reach the contact.", examples=["telephone"])
    phones: tuple[Phone, ...] = Field(default=(), max_length=MAX_ITEMS, description="Numbers, in the printed order.")
    url: WebAddress | None = Field(
        default=None, description="Address as printed.", examples=[None, "https://council.example/request-for-service"]
    )
    when: Text | None = Field(
        default=None,
        description="When to use the contact, if the guide says so.",
        examples=[None, "Outside office hours"],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="Date of the last check by a person; null if nobody has checked it.",
        examples=[None, "2026-11-24"],
    )
    email: EmailAddress | None = Field(
        default=None, description="Email address, if any.", examples=[None, "duty@council.example"]
    )
    text_relay: TextRelay | None = Field(
        default=None,
        description="What to dial in the Relay UK app or on a textphone, for people who cannot hear or speak.",
        examples=[None, "18001 01632 960001"],
    )
    address: PostalAddress | None = Field(
        default=None, description="Address to visit or write to, if any.", examples=[None]
    )
    opening_hours: tuple[OpeningHours, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Opening hours, as data.", examples=[[]]
    )
