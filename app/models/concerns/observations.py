"""What a reporter saw: items of an edition, missing episodes, and people, vehicles and places of concern."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.models.base import Slug
from app.models.concerns.field_types import Address, Brief, Line, Note, PartialDate, YesNo
from app.models.concerns.reporter_input import ReporterInput


class Observation(ReporterInput):
    """An item of the edition that the concern names, with what was seen of it.

    Items are never counted, weighed or ranked: a concern with none takes the same route as one with many, and an item
    that is not listed was not said to be absent. (Franklin, Brown and Brady, 2018, for the Centre of expertise on
    child sexual abuse, found no checklist that had been validated for such use.)
    """

    id: Slug = Field(
        title="Item",
        description="The `id` of the item in the edition that the concern names.",
        examples=["missing-or-unexplained-absence"],
    )
    note: Note | None = Field(
        default=None,
        title="What was seen",
        description="What you saw or were told about this, in your own words.",
        examples=["Did not come home on two nights"],
    )
    first_seen: PartialDate | None = Field(
        default=None,
        title="First seen",
        description="When it was first seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        examples=["2026-09"],
    )
    last_seen: PartialDate | None = Field(
        default=None,
        title="Last seen",
        description="When it was last seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        examples=["2026-11-20"],
    )


def _check_ids_differ(items: tuple[Observation, ...]) -> tuple[Observation, ...]:
    ids = [item.id for item in items]
    if len(set(ids)) != len(ids):
        raise ValueError("the same `id` stands here twice; put all that was seen of it in one entry")
    return items


UniqueObservations = Annotated[tuple[Observation, ...], AfterValidator(_check_ids_differ)]


class MissingEpisode(ReporterInput):
    """A time when the child was missing, or away without an explanation, as far as it is known."""

    started: PartialDate | None = Field(
        default=None,
        title="When it began",
        description="A date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        examples=["2026-11-13"],
    )
    ended: PartialDate | None = Field(
        default=None,
        title="When it ended",
        description="A date, a month or a year. Leave it out if the child has not returned or you do not know.",
        examples=["2026-11-14"],
    )
    reported_to_police: YesNo | None = Field(
        default=None,
        title="Was it reported to the police?",
        description="Whether anybody told the police.",
        examples=["not_known"],
    )
    described: Note | None = Field(
        default=None,
        title="What is known about it",
        description="Which child, how long, where the child was found, what the child said about it.",
        examples=["Alex came to school tired the next day and did not say where the night was spent"],
    )


class PersonOfConcern(ReporterInput):
    """Somebody who may be a risk to a child. A partial description is worth giving."""

    name: Line | None = Field(default=None, title="Name", description="As far as you know it.", examples=["‘Max’"])
    other_names: tuple[Line, ...] = Field(
        default=(),
        max_length=5,
        title="Other names",
        description="Nicknames, and names used online.",
        examples=[["example_user_1"]],
    )
    age_described: Line | None = Field(
        default=None,
        title="Age in your own words",
        description="The person’s age, or your estimate of it.",
        examples=["Looks about 25"],
    )
    relationship_to_child: Line | None = Field(
        default=None,
        title="Connection with the child",
        description="How the person knows the child, as far as you know.",
        examples=["Alex calls him a friend"],
    )
    address: Address | None = Field(
        default=None,
        title="Address",
        description="Where the person lives or stays, if you know.",
        examples=[{"text": "Somewhere near Example Park"}],
    )
    phones_and_accounts: Line | None = Field(
        default=None,
        title="Telephone numbers and online accounts",
        description="Any number or account that the person uses, in any form.",
        examples=["07700 900003"],
    )
    described: Note | None = Field(
        default=None,
        title="Description",
        description="What the person looks like, does and has said, and what worries you.",
        examples=["Tall; waits outside the school gate"],
    )


class VehicleOfConcern(ReporterInput):
    """A vehicle that may matter. A part of its registration is worth giving."""

    registration: Brief | None = Field(
        default=None,
        title="Registration",
        description="The registration number, or the part of it that you remember.",
        examples=["ends EXA"],
    )
    described: Note | None = Field(
        default=None,
        title="Description",
        description="Make, colour, damage, who was in it, where and when it was seen.",
        examples=["Small grey car, outside school on 20 November"],
    )


class PlaceOfConcern(ReporterInput):
    """A place that may matter: where a child is taken, meets somebody or has been found."""

    name: Line | None = Field(
        default=None, title="Name", description="What the place is called.", examples=["Example Park"]
    )
    address: Address | None = Field(
        default=None,
        title="Address",
        description="Its address, as far as you know it.",
        examples=[{"text": "By the north gate, Exampleton"}],
    )
    described: Note | None = Field(
        default=None,
        title="Description",
        description="What happens there, when, and who is there.",
        examples=["Alex is collected from here on Friday evenings"],
    )
