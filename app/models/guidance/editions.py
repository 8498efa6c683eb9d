"""The content of an edition: what a seed file holds, what a publisher posts and what every read answers.

All texts are the words of the printed guide. Where this project adds something of its own (a kind, a note, a
related code) the field says so.

The first examples of a model's fields, taken together, are one thing of the shipped guide: the examples of answers are
put together from them (see `app.web.openapi`).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from app.models.base import FromCodeList, FullDate, GssCode, RequestModel, Slug, Text, WebAddress

Position = Annotated[int, Field(strict=True, ge=1, description="Place in the printed order, from 1.", examples=[1])]
ItemId = Annotated[Slug, Field(examples=["missing-or-unexplained-absence"])]


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The slug."""


class Placed(Identified, Protocol):
    """Anything with an id and a place in the printed order."""

    @property
    def position(self) -> int:
        """The place, from 1."""


class DefinitionKind(StrEnum):
    """Whose definition it is."""

    LOCAL = "local"
    STATUTORY = "statutory"


class IndicatorKind(StrEnum):
    """Whether an indicator may point to harm or is itself a sign of it: the two are never mixed or counted."""

    POTENTIAL_INDICATOR = "potential_indicator"
    SIGN_OF_HARM = "sign_of_harm"


class ContactKind(StrEnum):
    """How a contact is reached."""

    TELEPHONE = "telephone"
    WEB = "web"


class RelatedCode(RequestModel):
    """A link from guidance to a code of a published code list."""

    scheme: Literal["dfe-assessment-factors"] = Field(
        description="The code list; its name under /v1/code-lists.", examples=["dfe-assessment-factors"]
    )
    code: Annotated[str, FromCodeList("dfe-assessment-factors")] = Field(
        max_length=20, description="The code within that list.", examples=["10A"]
    )
    basis: Literal["project_inference", "source"] = Field(
        description="Who made the link: `project_inference`, this project; `source`, the printed guide itself.",
        examples=["project_inference"],
    )


def _linked_to(code: str) -> list[Any]:
    """The example of a link to that code."""
    return [[{"scheme": "dfe-assessment-factors", "code": code, "basis": "project_inference"}]]


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


class Caution(RequestModel):
    """Words that must be read with any indicator or factor, and that travel with them in every answer."""

    id: ItemId = Field(examples=["absence-of-indicators"])
    text: Text = Field(
        description="The words as printed.",
        examples=[
            "Absence of any of the potential indicators of CSE does not mean that a child is not experiencing abuse "
            "and exploitation."
        ],
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


class Limb(RequestModel):
    """One lettered limb of a definition."""

    label: str = Field(min_length=1, max_length=8, description="The letter as printed.", examples=["a"])
    text: Text = Field(
        description="The words of the limb.", examples=["in exchange for something the victim needs or wants"]
    )


class DefinitionSource(RequestModel):
    """Where a definition was first published, cited as the guide prints it."""

    citation: Text | None = Field(
        default=None,
        description="The whole citation as printed.",
        examples=[
            "Department of Education, February 2017. Child sexual exploitation: Definition and a guide for "
            "practitioners, local leaders and decision makers working to protect children from child sexual "
            "exploitation, available at: "
            "www.gov.uk/government/consultations/statutory-definition-of-child-sexual-exploitation"
        ],
    )
    title: Text = Field(
        description="Title as printed.",
        examples=[
            "Child sexual exploitation: Definition and a guide for practitioners, local leaders and decision makers "
            "working to protect children from child sexual exploitation"
        ],
    )
    publisher: Text = Field(description="Publisher as printed.", examples=["Department of Education"])
    published: Text = Field(description="Date as printed.", examples=["February 2017"])
    url: WebAddress = Field(
        description="The printed address, with the scheme that a program needs.",
        examples=["https://www.gov.uk/government/consultations/statutory-definition-of-child-sexual-exploitation"],
    )


class Definition(RequestModel):
    """What the harm is."""

    id: ItemId = Field(examples=["statutory-definition"])
    kind: DefinitionKind = Field(description="Whose definition it is.", examples=["statutory"])
    introduction: Text | None = Field(
        default=None,
        description="The words printed before the definition.",
        examples=["The definition of child sexual exploitation is as follows:"],
    )
    text: Text = Field(
        description="The whole definition as printed, its limbs included.",
        examples=[
            "Child sexual exploitation is a form of child sexual abuse. It occurs where an individual or group takes "
            "advantage of an imbalance of power to coerce, manipulate or deceive a child or young person under the age "
            "of 18 into sexual activity (a) in exchange for something the victim needs or wants, and/or (b) for the "
            "financial advantage or increased status of the perpetrator or facilitator. The victim may have been "
            "sexually exploited even if the sexual activity appears consensual. Child sexual exploitation does not "
            "always involve physical contact; it can also occur through the use of technology."
        ],
    )
    limbs: tuple[Limb, ...] = Field(default=(), description="The lettered limbs, where it has any.")
    source: DefinitionSource | None = Field(default=None, description="Its source, where the guide names one.")


class Factor(RequestModel):
    """A vulnerability factor: an experience that makes a child more susceptible. It is not an indicator."""

    id: ItemId = Field(examples=["prior-neglect-or-abuse"])
    position: Position
    text: Text = Field(
        description="The words as printed.",
        examples=["having a prior experience of neglect, physical and/or sexual abuse"],
    )
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), description="Links to published code lists.", examples=_linked_to("16A")
    )


class Indicator(RequestModel):
    """An indicator to consider. It is never weighed, counted or ranked."""

    id: ItemId
    position: Position
    text: Text = Field(
        description="The words as printed.",
        examples=[
            "Missing from home, care or school, running away, leaving home/care without explanation and/or "
            "persistently returning late; and/or unexplained absences from school, college or work."
        ],
    )
    kind: IndicatorKind = Field(description="This project's reading of the printed words.")
    note: Text | None = Field(
        default=None,
        description="A remark by this project on what was printed.",
        examples=[None, "Printed so: the bullet breaks off after ‘or’."],
    )
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), description="Links to published code lists.", examples=_linked_to("10A")
    )


class LinkedRisk(RequestModel):
    """Another kind of crime or harm that the guide says is often linked."""

    id: ItemId = Field(examples=["child-trafficking"])
    position: Position
    text: Text = Field(description="The words as printed.", examples=["child trafficking"])
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), description="Links to published code lists.", examples=_linked_to("12A")
    )


class Responsibility(RequestModel):
    """What everybody who works with children needs to do."""

    id: ItemId = Field(examples=["early-support"])
    position: Position = Field(examples=[2])
    name: Text = Field(description="The heading as printed.", examples=["Early Support"])
    text: Text = Field(
        description="The words as printed.",
        examples=["Provide timely and effective interventions with children and families."],
    )


class Phone(RequestModel):
    """A telephone number."""

    number: str = Field(
        pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{2,5})$",
        description="E.164, or the bare digits of a national short code such as 999.",
        examples=["+441225396312"],
    )
    display: str = Field(min_length=2, max_length=40, description="As printed.", examples=["01225 396312"])
    option: str | None = Field(
        default=None, max_length=20, description="What to press when the call is answered.", examples=["1"]
    )


class Contact(RequestModel):
    """Whom to call, or where to write."""

    id: ItemId = Field(examples=["duty-and-assessment-team"])
    position: Position
    name: Text = Field(description="The name as printed.", examples=["Duty and Assessment Team"])
    kind: ContactKind = Field(description="How it is reached.", examples=["telephone"])
    phones: tuple[Phone, ...] = Field(default=(), description="Numbers, in the printed order.")
    url: WebAddress | None = Field(
        default=None,
        description="Address as printed.",
        examples=[None, "https://council.example/request-for-service"],
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

    @model_validator(mode="after")
    def _is_reachable(self) -> Self:
        if self.kind is ContactKind.TELEPHONE and not self.phones:
            raise ValueError("a telephone contact needs at least one number in `phones`")
        if self.kind is ContactKind.WEB and self.url is None:
            raise ValueError("a web contact needs a `url`")
        return self


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
        default=(), description="Links from the guide's subject to published code lists.", examples=_linked_to("11A")
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
