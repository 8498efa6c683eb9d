"""Requests and responses of the desk about one concern: who works on it, its words, and what the team does."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.models.base import MAX_NUMBER, FromCodeList, RequestModel, ResponseModel, Text, UtcDateTime
from app.models.entries import Message, OpenedAddition
from app.models.inbox import InboxEntry, Moment
from app.models.links import Links, desk_concern_path
from app.models.people import PersonName
from app.models.receipts import EXAMPLE_BURST, EXAMPLE_REFERENCE
from app.models.record import Remnants


class Assignment(RequestModel):
    """The person that works on the concern from now on."""

    person: PersonName


class AssignmentState(ResponseModel):
    """The person that a concern is assigned to, and the act that did it."""

    assigned_to: str | None = Field(description="The person; null for nobody.", examples=["Robin Example"])
    at: UtcDateTime | None = Field(description="When it was assigned so; null where nobody ever assigned it.")
    by: str | None = Field(
        description="Who did it, as the record names them; null where nobody ever assigned it.",
        examples=["example-desk/Sam Example"],
    )


class AssignmentResponse(AssignmentState):
    """The person that a concern is assigned to. The ETag of the response is that of this assignment."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    replaced: AssignmentState | None = Field(
        description="The assignment before this request, as another person may have made it meanwhile; null in the "
        "answer to a read."
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "assignment")}])


class ErasedConcern(InboxEntry):
    """A concern whose words were erased, and whether their bytes are gone from the files of the database too."""

    remnants: Remnants = Field(
        description="`none`: nothing is left. `pending`: somebody reads the database; the service tries again until "
        "nothing is left. `left_to_postgresql`: the space is free, and PostgreSQL overwrites it when it uses it again.",
        examples=["none"],
    )


class OpenedConcern(InboxEntry):
    """A concern, opened."""

    submission: dict[str, Any] = Field(
        description="The concern, as it was sent.",
        examples=[{"immediate_danger": "no", "concern": {"narrative": "Alex Example was not at school."}}],
    )
    additions: tuple[OpenedAddition, ...] = Field(
        description="What was added to it, in order: the first page. Where there is more, `links.next` is the path of "
        "the second."
    )


class Acknowledgement(RequestModel):
    """A social worker has seen the concern and decided the next step. Nothing needs to be sent with it."""

    up_to_addition: int = Field(
        default=0,
        ge=0,
        le=MAX_NUMBER,
        description="The number of the last addition that was seen. It acknowledges that one and all before it. Later "
        "additions go on waiting, and without this all of them do.",
        examples=[1],
    )


MAX_TOGETHER = 100


class BurstAcknowledgement(RequestModel):
    """A social worker has looked at these concerns of one burst, and decided the next step for all of them."""

    references: tuple[Annotated[str, StringConstraints(max_length=40)], ...] = Field(
        min_length=1,
        max_length=MAX_TOGETHER,
        description="The concerns that were seen. What comes later in the same burst goes on waiting.",
        examples=[[EXAMPLE_REFERENCE]],
    )
    additions_until: Moment | None = Field(
        default=None,
        description="Additions to them that came until then are acknowledged too: a `next_changed_since` of the inbox. "
        "Without it none is.",
        examples=["2026-11-24T09:30:00Z"],
    )


class BurstAcknowledged(ResponseModel):
    """The concerns, each with an act in its own record."""

    burst: str = Field(description="The burst.", examples=[EXAMPLE_BURST])
    concerns: tuple[InboxEntry, ...] = Field(description="The concerns that were named, in that order.")


class Outcome(RequestModel):
    """What came of the concern. It closes it."""

    outcome: Annotated[str, FromCodeList("outcome")] = Field(
        max_length=60, description="A code of the list `outcome`.", examples=["assessment_required"]
    )
    shared_with_reporter: bool = Field(
        default=False, description="Whether the reporter's status may tell it.", examples=[False]
    )
    message: Message | None = Field(
        default=None,
        description="A last word to the reporter, sealed and sent like every message. With an idempotency key a retry "
        "sends it once.",
        examples=[None, {"text": "Thank you. We have spoken with the family, and will visit them again."}],
    )


class Hold(RequestModel):
    """A hold keeps a concern from being erased, or is lifted."""

    held: bool = Field(description="True to hold, false to release.", examples=[True])
    reason: Text = Field(
        description="Why, for the record of disclosures. Name nobody here.",
        examples=["Court proceedings."],
    )


class Erasure(RequestModel):
    """The words of a concern are taken away for good. Its dates and its outcome stay, for statistics."""

    reason: Text = Field(
        description="Why, for the record of disclosures. Name nobody here.",
        examples=["Erasure was requested and granted."],
    )
