"""A child in a concern."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.errors import CodedValueError, FaultCode
from app.models.base import Slug
from app.models.fields import (
    Address,
    Brief,
    Day,
    DisabilityCode,
    EthnicityCode,
    Identifier,
    Line,
    Note,
    PartialDate,
    ReporterInput,
    SexCode,
    YesNo,
    optional_field,
    optional_list,
)


class Child(ReporterInput):
    """A person under 18 or not yet born, as far as anything is known: no answer here is required.

    The coded questions are those of the Department for Education’s children in need census. No date of birth is
    refused, even one that makes the person older than 17: the duty team judges that.
    """

    given_names: Line | None = optional_field(
        "First names", "First and middle names as far as you know. If you have only one name, put it here.", "Alex"
    )
    family_name: Line | None = optional_field("Family name", "The child’s family name, if you know it.", "Example")
    other_names: tuple[Line, ...] = optional_list(
        "Other names",
        "Any other names the child uses or has used: nicknames, former names, names used online.",
        ["Lex"],
        max_length=5,
    )
    date_of_birth: Day | None = optional_field(
        "Date of birth",
        "The full date, if you know it. If you do not, give an estimated age or leave both empty.",
        "2012-03-04",
    )
    estimated_age: Annotated[int, Field(strict=True, ge=0, le=17)] | None = optional_field(
        "Estimated age", "Your best estimate in whole years, from 0 to 17, if you do not know the date of birth.", 14
    )
    age_described: Line | None = optional_field(
        "Age in your own words", "Anything else that you know about the child’s age.", "In Year 9 at school"
    )
    unborn: YesNo | None = optional_field(
        "Is this a child not yet born?", "Answer yes if your concern is about a child who has not been born yet.", "no"
    )
    expected_date_of_birth: Day | None = optional_field(
        "Expected date of birth",
        "For a child not yet born: the full date on which the birth is expected, if you know it.",
        "2027-02-01",
    )
    sex: SexCode | None = optional_field("Sex", "The code from the list `sex`. Leave it out if you do not know.", "F")
    ethnicity: EthnicityCode | None = optional_field(
        "Ethnicity", "The code from the list `ethnicity`. Leave it out if you do not know.", "MOTH"
    )
    ethnicity_described: Line | None = optional_field(
        "Ethnicity in your own words",
        "How the child or family describes it, if you know.",
        "The family describes itself as of mixed background",
    )
    disabilities: tuple[DisabilityCode, ...] = optional_list(
        "Disabilities",
        "Codes from the list `disability`: as many as apply. An empty list means not answered.",
        ["HEAR"],
        max_length=15,
    )
    disability_described: Note | None = optional_field(
        "Disability in your own words",
        "Any disability, illness or special need, and what it means for the child from day to day.",
        "Wears a hearing aid",
    )
    first_language: Brief | None = optional_field(
        "First language", "The language that the child knows best.", "British Sign Language"
    )
    interpreter_needed: YesNo | None = optional_field(
        "Is an interpreter needed?", "Whether the child needs an interpreter, sign language included.", "yes"
    )
    communication_needs: Note | None = optional_field(
        "Communication needs",
        "Anything that helps a worker to talk with the child and be understood.",
        "Prefers to write things down",
    )
    identifiers: tuple[Identifier, ...] = optional_list(
        "Numbers that the child is known by",
        "Numbers from health, school or social care records, where you have them.",
        [{"scheme": "nhs-number", "value": "999 000 0000"}],
        max_length=5,
    )
    home_address: Address | None = optional_field(
        "Home address",
        "Where the child usually lives.",
        {"text": "1 Example Street, Exampleton", "postcode": "XX1 1XX"},
    )
    where_now: Line | None = optional_field(
        "Where is the child now?",
        "Where the child is at this moment, and with whom, if you know.",
        "At school until 3.15 this afternoon",
    )
    school_or_setting: Line | None = optional_field(
        "School or setting", "The school, college, nursery or other place the child goes to.", "Example Academy"
    )
    attendance: Line | None = optional_field(
        "Attendance",
        "How often the child goes there, and any change that you have noticed.",
        "Away on most Fridays since September",
    )
    gp: Line | None = optional_field("GP", "The child’s doctor or surgery.", "Dr Example, Example Surgery")
    health_visitor: Line | None = optional_field(
        "Health visitor", "The health visitor’s name and how to reach them.", "Pat Example, 01632 960010"
    )
    school_nurse: Line | None = optional_field(
        "School nurse", "The school nurse’s name and how to reach them.", "Kit Example, 01632 960011"
    )
    looked_after: YesNo | None = optional_field(
        "Is the child looked after by a council?", "Whether the child is in the care of a council.", "not_known"
    )
    child_protection_plan: YesNo | None = optional_field(
        "Is there a child protection plan?", "Whether the child is on a child protection plan now.", "not_known"
    )
    education_health_and_care_plan: YesNo | None = optional_field(
        "Is there an education, health and care plan?",
        "Whether the child has an education, health and care plan (EHCP).",
        "yes",
    )
    allocated_social_worker: Line | None = optional_field(
        "Social worker",
        "The child’s social worker, if there is one: name, team and how to reach them.",
        "Jo Example, Example Council, 01632 960012",
    )


# What a reporter saw: items of an edition, missing episodes, and people, vehicles and places of concern.


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
