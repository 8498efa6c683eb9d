"""Responses of reads and searches across guides."""

from pydantic import Field

from app.models.base import ResponseModel
from app.models.guidance.guide_responses import Item, Links, Section, WithCautions


class FoundItem(WithCautions):
    """An item of a guide's current edition. The cautions stand with each, since each may come from another guide."""

    section: Section = Field(description="The section that it stands in.", examples=["indicators"])
    item: Item = Field(description="The item, word for word.")
    links: Links = Field(
        description="Paths of this API, by relation.",
        examples=[{"self": "/v1/guides/child-sexual-exploitation/indicators/missing-or-unexplained-absence"}],
    )


NEXT = Field(description="Where the next page begins; null on the last.", examples=[None])


class IndicatorsAcrossGuides(ResponseModel):
    """Indicators of every guide's current edition."""

    indicators: tuple[FoundItem, ...] = Field(description="The indicators, by guide and printed order.")
    next_cursor: str | None = NEXT


class FactorsAcrossGuides(ResponseModel):
    """Vulnerability factors of every guide's current edition."""

    factors: tuple[FoundItem, ...] = Field(description="The factors, by guide and printed order.")
    next_cursor: str | None = NEXT


class ContactsAcrossGuides(ResponseModel):
    """Contacts of every guide's current edition."""

    contacts: tuple[FoundItem, ...] = Field(description="The contacts, by guide and printed order.")
    next_cursor: str | None = NEXT


class SearchResponse(ResponseModel):
    """What was found, the best match of words first. The order says nothing of any child."""

    results: tuple[FoundItem, ...] = Field(description="The items that hold every word asked for.")
    next_cursor: str | None = NEXT
