"""The people around the children of a concern: parents and carers, household and others."""

from enum import StrEnum

from app.models.concerns.field_types import Address, Day, Line, Note, ReporterInput, YesNo, optional_field


class ParentOrCarer(ReporterInput):
    """A parent of a child in the concern, or somebody who cares for one."""

    name: Line | None = optional_field("Name", "As far as you know it.", "Sam Example")
    date_of_birth: Day | None = optional_field("Date of birth", "The full date, if you know it.", "1984-05-06")
    age_described: Line | None = optional_field(
        "Age in your own words", "What you know of their age, if you do not know the date of birth.", "In their forties"
    )
    relationship_to_child: Line | None = optional_field(
        "Relationship to the child",
        "How they are related; where there are several children, to which of them.",
        "Mother of Alex",
    )
    parental_responsibility: YesNo | None = optional_field(
        "Do they have parental responsibility?", "Whether they have parental responsibility in law.", "yes"
    )
    primary_carer: YesNo | None = optional_field(
        "Are they the main carer?", "Whether they look after the child most of the time.", "yes"
    )
    address: Address | None = optional_field(
        "Address", "Where they live, if you know.", {"text": "1 Example Street, Exampleton"}
    )
    phone: Line | None = optional_field("Telephone number", "In any form.", "07700 900001")
    communication_needs: Note | None = optional_field(
        "Communication needs",
        "Language, interpreter, or anything else that helps a worker to talk with them.",
        "Speaks Polish; an interpreter helps",
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

    name: Line | None = optional_field("Name", "As far as you know it.", "Charlie Example")
    connection: ConnectionToChild | None = optional_field(
        "Connection", "How they are connected with the child or the household.", "sibling"
    )
    relationship_to_child: Line | None = optional_field(
        "Relationship in your own words",
        "How they are related; where there are several children, to which of them.",
        "Older brother of Alex",
    )
    lives_with_child: YesNo | None = optional_field(
        "Do they live with the child?", "Whether they live in the same household.", "no"
    )
    date_of_birth: Day | None = optional_field("Date of birth", "The full date, if you know it.", "2006-07-08")
    age_described: Line | None = optional_field(
        "Age in your own words", "What you know of their age, if you do not know the date of birth.", "About 20"
    )
    address: Address | None = optional_field(
        "Address", "Where they live, if you know.", {"text": "2 Example Street, Exampleton"}
    )
    phone: Line | None = optional_field("Telephone number", "In any form.", "07700 900002")
    notes: Note | None = optional_field(
        "Anything else",
        "Anything else about them that matters to the child.",
        "Visits every Sunday; Alex speaks well of him",
    )
