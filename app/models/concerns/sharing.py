"""Who knows of the concern, the basis for sharing, the agencies involved, and safe contact for workers."""

from enum import StrEnum

from pydantic import Field

from app.models.concerns.field_types import Account, LawfulBasisCode, Line, Note, ReasonNotInformedCode, YesNo
from app.models.concerns.reporter_input import ReporterInput


class ParentsInformed(StrEnum):
    """Whether parents or carers know of the concern. `not_safe`: they were not told because telling them is unsafe."""

    YES = "yes"
    NO = "no"
    NOT_SAFE = "not_safe"
    NOT_KNOWN = "not_known"


class InformedAndBasis(ReporterInput):
    """Who has been told, what the child says, and the basis for sharing. Nothing here is a condition of sharing.

    Nobody needs consent to share information about a child who is or may be at risk (HM Government, Information
    sharing: advice for practitioners providing safeguarding services, 2024). Agreement to a service and the lawful
    basis for sharing are therefore two questions, and neither follows from the other.
    """

    parents_informed: ParentsInformed | None = Field(
        default=None,
        title="Have the parents or carers been told?",
        description="Answer not_safe if telling them could put a child or anybody else at risk.",
        examples=["not_safe"],
    )
    reasons_parents_not_told: tuple[ReasonNotInformedCode, ...] = Field(
        default=(),
        max_length=10,
        title="Why have they not been told?",
        description="Codes from the list `reason-parents-not-told`: as many as apply.",
        examples=[["risk_of_significant_harm"]],
    )
    parents_informed_described: Note | None = Field(
        default=None,
        title="What they were told, or why not",
        description="In your own words: what they said, or why they have not been told.",
        examples=["We are not sure who else would hear of it at home"],
    )
    child_informed: YesNo | None = Field(
        default=None,
        title="Does the child know that you are raising this?",
        description="Whether you or anybody else has told the child.",
        examples=["yes"],
    )
    childs_own_words: Account | None = Field(
        default=None,
        title="The child’s own words",
        description="What the child said, as nearly as you can in the child’s words.",
        examples=["‘He gets cross if I don’t answer my phone.’"],
    )
    childs_wishes: Account | None = Field(
        default=None,
        title="What does the child want?",
        description="What the child has said they want or do not want to happen.",
        examples=["Alex wants it to stop and asks that an aunt is told first"],
    )
    agreement_to_service: YesNo | None = Field(
        default=None,
        title="Has the family agreed to a service?",
        description="Whether the child, parents or carers agree to receive help. Your concern does not depend on it.",
        examples=["not_known"],
    )
    agreement_described: Line | None = Field(
        default=None,
        title="Who agreed, and to what",
        description="Who gave or refused agreement, when, and to which service.",
        examples=["Nobody has been asked yet"],
    )
    lawful_basis: LawfulBasisCode | None = Field(
        default=None,
        title="Lawful basis for sharing",
        description="The code from the list `lawful-basis`. For organisations; leave it out if you are not sure.",
        examples=["public_task"],
    )


class Agency(ReporterInput):
    """An organisation that is already involved with a child or the family."""

    name: Line | None = Field(
        default=None,
        title="Organisation",
        description="Which organisation or team it is.",
        examples=["Example Youth Club"],
    )
    worker: Line | None = Field(
        default=None, title="Worker", description="Whom to ask for there.", examples=["Ash Example, youth worker"]
    )
    phone: Line | None = Field(
        default=None, title="Telephone number", description="In any form.", examples=["01632 960003"]
    )
    email: Line | None = Field(
        default=None, title="Email address", description="In any form.", examples=["ash@youthclub.example"]
    )
    knows_of_concern: YesNo | None = Field(
        default=None,
        title="Do they know of this concern?",
        description="Whether you or anybody else has told them.",
        examples=["no"],
    )
    involvement: Note | None = Field(
        default=None,
        title="How are they involved?",
        description="What they do for the child or the family, and since when.",
        examples=["Alex goes there on Tuesdays"],
    )


class RiskToWorkers(ReporterInput):
    """Anything that a worker should know before a visit or a call."""

    known_risk: YesNo | None = Field(
        default=None,
        title="Is there a risk to workers?",
        description="Whether you know of any risk to somebody who visits or calls.",
        examples=["not_known"],
    )
    described: Note | None = Field(
        default=None,
        title="What the risk is",
        description="People, animals, weapons, illness, or anything else about the place.",
        examples=["A large dog, kept in the yard"],
    )
    safe_contact: Note | None = Field(
        default=None,
        title="How to make contact safely",
        description="How, when and through whom to make contact so that nobody is put at risk.",
        examples=["Ring the school first; do not ring the home number"],
    )
