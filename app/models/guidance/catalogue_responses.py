"""What reads across guides answer."""

from pydantic import Field

from app.models.guidance.guide_responses import Cautioned, Item, Links, Section
from app.models.base import Answer


class FoundItem(Cautioned):
    """An item of a guide's current edition. The cautions stand with each, since each may come from another guide."""

    section: Section = Field(description="The section that it stands in.", examples=["indicators"])
    item: Item = Field(description="The item, word for word.")
    links: Links = Field(
        description="Paths of this API, by relation.",
        examples=[{"self": "/v1/guides/child-sexual-exploitation/indicators/missing-or-unexplained-absence"}],
    )


NEXT = Field(description="Where the next page begins; null on the last.", examples=[None])


class IndicatorsEverywhere(Answer):
    """Indicators of every guide's current edition."""

    indicators: tuple[FoundItem, ...] = Field(description="The indicators, by guide and printed order.")
    next_cursor: str | None = NEXT


class FactorsEverywhere(Answer):
    """Vulnerability factors of every guide's current edition."""

    factors: tuple[FoundItem, ...] = Field(description="The factors, by guide and printed order.")
    next_cursor: str | None = NEXT


class ContactsEverywhere(Answer):
    """Contacts of every guide's current edition."""

    contacts: tuple[FoundItem, ...] = Field(description="The contacts, by guide and printed order.")
    next_cursor: str | None = NEXT


class SearchAnswer(Answer):
    """What was found, the best match of words first. The order says nothing of any child."""

    results: tuple[FoundItem, ...] = Field(description="The items that hold every word asked for.")
    next_cursor: str | None = NEXT
