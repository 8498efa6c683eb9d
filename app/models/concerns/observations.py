"""What a reporter saw: items of an edition, missing episodes, and people, vehicles and places of concern."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.faults import CodedValueError, FaultCode
from app.models.base import Slug
from app.models.concerns.field_types import (
    Address,
    Brief,
    Line,
    Note,
    PartialDate,
    ReporterInput,
    YesNo,
    optional_field,
    optional_list,
)


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
    note: Note | None = optional_field(
        "What was seen", "What you saw or were told about this, in your own words.", "Did not come home on two nights"
    )
    first_seen: PartialDate | None = optional_field(
        "First seen",
        "When it was first seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        "2026-09",
    )
    last_seen: PartialDate | None = optional_field(
        "Last seen",
        "When it was last seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        "2026-11-20",
    )


def _check_ids_differ(items: tuple[Observation, ...]) -> tuple[Observation, ...]:
    ids = [item.id for item in items]
    if len(set(ids)) != len(ids):
        raise CodedValueError(
            FaultCode.DUPLICATE_ID, "the same `id` stands here twice; put all that was seen of it in one entry"
        )
    return items


UniqueObservations = Annotated[tuple[Observation, ...], AfterValidator(_check_ids_differ)]


class MissingEpisode(ReporterInput):
    """A time when the child was missing, or away without an explanation, as far as it is known."""

    started: PartialDate | None = optional_field(
        "When it began", "A date, a month or a year, such as 2026-11-24, 2026-11 or 2026.", "2026-11-13"
    )
    ended: PartialDate | None = optional_field(
        "When it ended",
        "A date, a month or a year. Leave it out if the child has not returned or you do not know.",
        "2026-11-14",
    )
    reported_to_police: YesNo | None = optional_field(
        "Was it reported to the police?", "Whether anybody told the police.", "not_known"
    )
    described: Note | None = optional_field(
        "What is known about it",
        "Which child, how long, where the child was found, what the child said about it.",
        "Alex came to school tired the next day and did not say where the night was spent",
    )


class PersonOfConcern(ReporterInput):
    """Somebody who may be a risk to a child. A partial description is worth giving."""

    name: Line | None = optional_field("Name", "As far as you know it.", "‘Max’")
    other_names: tuple[Line, ...] = optional_list(
        "Other names", "Nicknames, and names used online.", ["example_user_1"], max_length=5
    )
    age_described: Line | None = optional_field(
        "Age in your own words", "The person’s age, or your estimate of it.", "Looks about 25"
    )
    relationship_to_child: Line | None = optional_field(
        "Connection with the child", "How the person knows the child, as far as you know.", "Alex calls him a friend"
    )
    address: Address | None = optional_field(
        "Address", "Where the person lives or stays, if you know.", {"text": "Somewhere near Example Park"}
    )
    phones_and_accounts: Line | None = optional_field(
        "Telephone numbers and online accounts",
        "Any number or account that the person uses, in any form.",
        "07700 900003",
    )
    described: Note | None = optional_field(
        "Description",
        "What the person looks like, does and has said, and what worries you.",
        "Tall; waits outside the school gate",
    )


class VehicleOfConcern(ReporterInput):
    """A vehicle that may matter. A part of its registration is worth giving."""

    registration: Brief | None = optional_field(
        "Registration", "The registration number, or the part of it that you remember.", "ends EXA"
    )
    described: Note | None = optional_field(
        "Description",
        "Make, colour, damage, who was in it, where and when it was seen.",
        "Small grey car, outside school on 20 November",
    )


class PlaceOfConcern(ReporterInput):
    """A place that may matter: where a child is taken, meets somebody or has been found."""

    name: Line | None = optional_field("Name", "What the place is called.", "Example Park")
    address: Address | None = optional_field(
        "Address", "Its address, as far as you know it.", {"text": "By the north gate, Exampleton"}
    )
    described: Note | None = optional_field(
        "Description", "What happens there, when, and who is there.", "Alex is collected from here on Friday evenings"
    )
