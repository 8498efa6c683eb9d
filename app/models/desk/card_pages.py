"""Sealed cards as the desk gets them: the query parameters and the response."""

from enum import StrEnum

from pydantic import Field

from app.models.base import NextCursor, RequestModel, ResponseModel, UtcDateTime
from app.models.concerns.entries import EXAMPLE_SEALED
from app.models.desk.inbox_filters import Moment
from app.models.links import DESK_CARDS, PageLinks
from app.models.references import EXAMPLE_REFERENCE


class CardScope(StrEnum):
    """`current`: concerns that are open, or changed in the last 90 days. `earlier`: all other concerns."""

    CURRENT = "current"
    EARLIER = "earlier"


class CardParameters(RequestModel, extra="ignore"):
    """The route refuses unknown parameters."""

    scope: CardScope = Field(
        default=CardScope.CURRENT,
        description="`current`: concerns that are not closed, or changed in the last 90 days. `earlier`: all others.",
        examples=["current"],
    )
    changed_since: Moment | None = Field(
        default=None, description="Only concerns changed at or after this time.", examples=["2026-11-24T09:30:00Z"]
    )


class SealedCard(ResponseModel):
    """A sealed card, with the place and the time of the text that it summarises."""

    reference: str = Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    addition: int | None = Field(
        description="Number of the addition; null for the card of the concern itself.", examples=[None]
    )
    received_at: UtcDateTime = Field(description="Time of receipt. The sealed document has the same `received_at`.")
    card: str = Field(
        description="Base64 age file. It contains JSON: `reference`, `received_at` and `card`.",
        examples=[EXAMPLE_SEALED],
    )
    label: str | None = Field(
        description="Base64 age file of the concern's newest label; null if there is none, and for additions. "
        "It contains JSON: `reference`, and `label` with `text`.",
        examples=[None],
    )
    changed_at: UtcDateTime = Field(description="Time of the concern's last change. Reads do not count.")


class CardsResponse(ResponseModel):
    """A page of sealed cards, most recently received concerns first. The cards of one concern are never separated."""

    cards: tuple[SealedCard, ...] = Field(description="The cards: of each concern, then of its additions in order.")
    next_changed_since: UtcDateTime = Field(
        description="After the last page, send the value from the first page as `changed_since` to get later changes. "
        "Slightly earlier than the read, because changes at that moment may not be stored yet."
    )
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{"self": DESK_CARDS}])
