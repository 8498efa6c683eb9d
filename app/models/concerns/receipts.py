"""Responses to a reporter: the receipt, the result of a check, and the status."""

from enum import StrEnum

from pydantic import Field

from app.models.base import ResponseModel, Slug, UtcDateTime
from app.models.guidance.contacts import Contact
from app.models.guidance.signposts import Signpost
from app.models.links import Links


class ConcernState(StrEnum):
    """How far the duty team has come."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


EXAMPLE_REFERENCE = "4F7K-926W-0X3R"
READ_AT = "When the reporter first read it; null until then."


class ConcernIdentity(ResponseModel):
    """The reference, state and time of receipt of a concern."""

    reference: str = Field(description="Short, and safe to read aloud.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="How far the duty team has come.", examples=["received"])
    received_at: UtcDateTime = Field(description="When this service kept the concern.")


class EditionPin(ResponseModel):
    """The edition that a concern is about, and when to expect an acknowledgement."""

    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"],
        description="When to expect an acknowledgement by a social worker at the latest: one working day on, by "
        "England's calendar. If none has come, call the duty team.",
    )
    guide: Slug = Field(examples=["child-sexual-exploitation"], description="The guide that the concern is about.")
    edition: int = Field(examples=[1], description="The edition that it is pinned to.")


class Progress(ResponseModel):
    """The steps that the duty team has taken."""

    acknowledged_at: UtcDateTime | None = Field(description="When a social worker acknowledged it.", examples=[None])
    closed_at: UtcDateTime | None = Field(description="When it was closed.", examples=[None])
    outcome: str | None = Field(
        description="What came of it, where the team shares that: a code of the list `outcome`.", examples=[None]
    )


class Proof(ResponseModel):
    """The status token and the signed receipt, which the reporter should store."""

    status_token: str = Field(
        description="Opens the status of this concern. It is given here once, and again only to a retry with the same "
        "idempotency key. Four groups of four letters and digits (Crockford base 32, 80 random bits), which can be "
        "written down and read aloud: case, spaces and hyphens do not matter. Older ones, which are longer, go on "
        "working.",
        examples=["7K3M-9QXT-2W8R-VB5N"],
    )
    receipt: str = Field(
        description="A signed receipt (JWS, EdDSA) that can be checked offline with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )


class Help(ResponseModel):
    """The signposts, contacts and next steps in every response about an accepted concern."""

    signposts: tuple[Signpost, ...] = Field(
        description="999 first, then other national and local contacts, which stand outside editions."
    )
    next_steps: tuple[str, ...] = Field(
        description="What happens next, in sentences to show to the reporter.",
        examples=[["If a child is in immediate danger, call 999 now."]],
    )
    contacts: tuple[Contact, ...] = Field(description="The guide's own contacts, as printed.")
    links: Links = Field(description="Paths of this API, by relation.", examples=[{"form": "/v1/concerns/form"}])


class GuideChoice(ResponseModel):
    """Whether the reporter chose the guide."""

    guide_named: bool = Field(
        default=True,
        description="Whether the concern named its guide. If not, `guide` is the one whose current edition has every "
        "item that the concern names, or else the service's default guide.",
        examples=[True],
    )


class ComeBack(ResponseModel):
    """When the reporter should look again."""

    come_back_by: UtcDateTime | None = Field(
        default=None,
        examples=["2026-11-26T09:30:00Z"],
        description="When to look at the status again at the latest, with reference and status token: the duty team "
        "may have left a question.",
    )


class CheckResponse(Help, ComeBack, GuideChoice, EditionPin):
    """The concern would be accepted as it stands. Nothing was kept."""

    kept: bool = Field(default=False, description="Always false: a check keeps nothing.", examples=[False])


class AdditionStatus(ResponseModel):
    """How far something that was added has come. It waits for an acknowledgement of its own."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    added_at: UtcDateTime = Field(description="When this service kept it.")
    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"], description="When to expect its acknowledgement at the latest."
    )
    acknowledged_at: UtcDateTime | None = Field(
        description="When a social worker acknowledged it; null while it waits.", examples=[None]
    )


class MessageStatus(ResponseModel):
    """A message from the duty team is there. Its words are at `links.messages`."""

    number: int = Field(description="Its place, from 1.", examples=[1])
    sent_at: UtcDateTime = Field(description="When the team sent it.")
    read_at: UtcDateTime | None = Field(description=READ_AT, examples=[None])


class ConcernStatus(Help, ComeBack, Progress, EditionPin, ConcernIdentity):
    """How far a concern has come."""

    additions: tuple[AdditionStatus, ...] = Field(description="What was added to it, in the order of arrival.")
    messages: tuple[MessageStatus, ...] = Field(
        default=(),
        description="What the duty team sent to the reporter, without words, which are at `links.messages`.",
        examples=[[]],
    )


class Receipt(Help, ComeBack, GuideChoice, Proof, EditionPin, ConcernIdentity):
    """The concern is kept: on the disk, sealed to the duty team. This is not yet their acknowledgement."""
