"""The people around the children of a concern: parents and carers, household and others."""

from enum import StrEnum

from pydantic import Field

from app.models.concerns.field_types import Address, Day, Line, Note, YesNo
from app.models.concerns.reporter_input import ReporterInput


class ParentOrCarer(ReporterInput):
    """A parent of a child in the concern, or somebody who cares for one."""

    name: Line | None = Field(
        default=None, title="Name", description="As far as you know it.", examples=["Sam Example"]
    )
    date_of_birth: Day | None = Field(
        default=None,
        title="Date of birth",
        description="The full date, if you know it.",
        examples=["1984-05-06"],
    )
    age_described: Line | None = Field(
        default=None,
        title="Age in your own words",
        description="What you know of their age, if you do not know the date of birth.",
        examples=["In their forties"],
    )
    relationship_to_child: Line | None = Field(
        default=None,
        title="Relationship to the child",
        description="How they are related; where there are several children, to which of them.",
        examples=["Mother of Alex"],
    )
    parental_responsibility: YesNo | None = Field(
        default=None,
        title="Do they have parental responsibility?",
        description="Whether they have parental responsibility in law.",
        examples=["yes"],
    )
    primary_carer: YesNo | None = Field(
        default=None,
        title="Are they the main carer?",
        description="Whether they look after the child most of the time.",
        examples=["yes"],
    )
    address: Address | None = Field(
        default=None,
        title="Address",
        description="Where they live, if you know.",
        examples=[{"text": "1 Example Street, Exampleton"}],
    )
    phone: Line | None = Field(
        default=None, title="Telephone number", description="In any form.", examples=["07700 900001"]
    )
    communication_needs: Note | None = Field(
        default=None,
        title="Communication needs",
        description="Language, interpreter, or anything else that helps a worker to talk with them.",
        examples=["Speaks Polish; an interpreter helps"],
    )


class ConnectionToChild(StrEnum):
    """How another person stands to the child or the household."""

    SIBLING = "sibling"
    HOUSEHOLD_MEMBER = "household_member"
    REGULAR_VISITOR = "regular_visitor"
    ABSENT_PARENT = "absent_parent"
    OTHER = "other"
    NOT_KNOWN = "not_known"


class OtherPerson(ReporterInput):
    """Somebody else in or around the household: a sibling, a regular visitor, an absent parent."""

    name: Line | None = Field(
        default=None, title="Name", description="As far as you know it.", examples=["Charlie Example"]
    )
    connection: ConnectionToChild | None = Field(
        default=None,
        title="Connection",
        description="How they are connected with the child or the household.",
        examples=["sibling"],
    )
    relationship_to_child: Line | None = Field(
        default=None,
        title="Relationship in your own words",
        description="How they are related; where there are several children, to which of them.",
        examples=["Older brother of Alex"],
    )
    lives_with_child: YesNo | None = Field(
        default=None,
        title="Do they live with the child?",
        description="Whether they live in the same household.",
        examples=["no"],
    )
    date_of_birth: Day | None = Field(
        default=None,
        title="Date of birth",
        description="The full date, if you know it.",
        examples=["2006-07-08"],
    )
    age_described: Line | None = Field(
        default=None,
        title="Age in your own words",
        description="What you know of their age, if you do not know the date of birth.",
        examples=["About 20"],
    )
    address: Address | None = Field(
        default=None,
        title="Address",
        description="Where they live, if you know.",
        examples=[{"text": "2 Example Street, Exampleton"}],
    )
    phone: Line | None = Field(
        default=None, title="Telephone number", description="In any form.", examples=["07700 900002"]
    )
    notes: Note | None = Field(
        default=None,
        title="Anything else",
        description="Anything else about them that matters to the child.",
        examples=["Visits every Sunday; Alex speaks well of him"],
    )
