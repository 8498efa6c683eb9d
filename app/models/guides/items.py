"""The items of an edition: cautions, definitions, factors, indicators, linked risks and responsibilities."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from app.models.base import MAX_ITEMS, FromCodeList, RequestModel, Slug, Text, WebAddress

Position = Annotated[
    int, Field(strict=True, ge=1, le=MAX_ITEMS, description="Position in the printed order, from 1.", examples=[1])
]
ItemId = Annotated[Slug, Field(examples=["missing-or-unexplained-absence"])]


class Identified(Protocol):
    """An object with an id."""

    @property
    def id(self) -> str:
        """Slug that is unique within a list of an edition."""


class Placed(Identified, Protocol):
    """An object with an id and a position in the printed order."""

    @property
    def position(self) -> int:
        """Place in the printed order, from 1."""


class IndicatorKind(StrEnum):
    """Whether an indicator may point to harm or is itself a sign of it: the two are never mixed or counted."""

    POTENTIAL_INDICATOR = "potential_indicator"
    SIGN_OF_HARM = "sign_of_harm"


class RelatedCode(RequestModel):
    """A link to a code of a published code list."""

    scheme: Literal["dfe-assessment-factors"] = Field(
        description="Name of the code list, as in /v1/code-lists/{name}.", examples=["dfe-assessment-factors"]
    )
    code: Annotated[str, FromCodeList("dfe-assessment-factors")] = Field(
        max_length=20, description="Code in that list.", examples=["10A"]
    )
    basis: Literal["project_inference", "source"] = Field(
        description="Who made the link: `project_inference` (this project) or `source` (the printed guide).",
        examples=["project_inference"],
    )


def linked_to(code: str) -> list[Any]:
    """Return the examples for a field of related codes: a list with one link to `code`."""
    return [[{"scheme": "dfe-assessment-factors", "code": code, "basis": "project_inference"}]]


class Caution(RequestModel):
    """A warning that must be read with any indicator or factor. Included in every response that contains them."""

    id: ItemId = Field(examples=["absence-of-indicators"])
    text: Text = Field(
        description="Text as printed.",
        examples=[
            "Absence of any of the potential indicators of CSE does not mean that a child is not experiencing abuse "
            "and exploitation."
        ],
    )


class Factor(RequestModel):
    """A vulnerability factor: an experience that makes a child more susceptible. It is not an indicator."""

    id: ItemId = Field(examples=["prior-neglect-or-abuse"])
    position: Position
    text: Text = Field(
        description="Text as printed.",
        examples=["having a prior experience of neglect, physical and/or sexual abuse"],
    )
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Links to published code lists.", examples=linked_to("16A")
    )


class Indicator(RequestModel):
    """An indicator to consider. It is never weighed, counted or ranked."""

    id: ItemId
    position: Position
    text: Text = Field(
        description="Text as printed.",
        examples=[
            "Missing from home, care or school, running away, leaving home/care without explanation and/or "
            "persistently returning late; and/or unexplained absences from school, college or work."
        ],
    )
    kind: IndicatorKind = Field(description="This project's interpretation of the printed text.")
    note: Text | None = Field(
        default=None,
        description="Note by this project about the printed text.",
        examples=[None, "Printed so: the bullet breaks off after ‘or’."],
    )
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Links to published code lists.", examples=linked_to("10A")
    )


class LinkedRisk(RequestModel):
    """Another kind of crime or harm that the guide says is often linked."""

    id: ItemId = Field(examples=["child-trafficking"])
    position: Position
    text: Text = Field(description="Text as printed.", examples=["child trafficking"])
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Links to published code lists.", examples=linked_to("12A")
    )


class Responsibility(RequestModel):
    """A responsibility of everyone who works with children."""

    id: ItemId = Field(examples=["early-support"])
    position: Position = Field(examples=[2])
    name: Text = Field(description="The heading as printed.", examples=["Early Support"])
    text: Text = Field(
        description="Text as printed.",
        examples=["Provide timely and effective interventions with children and families."],
    )


class DefinitionKind(StrEnum):
    """The origin of a definition: local or statutory."""

    LOCAL = "local"
    STATUTORY = "statutory"


class Limb(RequestModel):
    """One lettered limb of a definition."""

    label: str = Field(min_length=1, max_length=8, description="The letter as printed.", examples=["a"])
    text: Text = Field(
        description="Text of the limb.", examples=["in exchange for something the victim needs or wants"]
    )


class DefinitionSource(RequestModel):
    """The source of a definition, cited as printed."""

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
        description="The printed address, with a URL scheme.",
        examples=["https://www.gov.uk/government/consultations/statutory-definition-of-child-sexual-exploitation"],
    )


class Definition(RequestModel):
    """A definition of the harm."""

    id: ItemId = Field(examples=["statutory-definition"])
    kind: DefinitionKind = Field(description="The origin of a definition: local or statutory.", examples=["statutory"])
    introduction: Text | None = Field(
        default=None,
        description="Text printed before the definition.",
        examples=["The definition of child sexual exploitation is as follows:"],
    )
    text: Text = Field(
        description="The complete definition as printed, including its limbs.",
        examples=[
            "Child sexual exploitation is a form of child sexual abuse. It occurs where an individual or group takes "
            "advantage of an imbalance of power to coerce, manipulate or deceive a child or young person under the age "
            "of 18 into sexual activity (a) in exchange for something the victim needs or wants, and/or (b) for the "
            "financial advantage or increased status of the perpetrator or facilitator. The victim may have been "
            "sexually exploited even if the sexual activity appears consensual. Child sexual exploitation does not "
            "always involve physical contact; it can also occur through the use of technology."
        ],
    )
    limbs: tuple[Limb, ...] = Field(default=(), max_length=MAX_ITEMS, description="The lettered limbs, if any.")
    source: DefinitionSource | None = Field(default=None, description="Source, if the guide names one.")
