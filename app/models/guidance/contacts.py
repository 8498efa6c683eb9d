"""Contacts of a guide: telephone numbers and web addresses."""

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import MAX_ITEMS, FullDate, RequestModel, Text, WebAddress
from app.models.guidance.items import ItemId, Position


class ContactKind(StrEnum):
    """How a contact is reached."""

    TELEPHONE = "telephone"
    WEB = "web"


class Phone(RequestModel):
    """A telephone number."""

    number: str = Field(
        pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{2,5})$",
        max_length=16,
        description="E.164, or the bare digits of a national short code such as 999.",
        examples=["+441225396312"],
    )
    display: str = Field(min_length=2, max_length=40, description="As printed.", examples=["01225 396312"])
    option: str | None = Field(
        default=None, max_length=20, description="What to press when the call is answered.", examples=["1"]
    )


class Reachable(RequestModel):
    """A contact of a guide, or a signpost: reached by telephone, on the web, or both ways.

    Each subclass declares the fields itself, so that they have its own order and descriptions.
    """

    called: ClassVar[str]

    if TYPE_CHECKING:
        name: str
        kind: ContactKind
        phones: tuple[Phone, ...]
        url: str | None

    @model_validator(mode="after")
    def _is_reachable(self) -> Self:
        if self.kind is ContactKind.TELEPHONE and not self.phones:
            raise CodedValueError(
                FaultCode.NOT_REACHABLE, f"a telephone {self.called} needs at least one number in `phones`"
            )
        if self.kind is ContactKind.WEB and self.url is None:
            raise CodedValueError(FaultCode.NOT_REACHABLE, f"a web {self.called} needs a `url`")
        return self


class Contact(Reachable):
    """Whom to call, or where to write."""

    called = "contact"

    id: ItemId = Field(examples=["duty-and-assessment-team"])
    position: Position
    name: Text = Field(description="The name as printed.", examples=["Duty and Assessment Team"])
    kind: ContactKind = Field(description="How it is reached.", examples=["telephone"])
    phones: tuple[Phone, ...] = Field(default=(), max_length=MAX_ITEMS, description="Numbers, in the printed order.")
    url: WebAddress | None = Field(
        default=None, description="Address as printed.", examples=[None, "https://council.example/request-for-service"]
    )
    when: Text | None = Field(
        default=None,
        description="When it is reached, where the guide says so.",
        examples=[None, "Outside office hours"],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="The day on which a person last checked it; null if nobody has.",
        examples=[None, "2026-11-24"],
    )
