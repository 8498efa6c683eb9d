"""The submission: a concern about one or more children."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.models.base import MAX_NUMBER, Slug
from app.models.concerns.child import Child
from app.models.concerns.detail import ConcernDetail
from app.models.concerns.field_types import Line, ReporterInput, YesNo, optional_field, optional_list
from app.models.concerns.people import OtherPerson, ParentOrCarer
from app.models.concerns.reporter import Reporter
from app.models.concerns.sharing import Agency, InformedAndBasis, RiskToWorkers

FORM_VERSION = 3
"""The version of the form. It rises by one whenever its JSON Schema, that of `Concern`, changes in any way."""
NO_QUESTION = "test"
"""The member of `Concern` that is not in the form: developers send it."""


class ImmediateDanger(StrEnum):
    """Whether a child is in immediate danger. Whatever the answer, the concern is taken; 999 comes first."""

    YES = "yes"
    NO = "no"
    NOT_SURE = "not_sure"


class AlreadyTelephoned(ReporterInput):
    """A call to the duty team or the police before this was written. Neither waits for the other."""

    telephoned: YesNo | None = optional_field(
        "Have you already telephoned?", "Whether you have telephoned the duty team or the police about this.", "yes"
    )
    when: Line | None = optional_field(
        "When did you telephone?", "The day and time, in your own words.", "24 November 2026, about 9.30 in the morning"
    )
    whom: Line | None = optional_field(
        "Whom did you speak to?", "The name, team or number, as far as you know.", "Jo, at the duty team"
    )


class Concern(ReporterInput):
    """A concern about one or more children, in whatever detail the reporter has.

    Four parts are required: `immediate_danger`, `reporter` with its `kind`, one or more `children` (each may be
    empty), and `concern` with its `narrative`. Everything else may be left out, and what is left out means 'not
    answered', never 'no'. Nothing is scored. Consent is not asked for, since a child at risk does not wait for it
    (HM Government information-sharing advice, 2024); a child is a person under 18, or not yet born (Working Together to
    Safeguard Children).
    """

    guide: Slug | None = optional_field(
        "Guide",
        "The guide that it refers to. Left out, it is the one that has the items named below, else the default.",
        "child-sexual-exploitation",
    )
    edition: Annotated[int, Field(strict=True, ge=1, le=MAX_NUMBER)] | None = optional_field(
        "Edition", "The number of the edition that the reporter was shown; left out, the current one.", 1
    )
    immediate_danger: ImmediateDanger = Field(
        title="Is a child in immediate danger?",
        description="If a child is in immediate danger, call 999 now. You can still send this afterwards.",
        examples=["no"],
    )
    police_informed: YesNo | None = optional_field(
        "Have the police been told?", "Whether you or anybody else has told the police about this.", "not_known"
    )
    police_reference: Line | None = optional_field(
        "Police reference", "The crime or incident number, if the police gave one.", "Log 000 of 24 November 2026"
    )
    already_telephoned: AlreadyTelephoned | None = optional_field(
        "Calls already made",
        "Any call to the duty team or the police before you wrote this.",
        {"telephoned": "yes", "when": "This morning", "whom": "The duty team"},
    )
    reporter: Reporter = Field(
        title="About you",
        description="Who raises the concern. You need not give your name.",
        examples=[{"kind": "member_of_public"}],
    )
    children: tuple[Child, ...] = Field(
        min_length=1,
        max_length=30,
        title="The children",
        description="Every child you are worried about. If you know nothing of a child, leave an empty entry.",
        examples=[[{"given_names": "Alex", "estimated_age": 14}], [{}]],
    )
    parents_and_carers: tuple[ParentOrCarer, ...] = optional_list(
        "Parents and carers",
        "Parents of the children, and others who care for them.",
        [{"name": "Sam Example", "relationship_to_child": "Mother of Alex"}],
        max_length=20,
    )
    others: tuple[OtherPerson, ...] = optional_list(
        "Household and others",
        "Siblings, regular visitors, absent parents and anybody else around the children.",
        [{"name": "Charlie Example", "connection": "sibling"}],
        max_length=20,
    )
    informed_and_basis: InformedAndBasis | None = optional_field(
        "Who has been told, and the basis for sharing",
        "What the parents and the child know, what the child says, and the basis for sharing.",
        {"parents_informed": "not_known", "child_informed": "yes"},
    )
    concern: ConcernDetail = Field(
        title="The concern",
        description="What you saw, heard or were told.",
        examples=[{"narrative": "Alex has been collected from school by an adult whom the family does not know."}],
    )
    agencies: tuple[Agency, ...] = optional_list(
        "Agencies already involved",
        "Organisations that already work with a child or the family.",
        [{"name": "Example Youth Club", "knows_of_concern": "no"}],
        max_length=20,
    )
    risk_to_workers: RiskToWorkers | None = optional_field(
        "Risk to workers", "Anything that a worker should know before a visit or a call.", {"known_risk": "not_known"}
    )
    test: Annotated[bool, Field(strict=True)] | None = optional_field(
        "Test",
        "For developers: true if this is about no child. It needs a test key, and is refused without one. What comes "
        "with a test key is always a test.",
        False,
    )
