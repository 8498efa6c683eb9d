"""Requests and responses of the desk about concerns: assignment, decrypted text and the team's actions."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.models.access.names import PersonName
from app.models.audit.rows import Remnants
from app.models.base import MAX_NUMBER, FromCodeList, FullDate, RequestModel, ResponseModel, Text, UtcDateTime
from app.models.concerns.entries import Message, OpenedAddition
from app.models.desk.inbox import InboxEntry
from app.models.desk.inbox_filters import Moment
from app.models.links import Links, desk_concern_path
from app.models.references import EXAMPLE_BURST, EXAMPLE_REFERENCE

MAX_TOGETHER = 100


class Assignment(RequestModel):
    """The person the concern is assigned to."""

    person: PersonName


class AssignmentState(ResponseModel):
    """The person a concern is assigned to, and who assigned it."""

    assigned_to: str | None = Field(description="The person; null if unassigned.", examples=["Robin Example"])
    at: UtcDateTime | None = Field(description="When this assignment was made; null if there has never been one.")
    by: str | None = Field(
        description="Who made it, as named in the audit log; null if there has never been one.",
        examples=["example-desk/Sam Example"],
    )


class AssignmentResponse(AssignmentState):
    """The person a concern is assigned to. The ETag of the response identifies this assignment."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    replaced: AssignmentState | None = Field(
        description="The assignment that this request replaced, possibly made by another person; null when reading."
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE, "assignment")}])


class ErasedConcern(InboxEntry):
    """An erased concern, and whether its bytes have also been purged from the database files."""

    remnants: Remnants = Field(
        description="`none`: no bytes remain. `pending`: a reader is using the database; the service retries until no "
        "bytes "
        "remain. `left_to_postgresql`: the space is free, and PostgreSQL overwrites it when it reuses it.",
        examples=["none"],
    )


class OpenedConcern(InboxEntry):
    """A decrypted concern."""

    submission: dict[str, Any] = Field(
        description="The concern, as sent.",
        examples=[{"immediate_danger": "no", "concern": {"narrative": "Alex Example was not at school."}}],
    )
    additions: tuple[OpenedAddition, ...] = Field(
        description="The first page of additions, in order. `links.next` is the path of the second page, if any."
    )


class Acknowledgement(RequestModel):
    """Records that a social worker has read the concern and decided the next step. The body is optional."""

    up_to_addition: int = Field(
        default=0,
        ge=0,
        le=MAX_NUMBER,
        description="Number of the last addition read. Acknowledges this addition and all earlier ones. If omitted, no "
        "addition is acknowledged.",
        examples=[1],
    )


class BurstAcknowledgement(RequestModel):
    """Records that a social worker has looked at these concerns of a burst, and decided the next step."""

    references: tuple[Annotated[str, StringConstraints(max_length=40)], ...] = Field(
        min_length=1,
        max_length=MAX_TOGETHER,
        description="The concerns that were read. Later concerns of the burst stay unacknowledged.",
        examples=[[EXAMPLE_REFERENCE]],
    )
    additions_until: Moment | None = Field(
        default=None,
        description="Also acknowledge their additions received up to this time: a `next_changed_since` of the inbox. "
        "If "
        "omitted, no addition is acknowledged.",
        examples=["2026-11-24T09:30:00Z"],
    )


class BurstAcknowledged(ResponseModel):
    """The acknowledged concerns. Each acknowledgement has its own audit log entry."""

    burst: str = Field(description="The burst.", examples=[EXAMPLE_BURST])
    concerns: tuple[InboxEntry, ...] = Field(description="The concerns of the request, in the same order.")


class Outcome(RequestModel):
    """The outcome, which closes the concern."""

    outcome: Annotated[str, FromCodeList("outcome")] = Field(
        max_length=60, description="A code of the list `outcome`.", examples=["assessment_required"]
    )
    shared_with_reporter: bool = Field(
        default=False, description="Whether the reporter can see the outcome.", examples=[False]
    )
    message: Message | None = Field(
        default=None,
        description="A last word to the reporter, sealed and sent like every message. With an idempotency key a retry "
        "sends it once.",
        examples=[None, {"text": "Thank you. We have spoken with the family, and will visit them again."}],
    )


class Reopening(RequestModel):
    """Reopens a closed concern. The outcome is taken back, and the concern is acknowledged again."""

    reason: Text = Field(
        description="Reason, for the audit log. Do not name anyone.",
        examples=["Closed by mistake."],
    )


class Hold(RequestModel):
    """Places or releases a hold, which prevents erasure."""

    held: bool = Field(description="True to hold, false to release.", examples=[True])
    until: FullDate | None = Field(
        default=None,
        description="The last day on which the hold is needed, if known. The hold does not end by itself: release it.",
        examples=["2027-11-24"],
    )
    reason: Text = Field(
        description="Reason, for the audit log. Do not name anyone.",
        examples=["Court proceedings."],
    )


class Erasure(RequestModel):
    """Permanently erases the text of a concern. Dates and outcome are kept for statistics."""

    reason: Text = Field(
        description="Reason, for the audit log. Do not name anyone.",
        examples=["Erasure was requested and granted."],
    )
