"""Definitions of the harm, with their sources."""

from enum import StrEnum

from pydantic import Field

from app.models.base import MAX_ITEMS, RequestModel, Text, WebAddress
from app.models.guidance.items import ItemId


class DefinitionKind(StrEnum):
    """Whose definition it is."""

    LOCAL = "local"
    STATUTORY = "statutory"


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
    limbs: tuple[Limb, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="The lettered limbs, where it has any."
    )
    source: DefinitionSource | None = Field(default=None, description="Its source, where the guide names one.")
