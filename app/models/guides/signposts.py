"""Signposts: contacts that are not in the printed guides."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import to_json
from typing_extensions import TypeAliasType

from app.errors import CodedValueError, FaultCode
from app.models.base import (
    MAX_ITEMS,
    FullDate,
    RequestModel,
    ResponseModel,
    Text,
    UtcDateTime,
    WebAddress,
    expect_each_once,
    without_default,
)
from app.models.guides.code_lists import MAX_CODE_LENGTH, REFERENCE_LINKS
from app.models.guides.contacts import Contact, ContactKind, OpeningHours, Phone, Reachable
from app.models.guides.items import ItemId
from app.models.links import Links

CALL_999_FIRST = "If a child is in immediate danger, call 999 now."
"""The first sentence of every receipt and of every result for an assistant."""


CHILDLINE = "childline"
"""The id of the signpost that follows 999 for readers under 18."""


class SignpostScope(StrEnum):
    """Area of a signpost."""

    NATIONAL = "national"
    LOCAL = "local"


class Signpost(Reachable):
    """A national or local contact that is not in a printed guide."""

    called = "signpost"

    id: ItemId = Field(description="Stable id of the signpost.", examples=["police-emergency"])
    name: Text = Field(description="Name.", examples=["Police, in an emergency"])
    description: Text = Field(
        description="Purpose, in a sentence for readers.",
        examples=["Call if a child or anyone else is in immediate danger."],
    )
    audience: Text | None = Field(default=None, description="Intended audience.", examples=["Everybody"])
    kind: ContactKind = Field(description="How to reach the contact.", examples=["telephone"])
    emergency: bool = Field(default=False, description="True if it is for immediate danger.", examples=[True])
    without_speech: bool = Field(
        default=False, description="True if it is for people who cannot speak on the phone.", examples=[False]
    )
    allegations: bool = Field(
        default=False,
        description="True if it is for concerns about adults who work with children.",
        examples=[False],
    )
    through_duty_team: bool = Field(
        default=False,
        description="True if its number is that of the guide's duty team.",
        examples=[False],
    )
    council: str | None = Field(
        default=None,
        max_length=MAX_CODE_LENGTH,
        description="The council of a local contact: a code of the list `council`. Null for a national one.",
        examples=[None, "E06000022"],
    )
    for_children: bool = Field(
        default=False,
        description="True if it is for a child or young person. Printed forms have its number.",
        examples=[False],
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
        description="When to use it, or its opening hours.",
        examples=[None],
    )
    opening_hours: tuple[OpeningHours, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Opening hours, as data. A local contact that is open while the duty team is closed "
        "can also be reached all day on bank holidays.",
        examples=[[]],
    )
    scope: SignpostScope = Field(description="National, or local to the council's area.")
    words: tuple[Text, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        exclude=True,
        description="Words by which search finds it, from a seed folder older than the list of words.",
        examples=[[]],
    )
    source: Text = Field(
        description="Source of the information.",
        examples=[
            "Every safeguarding procedure that was read.",
            "nspcc.org.uk",
        ],
    )
    verified_on: FullDate | None = Field(
        default=None,
        description="Date of the last check by a person; null if nobody has checked it.",
        examples=[None, "2026-11-24"],
    )

    @property
    def has_own_way(self) -> bool:
        """False if the number is that of the duty team."""
        return not self.through_duty_team


@dataclass(frozen=True, eq=False)
class WhoToCall:
    """The contacts of an edition, and the signposts to show beside the contacts.

    Instances are compared by identity, so that a cache can use an instance as a key without comparing its content.
    """

    contacts: tuple[Contact, ...]
    signposts: tuple[Signpost, ...]

    @cached_property
    def contacts_json(self) -> bytes:
        """The contacts as JSON, serialised once."""
        return to_json(self.contacts)

    @cached_property
    def signposts_json(self) -> bytes:
        """The signposts as JSON, serialised once."""
        return to_json(self.signposts)


class TeamOnDuty(ResponseModel):
    """The duty team or an out-of-hours team, and whether it answers now."""

    id: ItemId = Field(description="Id of the contact or signpost.", examples=["duty-and-assessment-team"])
    name: Text = Field(description="Name.", examples=["Duty and Assessment Team"])
    phones: tuple[Phone, ...] = Field(description="Numbers, in the order in which to try them.")
    open_now: bool | None = Field(
        default=None,
        description="Whether the team answers now; null if unknown. If false, nobody should call it now.",
        examples=[True, None],
    )
    opens_at: UtcDateTime | None = Field(
        default=None,
        description="When the first team opens, if every team is closed.",
        examples=[None],
    )


TeamsOnDuty = TypeAliasType(
    "TeamsOnDuty",
    Annotated[
        tuple[TeamOnDuty, ...], Field(description="Whom of the council to call now, in this order.", examples=[[]])
    ],
)
NO_TEAMS = Field(default=(), json_schema_extra=without_default)


class SignpostList(RequestModel):
    """All signposts, with those for immediate danger first, and the neighbouring councils."""

    signposts: tuple[Signpost, ...] = Field(min_length=1, description="Signposts, in the order in which to show them.")
    neighbours: tuple[Signpost, ...] = Field(
        default=(), description="Whom to call if a child lives in the area of another council.", examples=[[]]
    )

    @field_validator("neighbours")
    @classmethod
    def _neighbours_name_their_area(cls, neighbours: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        if not all(each.council for each in neighbours):
            raise CodedValueError(FaultCode.REQUIRED, "every neighbour needs the code of its area in `council`")
        return neighbours

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        expect_each_once([each.id for each in (*self.signposts, *self.neighbours)], "every `id` must be different")
        return self

    @field_validator("signposts")
    @classmethod
    def _emergencies_are_first(cls, signposts: tuple[Signpost, ...]) -> tuple[Signpost, ...]:
        emergencies = [signpost.emergency for signpost in signposts]
        if not emergencies[0] or emergencies != sorted(emergencies, reverse=True):
            raise CodedValueError(FaultCode.OUT_OF_ORDER, "the list must begin with the signposts marked `emergency`")
        return signposts


class SignpostsResponse(ResponseModel):
    """Contacts outside editions, 999 first."""

    signposts: tuple[Signpost, ...] = Field(description="The signposts.")
    neighbours: tuple[Signpost, ...] = Field(
        default=(), description="Whom to call if a child lives in the area of another council.", examples=[[]]
    )
    teams: TeamsOnDuty = NO_TEAMS
    next_cursor: str | None = Field(default=None, description="Always null: the list is short.", examples=[None])
    links: Links = REFERENCE_LINKS
