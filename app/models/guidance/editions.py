"""The content of an edition: what a seed file holds, what a publisher posts and what every read answers.

All texts are the words of the printed guide. Where this project adds something of its own (a kind, a note, a
related code) the field says so.

The first examples of a model's fields, taken together, are one thing of the shipped guide: the examples of answers are
put together from them (see `app.web.openapi`).
"""

from collections.abc import Sequence

from pydantic import Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails

from app.models.base import FullDate, GssCode, RequestModel, Text
from app.models.guidance.contacts import Contact
from app.models.guidance.definitions import Definition
from app.models.guidance.items import (
    Caution,
    Factor,
    Identified,
    Indicator,
    LinkedRisk,
    Placed,
    RelatedCode,
    Responsibility,
    linked_to,
)


class Publisher(RequestModel):
    """The body that publishes the guide."""

    name: Text = Field(description="Name as printed.", examples=["Bath & North East Somerset Council"])
    gss_code: GssCode


class GuideSource(RequestModel):
    """The document that an edition was transcribed from."""

    title: Text = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    publisher: Text = Field(description="Who issued it.", examples=["Bath & North East Somerset Council"])
    document: Text = Field(
        description="File name of the document as received.",
        examples=["child-sexual-exploitation-one-minute-guide.txt"],
    )
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of that file, in hexadecimal.",
        examples=["b0bdcbd7745cba02d8ff1c8450d77175ab706bc10197954b02f572a99ba8d685"],
    )


class Introductions(RequestModel):
    """The words that the guide prints before each list."""

    factors: Text | None = Field(
        default=None,
        description="Printed before the vulnerability factors.",
        examples=[
            "Certain experiences can contribute to children being more susceptible to child sexual exploitation such "
            "as:"
        ],
    )
    indicators: Text | None = Field(
        default=None,
        description="Printed before the indicators.",
        examples=["When considering a child’s vulnerability and risk, indicators to consider include:"],
    )
    linked_risks: Text | None = Field(
        default=None,
        description="Printed before the linked risks.",
        examples=[
            "CSE rarely occurs in isolation of other vulnerability and risk factors. It is also often linked to other "
            "types of criminal activity such as:"
        ],
    )
    responsibilities: Text | None = Field(
        default=None, description="Printed before the responsibilities.", examples=["What do we all need to do"]
    )
    contacts: Text | None = Field(
        default=None,
        description="Printed before the contacts.",
        examples=["What to do if you are worried about a child/young person"],
    )


class EditionContent(RequestModel):
    """The whole content of one edition, from `title` to `contacts`. Its digest is taken over exactly this."""

    title: Text = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    publisher: Publisher
    change_note: Text = Field(
        description="What this edition changes, in a sentence for readers.",
        examples=["First edition, transcribed word for word from the printed guide."],
    )
    review_by: FullDate | None = Field(
        default=None, description="The day by which it should be reviewed.", examples=[None, "2027-11-24"]
    )
    source: GuideSource
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), description="Links from the guide's subject to published code lists.", examples=linked_to("11A")
    )
    introductions: Introductions = Introductions()
    cautions: tuple[Caution, ...] = Field(min_length=1, description="Read with every indicator and factor.")
    definitions: tuple[Definition, ...] = Field(min_length=1, description="What the harm is.")
    factors: tuple[Factor, ...] = Field(min_length=1, description="Vulnerability factors.")
    indicators: tuple[Indicator, ...] = Field(min_length=1, description="Indicators to consider.")
    linked_risks: tuple[LinkedRisk, ...] = Field(default=(), description="Other harms that are often linked.")
    responsibilities: tuple[Responsibility, ...] = Field(default=(), description="What everybody needs to do.")
    contacts: tuple[Contact, ...] = Field(min_length=1, description="Whom to call.")

    @field_validator("cautions", "definitions", "factors", "indicators", "linked_risks", "responsibilities", "contacts")
    @classmethod
    def _ids_are_unique(cls, items: tuple[Identified, ...]) -> tuple[Identified, ...]:
        first: dict[str, int] = {}
        again = [place for place, item in enumerate(items) if first.setdefault(item.id, place) != place]
        _refuse_at(again, "id", "every `id` in a section must be different")
        return items

    @field_validator("factors", "indicators", "linked_risks", "responsibilities", "contacts")
    @classmethod
    def _positions_run_from_one(cls, items: tuple[Placed, ...]) -> tuple[Placed, ...]:
        astray = [place for place, item in enumerate(items) if item.position != place + 1]
        _refuse_at(astray[:1], "position", "`position` must run 1, 2, 3 ... in the order of the items")
        return items


def _refuse_at(places: Sequence[int], field: str, told: str) -> None:
    """Refuse that field of the items at those places. Raises `ValidationError`."""
    if places:
        context = {"error": ValueError(told)}
        faults = [InitErrorDetails(type="value_error", loc=(at, field), input=None, ctx=context) for at in places]
        raise ValidationError.from_exception_data("items", faults, hide_input=True)
