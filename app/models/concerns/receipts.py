"""Responses to a reporter: the receipt, the result of a check, and the status."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from typing_extensions import TypeAliasType

from app.models.base import ResponseModel, Slug, UtcDateTime, without_default
from app.models.guides.contacts import Contact
from app.models.guides.signposts import NO_TEAMS, Signpost, TeamsOnDuty
from app.models.links import Links
from app.models.references import EXAMPLE_REFERENCE

READ_AT = "When the reporter first read the message; null until then."
Promised = TypeAliasType(
    "Promised",
    Annotated[
        bool,
        Field(
            examples=[True],
            description="False if the reporter said that there is or may be danger, and the council has set no time "
            "for that. Then do not show `acknowledge_by` to the reporter: tell them not to wait, and to call.",
        ),
    ],
)
PROMISED = Field(default=True, json_schema_extra=without_default)
CallFrom = TypeAliasType(
    "CallFrom",
    Annotated[
        UtcDateTime | None,
        Field(
            examples=["2026-11-25T09:30:00Z"],
            description="When to call if it is not acknowledged: `acknowledge_by` or, if no team is open then, the "
            "next opening.",
        ),
    ],
)
AcknowledgeBy = TypeAliasType(
    "AcknowledgeBy",
    Annotated[
        UtcDateTime,
        Field(
            examples=["2026-11-25T09:30:00Z"],
            description="Latest time by which a social worker should acknowledge the concern: within one working day "
            "in England or, if a child is or may be in immediate danger, within the minutes or hours set by the "
            "council, day and night. In danger, call: do not wait. If it has not been acknowledged by then, call the "
            "duty team.",
        ),
    ],
)
NextSteps = TypeAliasType(
    "NextSteps",
    Annotated[
        tuple[str, ...],
        Field(
            description="What happens next, as sentences to show to the reporter.",
            examples=[["If a child is in immediate danger, call 999 now."]],
        ),
    ],
)
WhomToCall = TypeAliasType(
    "WhomToCall",
    Annotated[
        tuple[Signpost, ...],
        Field(description="999 first, then other national and local contacts that belong to no edition."),
    ],
)
ContactsOfGuide = TypeAliasType(
    "ContactsOfGuide",
    Annotated[
        tuple[Contact, ...],
        Field(
            description="The contacts of the guide's current edition, which may be newer than the edition of the "
            "concern."
        ),
    ],
)
ComeBackBy = TypeAliasType(
    "ComeBackBy",
    Annotated[
        UtcDateTime | None,
        Field(
            examples=["2026-11-26T09:30:00Z"],
            description="Check the status by this time, with the reference and status token: the duty team may have "
            "sent a message.",
        ),
    ],
)


class ConcernState(StrEnum):
    """State of the duty team's work."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class ConcernIdentity(ResponseModel):
    reference: str = Field(description="Short, and easy to read out on the phone.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="State of the duty team's work.", examples=["received"])
    received_at: UtcDateTime = Field(description="When the concern was stored.")
    test: bool = Field(
        default=False,
        description="True for a test: no social worker acts on it, and it is erased after a day.",
        examples=[False],
    )


class EditionPin(ResponseModel):
    acknowledge_by: AcknowledgeBy
    acknowledge_by_promised: Promised = PROMISED
    call_from: CallFrom = None
    guide: Slug = Field(examples=["child-sexual-exploitation"], description="The guide of the concern.")
    edition: int = Field(examples=[1], description="The edition of the concern: the one that the reporter was shown.")


class Progress(ResponseModel):
    acknowledged_at: UtcDateTime | None = Field(description="When a social worker acknowledged it.", examples=[None])
    closed_at: UtcDateTime | None = Field(description="Time of closing.", examples=[None])
    outcome: str | None = Field(
        description="The outcome, if the team shares it: a code of the list `outcome`.", examples=[None]
    )
    outcome_text: str | None = Field(
        default=None,
        description="Meaning of the outcome for the reporter, in plain sentences; null until the concern is closed. If "
        "the team shares the outcome, it is the sentence of that code.",
        examples=[None],
    )


class Proof(ResponseModel):
    status_token: str = Field(
        description="Gives access to the status of this concern. Returned only once, and to retries with the same "
        "idempotency "
        "key. Four groups of four letters and digits (Crockford base 32, 80 random bits), easy to write down and "
        "read aloud: case, spaces and hyphens do not matter. Older, longer tokens still work.",
        examples=["7K3M-9QXT-2W8R-VB5N"],
    )
    receipt: str = Field(
        description="Signed receipt (JWS, EdDSA). Verify it offline with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )


class Help(ResponseModel):
    signposts: WhomToCall
    next_steps: NextSteps
    contacts: ContactsOfGuide
    teams: TeamsOnDuty = NO_TEAMS
    links: Links = Field(examples=[{"form": "/v1/concerns/form"}])


class GuideChoice(ResponseModel):
    guide_named: bool = Field(
        default=True,
        description="True if the concern named its guide. Otherwise `guide` is the default guide or, if an item named "
        "in the concern is not in that guide, another guide whose current edition has every such item.",
        examples=[True],
    )


class AlsoCall(ResponseModel):
    also_call: tuple[Signpost, ...] = Field(
        default=(),
        description="The council where a child lives, if it is another one; the designated officer, if an adult who "
        "works with children is named.",
        examples=[[]],
    )


class ComeBack(ResponseModel):
    come_back_by: ComeBackBy = None


class CheckResponse(AlsoCall, Help, ComeBack, GuideChoice, EditionPin):
    """The concern is valid. Nothing was stored."""

    kept: bool = Field(default=False, description="Always false: nothing is stored.", examples=[False])


class AdditionStatus(ResponseModel):
    """The status of an addition, which is acknowledged separately."""

    number: int = Field(description="Number, from 1.", examples=[1])
    added_at: UtcDateTime = Field(description="Time of storage.")
    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"], description="Latest time by which it should be acknowledged."
    )
    acknowledge_by_promised: Promised = PROMISED
    call_from: CallFrom = None
    acknowledged_at: UtcDateTime | None = Field(
        description="When a social worker acknowledged the addition; null until then.", examples=[None]
    )


class MessageStatus(ResponseModel):
    """A message from the duty team. Its text is at `links.messages`."""

    number: int = Field(description="Number, from 1.", examples=[1])
    sent_at: UtcDateTime = Field(description="Time when the message was sent.")
    read_at: UtcDateTime | None = Field(description=READ_AT, examples=[None])
    answered_at: UtcDateTime | None = Field(
        default=None,
        description="When the reporter first added something after reading it; null until then.",
        examples=[None],
    )


class ConcernStatus(Help, ComeBack, Progress, EditionPin, ConcernIdentity):
    """The status of a concern."""

    additions: tuple[AdditionStatus, ...] = Field(description="Additions, in order of arrival.")
    messages: tuple[MessageStatus, ...] = Field(
        default=(),
        description="Messages from the duty team. Their text is at `links.messages`.",
        examples=[[]],
    )


class Receipt(AlsoCall, Help, ComeBack, GuideChoice, Proof, EditionPin, ConcernIdentity):
    """The concern is stored on disk, encrypted for the duty team. They have not acknowledged it yet."""
