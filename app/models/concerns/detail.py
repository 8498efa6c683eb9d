"""The concern itself: what happened, how it is known, and what was seen."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.faults import CodedValueError, FaultCode
from app.models.concerns.field_types import (
    Account,
    Line,
    Note,
    PartialDate,
    ReporterInput,
    YesNo,
    optional_field,
    optional_list,
)
from app.models.concerns.observations import (
    MissingEpisode,
    PersonOfConcern,
    PlaceOfConcern,
    UniqueObservations,
    VehicleOfConcern,
)


def _check_not_blank(narrative: str) -> str:
    if not narrative.strip():
        raise CodedValueError(FaultCode.BLANK, "say in a few words what worries you; spaces alone tell nothing")
    return narrative


Narrative = Annotated[str, StringConstraints(min_length=1, max_length=50_000), AfterValidator(_check_not_blank)]


class HowKnown(StrEnum):
    """How the reporter came to know. None of these counts for more than another here."""

    FIRST_HAND = "first_hand"
    TOLD_BY_CHILD = "told_by_child"
    TOLD_BY_SOMEONE_ELSE = "told_by_someone_else"
    OTHER = "other"
    NOT_KNOWN = "not_known"


class OnlineElement(ReporterInput):
    """What happened online, or by telephone and messages."""

    involved: YesNo | None = optional_field(
        "Did any of it happen online?", "Whether the internet, an app, a game or messages played a part.", "yes"
    )
    apps_and_accounts: Note | None = optional_field(
        "Apps and accounts",
        "Which apps, games or sites, and which accounts, as far as you know.",
        "An account called example_user_1 on a chat app",
    )
    described: Note | None = optional_field(
        "What happened online",
        "What you know of it. Please do not copy or send any images.",
        "Messages late at night that upset Alex",
    )


class ConcernDetail(ReporterInput):
    """What the reporter saw, heard or was told. Only `narrative` is required, in any words and of any length to 50,000.

    Facts come first and opinion is welcome when it says that it is opinion. No answer here is turned into a score.
    """

    narrative: Narrative = Field(
        title="What are you worried about?",
        description="What happened, when and where, and who saw it. A sentence is enough to begin with.",
        examples=["Alex has been collected from school three times by an adult whom the family does not know."],
        json_schema_extra={"pattern": r"\S"},
    )
    how_known: tuple[HowKnown, ...] = optional_list(
        "How do you know?",
        "Seen or heard by you, told to you by the child, or by someone else: as many as apply.",
        ["first_hand", "told_by_child"],
        max_length=10,
    )
    how_known_described: Note | None = optional_field(
        "How you know, in your own words",
        "Who told you, when, and in what words, as far as you can say.",
        "Alex’s friend told me on 19 November",
    )
    source_wishes_to_stay_anonymous: YesNo | None = optional_field(
        "Does the person who told you wish to stay anonymous?",
        "If someone other than the child told you: whether they ask not to be named.",
        "yes",
    )
    latest_event: PartialDate | None = optional_field(
        "Date of the latest event", "A date, a month or a year, such as 2026-11-24, 2026-11 or 2026.", "2026-11-20"
    )
    latest_event_described: Line | None = optional_field(
        "When the latest event was, in your own words",
        "If you do not know the date, or want to say more about the time.",
        "Last Friday, just after school",
    )
    indicators: UniqueObservations = optional_list(
        "Indicators seen",
        "Indicators of the guide that you have seen. There is no need to find any.",
        [{"id": "missing-or-unexplained-absence", "note": "Away on two nights"}],
        max_length=50,
    )
    factors: UniqueObservations = optional_list(
        "Vulnerability factors known",
        "Experiences named by the guide that you know this child has had. They are not indicators.",
        [{"id": "prior-neglect-or-abuse"}],
        max_length=30,
    )
    linked_risks: UniqueObservations = optional_list(
        "Linked risks seen",
        "Other harms named by the guide that you think may be linked.",
        [{"id": "child-trafficking", "note": "Taken to another town"}],
        max_length=30,
    )
    online: OnlineElement | None = optional_field(
        "Online", "Anything that happened online, or by telephone and messages.", {"involved": "not_known"}
    )
    missing_now: YesNo | None = optional_field(
        "Is a child missing now?",
        "If a child is missing now, call the police as well: 999 if the child may be in danger.",
        "no",
    )
    missing_episodes: tuple[MissingEpisode, ...] = optional_list(
        "Times when a child was missing",
        "Each time that you know of. An empty list means not answered.",
        [{"started": "2026-11-13", "ended": "2026-11-14"}],
        max_length=20,
    )
    people_of_concern: tuple[PersonOfConcern, ...] = optional_list(
        "People of concern",
        "Anybody who may be a risk to a child, however little you know about them.",
        [{"name": "‘Max’", "age_described": "Looks about 25"}],
        max_length=15,
    )
    vehicles_of_concern: tuple[VehicleOfConcern, ...] = optional_list(
        "Vehicles of concern",
        "Any vehicle that may matter, however little you remember of it.",
        [{"registration": "ends EXA"}],
        max_length=10,
    )
    places_of_concern: tuple[PlaceOfConcern, ...] = optional_list(
        "Places of concern", "Any place that may matter.", [{"name": "Example Park"}], max_length=10
    )
    going_well: Account | None = optional_field(
        "What is going well?",
        "People who help, things the child enjoys, anything that keeps the child safe.",
        "Alex trusts an aunt and enjoys football practice",
    )
    hoped_for: Account | None = optional_field(
        "What do you hope will happen?",
        "What you hope will change for the child once you have raised this.",
        "That somebody talks with Alex soon",
    )
