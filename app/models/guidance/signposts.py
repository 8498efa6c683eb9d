"""Signposts: contacts that are in no edition, and are shown beside every guide."""

from enum import StrEnum

from pydantic import Field, field_validator

from app.faults import CodedValueError, FaultCode
from app.models.base import FullDate, RequestModel, Text, WebAddress
from app.models.guidance.contacts import ContactKind, Phone, Reachable
from app.models.guidance.items import ItemId

CALL_999_FIRST = "If a child is in immediate danger, call 999 now."
"""The first sentence of every receipt, and of every answer to an assistant."""


class SignpostScope(StrEnum):
    """Where a signpost serves."""

    NATIONAL = "national"
    LOCAL = "local"


class Signpost(Reachable):
    """A national or local contact that the printed guide does not name."""

    called = "signpost"

    id: ItemId = Field(description="The same for as long as the signpost stands.", examples=["police-emergency"])
    name: Text = Field(description="What it is called.", examples=["Police, in an emergency"])
    description: Text = Field(
        description="What it is for, in a sentence for readers.",
        examples=["Call when a child or anybody else is in immediate danger."],
    )
    audience: Text | None = Field(default=None, description="Whom it serves.", examples=["Everybody"])
    kind: ContactKind = Field(description="How it is reached.", examples=["telephone"])
    emergency: bool = Field(default=False, description="True where it is for immediate danger.", examples=[True])
    without_speech: bool = Field(
        default=False, description="True where it is for people who cannot speak on the phone.", examples=[False]
    )
    phones: tuple[Phone, ...] = Field(
        default=(),
        description="Numbers, in the order in which to try them.",
        examples=[[{"number": "999", "display": "999", "option": None}]],
    )
    url: WebAddress | None = Field(
        default=None, description="Its web address.", examples=[None, "https://helpline.example/"]
    )
    when: Text | None = Field(
        default=None,
        description="When to use it, or when it is reached.",
        examples=["When somebody is in immediate danger"],
    )
    scope: SignpostScope = Field(description="Whether it serves the nation or the council's area.")
    source: Text = Field(
        description="Where it was found.",
        examples=[
            "Named as the emergency number in the safeguarding procedures that were read for this service.",
            "nspcc.org.uk",
        ],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="The day on which a person last checked it; null if nobody has.",
        examples=[None, "2026-11-24"],
    )


class SignpostList(RequestModel):
    """Every signpost, those for immediate danger first."""

    signposts: tuple[Signpost, ...] = Field(min_length=1, description="Signposts, in the order in which to show them.")

    @field_validator("signposts")
    @classmethod
    def _ids_are_unique(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        ids = [signpost.id for signpost in signposts]
        if len(set(ids)) != len(ids):
            raise CodedValueError(FaultCode.DUPLICATE_ID, "every `id` must be different")
        return signposts

    @field_validator("signposts")
    @classmethod
    def _emergencies_are_first(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        emergencies = [signpost.emergency for signpost in signposts]
        if not emergencies[0] or emergencies != sorted(emergencies, reverse=True):
            raise CodedValueError(FaultCode.OUT_OF_ORDER, "the list must begin with the signposts marked `emergency`")
        return signposts
