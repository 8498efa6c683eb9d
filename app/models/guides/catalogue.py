"""Responses of reads and searches across guides."""

from types import GenericAlias
from typing import Any

from pydantic import Field, create_model

from app.models.base import NextCursor, ResponseModel
from app.models.guides.guides import Item, WithCautions, item_response_of
from app.models.guides.sections import DOCUMENTED, Section
from app.models.guides.signposts import Signpost
from app.models.links import Links, PageLinks

LISTED = tuple(section for section in DOCUMENTED if section.entry.across_guides)
"""Sections whose items are listed across guides."""


class FoundItem(WithCautions):
    """An item of any section of a guide's current edition. Includes the cautions of its guide."""

    section: Section = Field(examples=["indicators"])
    item: Item = Field(description="The item, word for word.")
    links: Links = Field(
        examples=[{"self": "/v1/guides/child-sexual-exploitation/indicators/missing-or-unexplained-absence"}]
    )


def _across_guides_response(section: Section) -> type[ResponseModel]:
    """Build the response model that lists the items of a section across guides."""
    found = GenericAlias(tuple, (item_response_of(FoundItem, section), ...))
    fields: dict[str, Any] = {
        section.key: (found, Field(description=f"The {section.words}, by guide and printed order.")),
        "next_cursor": (NextCursor, ...),
        "links": (PageLinks, Field(examples=[{"self": f"/v1/{section.value}"}])),
    }
    return create_model(
        f"{section.camel_case}AcrossGuides",
        __base__=ResponseModel,
        __module__=__name__,
        __doc__=f"{section.entry.title} of every guide's current edition.",
        **fields,
    )


ACROSS_GUIDES = {section: _across_guides_response(section) for section in LISTED}


class MatchedSynonym(ResponseModel):
    """Words of the query that stand for a subject."""

    words: str = Field(description="The words, as the list of subjects has them.", examples=["older boyfriend"])
    subject: str = Field(description="The code of the subject.", examples=["child_sexual_exploitation"])


class Answer(ResponseModel):
    """What words of the query lead to."""

    leads_to: str = Field(
        description="`signposts/{id}`, `{section}/{id}`, `{section}`, `reasons/{id}`, `duty-team` or a path.",
        examples=["duty-team"],
    )
    items: tuple[FoundItem, ...] = Field(default=(), description="Its items.", examples=[[]])


class SearchResponse(ResponseModel):
    """Search results, best text match first. The order says nothing about any child."""

    results: tuple[FoundItem, ...] = Field(
        description="Items that contain every word of the query. If there are none and `matched` names subjects, the "
        "items of the guides about these subjects."
    )
    matched: tuple[MatchedSynonym, ...] = Field(
        default=(), description="Words of the query that stand for a subject, with that subject.", examples=[[]]
    )
    signposts: tuple[Signpost, ...] = Field(
        default=(),
        description="Contacts to show before the results: 999, Childline, and those to which the query leads.",
        examples=[[]],
    )
    answers: tuple[Answer, ...] = Field(
        default=(), description="To show first, in order. They say nothing about any child.", examples=[[]]
    )
    nearest: tuple[str, ...] = Field(default=(), description="Known words, in place of misspelt ones.", examples=[[]])
    next_cursor: NextCursor
    links: PageLinks = Field(examples=[{}])
