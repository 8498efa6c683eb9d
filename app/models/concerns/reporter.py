"""The person who raises a concern."""

from enum import StrEnum

from pydantic import Field

from app.models.concerns.field_types import Line, ReferralSourceCode, ReporterInput, YesNo, optional_field


class ReporterKind(StrEnum):
    """Who raises the concern. A concern from any of them takes the same route."""

    PROFESSIONAL = "professional"
    MEMBER_OF_PUBLIC = "member_of_public"
    FAMILY = "family"
    CHILD = "child"
    ANONYMOUS = "anonymous"


class Reporter(ReporterInput):
    """The person who raises the concern. Only `kind` is required: nobody has to give a name.

    `source_code` is the referral source of the Department for Education’s children in need census.
    """

    kind: ReporterKind = Field(
        title="Who are you?",
        description="Whether you work with children, are a member of the public, family, the child, or stay anonymous.",
        examples=["professional"],
    )
    source_code: ReferralSourceCode | None = optional_field(
        "Referral source",
        "The code from the list `referral-source`, where a system has it. People need not look for it.",
        "2A",
    )
    name: Line | None = optional_field("Your name", "The name to ask for.", "Robin Example")
    role: Line | None = optional_field("Your role", "Your job or role, if any.", "Form tutor")
    organisation: Line | None = optional_field(
        "Your organisation", "Where you work or volunteer, if that is how you know the child.", "Example Academy"
    )
    phone: Line | None = optional_field(
        "Your telephone number", "A number to reach you on, in any form.", "01632 960001"
    )
    email: Line | None = optional_field("Your email address", "An address to write to you at.", "robin@academy.example")
    safe_times_to_contact: Line | None = optional_field(
        "When and how is it safe to contact you?",
        "Times and ways that are safe for you and for the child, and any that are not.",
        "Weekdays before 4 pm; please leave no message",
    )
    relationship_to_child: Line | None = optional_field(
        "How do you know the child?", "Your connection with the child or family.", "Alex’s form tutor since September"
    )
    anonymous_to_family: YesNo | None = optional_field(
        "Do you wish to stay anonymous from the family?",
        "Whether you ask that the family is not told who raised the concern.",
        "yes",
    )
    safeguarding_lead_consulted: YesNo | None = optional_field(
        "Have you spoken to your designated safeguarding lead?",
        "Only if your organisation has one. You may raise a concern without having done so.",
        "yes",
    )
    safeguarding_lead_name: Line | None = optional_field(
        "Name of the designated safeguarding lead",
        "Who was consulted, and how to reach them.",
        "Chris Example, 01632 960002",
    )
