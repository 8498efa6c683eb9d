"""The person who raises a concern."""

from enum import StrEnum

from pydantic import Field

from app.models.concerns.field_types import Line, ReferralSourceCode, YesNo
from app.models.concerns.reporter_input import ReporterInput


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
    source_code: ReferralSourceCode | None = Field(
        default=None,
        title="Referral source",
        description="The code from the list `referral-source`, where a system has it. People need not look for it.",
        examples=["2A"],
    )
    name: Line | None = Field(
        default=None, title="Your name", description="The name to ask for.", examples=["Robin Example"]
    )
    role: Line | None = Field(
        default=None, title="Your role", description="Your job or role, if any.", examples=["Form tutor"]
    )
    organisation: Line | None = Field(
        default=None,
        title="Your organisation",
        description="Where you work or volunteer, if that is how you know the child.",
        examples=["Example Academy"],
    )
    phone: Line | None = Field(
        default=None,
        title="Your telephone number",
        description="A number to reach you on, in any form.",
        examples=["01632 960001"],
    )
    email: Line | None = Field(
        default=None,
        title="Your email address",
        description="An address to write to you at.",
        examples=["robin@academy.example"],
    )
    safe_times_to_contact: Line | None = Field(
        default=None,
        title="When and how is it safe to contact you?",
        description="Times and ways that are safe for you and for the child, and any that are not.",
        examples=["Weekdays before 4 pm; please leave no message"],
    )
    relationship_to_child: Line | None = Field(
        default=None,
        title="How do you know the child?",
        description="Your connection with the child or family.",
        examples=["Alex’s form tutor since September"],
    )
    anonymous_to_family: YesNo | None = Field(
        default=None,
        title="Do you wish to stay anonymous from the family?",
        description="Whether you ask that the family is not told who raised the concern.",
        examples=["yes"],
    )
    safeguarding_lead_consulted: YesNo | None = Field(
        default=None,
        title="Have you spoken to your designated safeguarding lead?",
        description="Only if your organisation has one. You may raise a concern without having done so.",
        examples=["yes"],
    )
    safeguarding_lead_name: Line | None = Field(
        default=None,
        title="Name of the designated safeguarding lead",
        description="Who was consulted, and how to reach them.",
        examples=["Chris Example, 01632 960002"],
    )
