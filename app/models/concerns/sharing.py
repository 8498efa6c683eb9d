"""Who knows of the concern, the basis for sharing, the agencies involved, and safe contact for workers."""

from enum import StrEnum

from app.models.concerns.field_types import (
    Account,
    LawfulBasisCode,
    Line,
    Note,
    ReasonNotInformedCode,
    ReporterInput,
    YesNo,
    optional_field,
    optional_list,
)


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

    parents_informed: ParentsInformed | None = optional_field(
        "Have the parents or carers been told?",
        "Answer not_safe if telling them could put a child or anybody else at risk.",
        "not_safe",
    )
    reasons_parents_not_told: tuple[ReasonNotInformedCode, ...] = optional_list(
        "Why have they not been told?",
        "Codes from the list `reason-parents-not-told`: as many as apply.",
        ["risk_of_significant_harm"],
        max_length=10,
    )
    parents_informed_described: Note | None = optional_field(
        "What they were told, or why not",
        "In your own words: what they said, or why they have not been told.",
        "We are not sure who else would hear of it at home",
    )
    child_informed: YesNo | None = optional_field(
        "Does the child know that you are raising this?", "Whether you or anybody else has told the child.", "yes"
    )
    childs_own_words: Account | None = optional_field(
        "The child’s own words",
        "What the child said, as nearly as you can in the child’s words.",
        "‘He gets cross if I don’t answer my phone.’",
    )
    childs_wishes: Account | None = optional_field(
        "What does the child want?",
        "What the child has said they want or do not want to happen.",
        "Alex wants it to stop and asks that an aunt is told first",
    )
    agreement_to_service: YesNo | None = optional_field(
        "Has the family agreed to a service?",
        "Whether the child, parents or carers agree to receive help. Your concern does not depend on it.",
        "not_known",
    )
    agreement_described: Line | None = optional_field(
        "Who agreed, and to what",
        "Who gave or refused agreement, when, and to which service.",
        "Nobody has been asked yet",
    )
    lawful_basis: LawfulBasisCode | None = optional_field(
        "Lawful basis for sharing",
        "The code from the list `lawful-basis`. For organisations; leave it out if you are not sure.",
        "public_task",
    )


class Agency(ReporterInput):
    """An organisation that is already involved with a child or the family."""

    name: Line | None = optional_field("Organisation", "Which organisation or team it is.", "Example Youth Club")
    worker: Line | None = optional_field("Worker", "Whom to ask for there.", "Ash Example, youth worker")
    phone: Line | None = optional_field("Telephone number", "In any form.", "01632 960003")
    email: Line | None = optional_field("Email address", "In any form.", "ash@youthclub.example")
    knows_of_concern: YesNo | None = optional_field(
        "Do they know of this concern?", "Whether you or anybody else has told them.", "no"
    )
    involvement: Note | None = optional_field(
        "How are they involved?",
        "What they do for the child or the family, and since when.",
        "Alex goes there on Tuesdays",
    )


class RiskToWorkers(ReporterInput):
    """Anything that a worker should know before a visit or a call."""

    known_risk: YesNo | None = optional_field(
        "Is there a risk to workers?", "Whether you know of any risk to somebody who visits or calls.", "not_known"
    )
    described: Note | None = optional_field(
        "What the risk is",
        "People, animals, weapons, illness, or anything else about the place.",
        "A large dog, kept in the yard",
    )
    safe_contact: Note | None = optional_field(
        "How to make contact safely",
        "How, when and through whom to make contact so that nobody is put at risk.",
        "Ring the school first; do not ring the home number",
    )
