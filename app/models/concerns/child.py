"""A child in a concern."""

from typing import Annotated

from pydantic import Field

from app.models.concerns.field_types import (
    Address,
    Brief,
    Day,
    DisabilityCode,
    EthnicityCode,
    Identifier,
    Line,
    Note,
    SexCode,
    YesNo,
)
from app.models.concerns.reporter_input import ReporterInput


class Child(ReporterInput):
    """A person under 18 or not yet born, as far as anything is known: no answer here is required.

    The coded questions are those of the Department for Education’s children in need census. No date of birth is
    refused, even one that makes the person older than 17: the duty team judges that.
    """

    given_names: Line | None = Field(
        default=None,
        title="First names",
        description="First and middle names as far as you know. If you have only one name, put it here.",
        examples=["Alex"],
    )
    family_name: Line | None = Field(
        default=None,
        title="Family name",
        description="The child’s family name, if you know it.",
        examples=["Example"],
    )
    other_names: tuple[Line, ...] = Field(
        default=(),
        max_length=5,
        title="Other names",
        description="Any other names the child uses or has used: nicknames, former names, names used online.",
        examples=[["Lex"]],
    )
    date_of_birth: Day | None = Field(
        default=None,
        title="Date of birth",
        description="The full date, if you know it. If you do not, give an estimated age or leave both empty.",
        examples=["2012-03-04"],
    )
    estimated_age: Annotated[int, Field(strict=True, ge=0, le=17)] | None = Field(
        default=None,
        title="Estimated age",
        description="Your best estimate in whole years, from 0 to 17, if you do not know the date of birth.",
        examples=[14],
    )
    age_described: Line | None = Field(
        default=None,
        title="Age in your own words",
        description="Anything else that you know about the child’s age.",
        examples=["In Year 9 at school"],
    )
    unborn: YesNo | None = Field(
        default=None,
        title="Is this a child not yet born?",
        description="Answer yes if your concern is about a child who has not been born yet.",
        examples=["no"],
    )
    expected_date_of_birth: Day | None = Field(
        default=None,
        title="Expected date of birth",
        description="For a child not yet born: the full date on which the birth is expected, if you know it.",
        examples=["2027-02-01"],
    )
    sex: SexCode | None = Field(
        default=None,
        title="Sex",
        description="The code from the list `sex`. Leave it out if you do not know.",
        examples=["F"],
    )
    ethnicity: EthnicityCode | None = Field(
        default=None,
        title="Ethnicity",
        description="The code from the list `ethnicity`. Leave it out if you do not know.",
        examples=["MOTH"],
    )
    ethnicity_described: Line | None = Field(
        default=None,
        title="Ethnicity in your own words",
        description="How the child or family describes it, if you know.",
        examples=["The family describes itself as of mixed background"],
    )
    disabilities: tuple[DisabilityCode, ...] = Field(
        default=(),
        max_length=15,
        title="Disabilities",
        description="Codes from the list `disability`: as many as apply. An empty list means not answered.",
        examples=[["HEAR"]],
    )
    disability_described: Note | None = Field(
        default=None,
        title="Disability in your own words",
        description="Any disability, illness or special need, and what it means for the child from day to day.",
        examples=["Wears a hearing aid"],
    )
    first_language: Brief | None = Field(
        default=None,
        title="First language",
        description="The language that the child knows best.",
        examples=["British Sign Language"],
    )
    interpreter_needed: YesNo | None = Field(
        default=None,
        title="Is an interpreter needed?",
        description="Whether the child needs an interpreter, sign language included.",
        examples=["yes"],
    )
    communication_needs: Note | None = Field(
        default=None,
        title="Communication needs",
        description="Anything that helps a worker to talk with the child and be understood.",
        examples=["Prefers to write things down"],
    )
    identifiers: tuple[Identifier, ...] = Field(
        default=(),
        max_length=5,
        title="Numbers that the child is known by",
        description="Numbers from health, school or social care records, where you have them.",
        examples=[[{"scheme": "nhs-number", "value": "999 000 0000"}]],
    )
    home_address: Address | None = Field(
        default=None,
        title="Home address",
        description="Where the child usually lives.",
        examples=[{"text": "1 Example Street, Exampleton", "postcode": "XX1 1XX"}],
    )
    where_now: Line | None = Field(
        default=None,
        title="Where is the child now?",
        description="Where the child is at this moment, and with whom, if you know.",
        examples=["At school until 3.15 this afternoon"],
    )
    school_or_setting: Line | None = Field(
        default=None,
        title="School or setting",
        description="The school, college, nursery or other place the child goes to.",
        examples=["Example Academy"],
    )
    attendance: Line | None = Field(
        default=None,
        title="Attendance",
        description="How often the child goes there, and any change that you have noticed.",
        examples=["Away on most Fridays since September"],
    )
    gp: Line | None = Field(
        default=None,
        title="GP",
        description="The child’s doctor or surgery.",
        examples=["Dr Example, Example Surgery"],
    )
    health_visitor: Line | None = Field(
        default=None,
        title="Health visitor",
        description="The health visitor’s name and how to reach them.",
        examples=["Pat Example, 01632 960010"],
    )
    school_nurse: Line | None = Field(
        default=None,
        title="School nurse",
        description="The school nurse’s name and how to reach them.",
        examples=["Kit Example, 01632 960011"],
    )
    looked_after: YesNo | None = Field(
        default=None,
        title="Is the child looked after by a council?",
        description="Whether the child is in the care of a council.",
        examples=["not_known"],
    )
    child_protection_plan: YesNo | None = Field(
        default=None,
        title="Is there a child protection plan?",
        description="Whether the child is on a child protection plan now.",
        examples=["not_known"],
    )
    education_health_and_care_plan: YesNo | None = Field(
        default=None,
        title="Is there an education, health and care plan?",
        description="Whether the child has an education, health and care plan (EHCP).",
        examples=["yes"],
    )
    allocated_social_worker: Line | None = Field(
        default=None,
        title="Social worker",
        description="The child’s social worker, if there is one: name, team and how to reach them.",
        examples=["Jo Example, Example Council, 01632 960012"],
    )
