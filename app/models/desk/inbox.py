"""Requests and responses of the inbox."""

from pydantic import Field

from app.models.base import GuideName, NextCursor, ResponseModel, UtcDateTime
from app.models.concerns.channels import CAME_AT, CHANNEL, RECEIVED_BY, Channel
from app.models.concerns.receipts import ConcernState
from app.models.links import DESK_CONCERNS, Links, PageLinks, desk_concern_path
from app.models.references import EXAMPLE_REFERENCE


class InboxEntry(ResponseModel):
    """The unencrypted data of a concern."""

    reference: str = Field(description="The reference.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="State of the team's work.", examples=["received"])
    immediate_danger: str = Field(description="Most urgent answer: yes, no or not_sure.", examples=["no"])
    overdue: bool = Field(
        description="True if the concern or one of its additions is unacknowledged after its deadline.",
        examples=[False],
    )
    received_at: UtcDateTime = Field(description="Time when the concern was stored.")
    channel: Channel = Field(description=CHANNEL, examples=["form"])
    came_at: UtcDateTime = Field(description=CAME_AT)
    received_by: str | None = Field(description=RECEIVED_BY, examples=[None])
    reporter_has_code: bool = Field(
        description="True if the reporter has a status token, and can read messages.", examples=[True]
    )
    acknowledge_by: UtcDateTime = Field(
        description="Latest time by which the concern should be acknowledged.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | None = Field(description="Time of acknowledgement.", examples=[None])
    closed_at: UtcDateTime | None = Field(
        description="Time of closing; null while the concern is open, also after reopening.", examples=[None]
    )
    reopened_at: UtcDateTime | None = Field(
        default=None, description="Time of the last reopening; null if there has never been one.", examples=[None]
    )
    changed_at: UtcDateTime = Field(description="Time of the last change. Reads do not count.")
    assigned_to: str | None = Field(
        description="The person it is assigned to; null if unassigned.", examples=["Robin Example"]
    )
    added_at: UtcDateTime | None = Field(description="When something was last added to it.", examples=[None])
    additions_waiting: int = Field(description="Number of unacknowledged additions.", examples=[0])
    addition_acknowledge_by: UtcDateTime | None = Field(
        description="Earliest deadline of the unacknowledged additions; null if there are none.", examples=[None]
    )
    addition_danger: str | None = Field(
        description="Most urgent answer about immediate danger in the unacknowledged additions: yes, not_sure or no.",
        examples=[None],
    )
    restricted: bool = Field(
        default=False, description="True if only leads, or named people, may open it.", examples=[False]
    )
    outcome: str | None = Field(description="Outcome: a code of the list `outcome`.", examples=[None])
    held: bool = Field(description="True if a hold prevents erasure.", examples=[False])
    test: bool = Field(
        description="True for a test: not about a real child, not counted, without events, and erased after a day.",
        examples=[False],
    )
    burst: str | None = Field(
        description="Identifies many concerns sent without a key from one source on one day; null for most concerns. "
        "Changes "
        "daily, and does not reveal an address.",
        examples=[None],
    )
    erased_at: UtcDateTime | None = Field(description="Time of erasure.", examples=[None])
    guide: GuideName
    edition: int = Field(description="The edition of the concern.", examples=[1])
    referral_source: str | None = Field(description="A code of the list `referral-source`.", examples=["2A"])
    recipients: tuple[str, ...] = Field(
        description="Fingerprints of the keys that can decrypt it.", examples=[["0123456789abcdef"]]
    )
    links: Links = Field(examples=[{"self": desk_concern_path(EXAMPLE_REFERENCE)}])


class InboxResponse(ResponseModel):
    """One page of the inbox."""

    concerns: tuple[InboxEntry, ...] = Field(description="The concerns, in the requested order.")
    next_changed_since: UtcDateTime = Field(
        description="Send as `changed_since` next time. Slightly earlier than the read, because changes at that "
        "moment may "
        "not be stored yet."
    )
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": DESK_CONCERNS}])


class SummaryResponse(ResponseModel):
    """Exact counts of the work, for the team only."""

    received: int = Field(description="Unacknowledged concerns.", examples=[3])
    acknowledged: int = Field(description="Acknowledged concerns that are not closed.", examples=[5])
    closed: int = Field(description="Closed.", examples=[40])
    overdue: int = Field(
        description="Concerns unacknowledged after `acknowledge_by`, or with such an addition.",
        examples=[0],
    )
    additions_waiting: int = Field(description="Unacknowledged additions.", examples=[2])
    additions_overdue: int = Field(description="Of those, the number past their own `acknowledge_by`.", examples=[0])
    restricted: int = Field(
        default=0,
        description="Open concerns that you may not open: they are restricted to leads or to named people. The other "
        "numbers include them only for leads. A person who is not a lead gets 0 unless one is overdue.",
        examples=[0],
    )
    restricted_overdue: int = Field(default=0, description="Of those, the number that are overdue.", examples=[0])
