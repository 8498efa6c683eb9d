"""Routes across guides: indicators, factors and contacts with filters, and search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from sqlmodel import Session

from app.models.base import SLUG_PATTERN
from app.models.guidance.catalogue_responses import (
    ContactsAcrossGuides,
    FactorsAcrossGuides,
    FoundItem,
    IndicatorsAcrossGuides,
    SearchResponse,
)
from app.models.guidance.guide_responses import EditionStatus, Section
from app.presenters.guides import edition_path, guide_path
from app.store.catalogue import LISTED, CatalogueEntry, list_entries
from app.web.auth import PUBLIC
from app.web.context import SessionDep
from app.web.problem_types import NOT_MODIFIED, Responses, problem_responses, response_example
from app.web.query_params import Cursor, Limit, decode_key, encode_key
from app.web.responses import CACHE_CURRENT, public_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Across guides"], dependencies=[PUBLIC])

InGuide = Annotated[
    str | None,
    Query(
        pattern=SLUG_PATTERN,
        max_length=80,
        description="Only items of this guide.",
        examples=["child-sexual-exploitation"],
    ),
]
WithWords = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Only items that hold every one of these words, in any form of them.",
        examples=["missing school"],
    ),
]
Words = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="The words to look for. Every one must be there, in any form of it; the last may be a beginning.",
        examples=["missing school"],
    ),
]
WithCode = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9A-Za-z]{1,20}$",
        description="Only items linked to this code of the list `dfe-assessment-factors`.",
        examples=["10A"],
    ),
]


@dataclass(frozen=True)
class CatalogueFilters:
    """The filters and the page of a list across guides: an item must meet every filter that is given."""

    guide: str | None
    words: str | None
    code: str | None
    limit: int
    offset: int


async def catalogue_filters(
    guide: InGuide = None,
    q: WithWords = None,
    code: WithCode = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CatalogueFilters:
    """Return the filters of the request."""
    return CatalogueFilters(guide, q, code, limit, decode_key(cursor, otherwise=0))


CatalogueFiltersDep = Annotated[CatalogueFilters, Depends(catalogue_filters)]


def _item_example(section: Section, model: str, item_id: str) -> Responses:
    """Return `responses` with an example of a list of the section's items."""
    item = {
        "section": section,
        "item": {"$ref": f"#/components/schemas/{model}"},
        "links": {"self": f"{guide_path('child-sexual-exploitation')}/{section.value}/{item_id}"},
    }
    return response_example(**{section.key: [item]})


@router.get(
    "/v1/indicators",
    summary="List indicators across guides",
    response_model=IndicatorsAcrossGuides,
    responses=NOT_MODIFIED | problem_responses(),
)
def list_indicators(request: Request, session: SessionDep, filters: CatalogueFiltersDep) -> Response:
    """The indicators of every guide's current edition, each with its guide, edition and cautions."""
    found, next_cursor = _page(session, [Section.INDICATORS.key], filters)
    return public_response(
        request, IndicatorsAcrossGuides(indicators=found, next_cursor=next_cursor), caching=CACHE_CURRENT
    )


@router.get(
    "/v1/factors",
    summary="List vulnerability factors across guides",
    response_model=FactorsAcrossGuides,
    responses=_item_example(Section.FACTORS, "Factor", "prior-neglect-or-abuse") | NOT_MODIFIED | problem_responses(),
)
def list_factors(request: Request, session: SessionDep, filters: CatalogueFiltersDep) -> Response:
    """The vulnerability factors of every guide's current edition, each with its guide, edition and cautions."""
    found, next_cursor = _page(session, [Section.FACTORS.key], filters)
    return public_response(request, FactorsAcrossGuides(factors=found, next_cursor=next_cursor), caching=CACHE_CURRENT)


@router.get(
    "/v1/contacts",
    summary="List contacts across guides",
    response_model=ContactsAcrossGuides,
    responses=_item_example(Section.CONTACTS, "Contact", "duty-and-assessment-team")
    | NOT_MODIFIED
    | problem_responses(),
)
def list_contacts(request: Request, session: SessionDep, filters: CatalogueFiltersDep) -> Response:
    """The contacts of every guide's current edition, each with its guide and edition."""
    found, next_cursor = _page(session, [Section.CONTACTS.key], filters)
    return public_response(
        request, ContactsAcrossGuides(contacts=found, next_cursor=next_cursor), caching=CACHE_CURRENT
    )


@router.get(
    "/v1/search",
    operation_id="search_guidance",
    summary="Search the guidance",
    response_model=SearchResponse,
    responses=NOT_MODIFIED | problem_responses(),
)
def search(
    request: Request, session: SessionDep, q: Words, guide: InGuide = None, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    """Full text over every current edition. What is asked for is not logged."""
    filters = CatalogueFilters(guide, q, None, limit, decode_key(cursor, otherwise=0))
    found, next_cursor = _page(session, LISTED, filters)
    return public_response(request, SearchResponse(results=found, next_cursor=next_cursor), caching=CACHE_CURRENT)


def _page(
    session: Session, sections: Sequence[str], filters: CatalogueFilters
) -> tuple[tuple[FoundItem, ...], str | None]:
    """Return one page of items, and the cursor of the next page."""
    entries = list_entries(
        session,
        parts=sections,
        guide=filters.guide,
        words=filters.words,
        code=filters.code,
        offset=filters.offset,
        limit=filters.limit + 1,
    )
    next_cursor = encode_key(filters.offset + filters.limit) if len(entries) > filters.limit else None
    return tuple(_found_item(entry) for entry in entries[: filters.limit]), next_cursor


def _found_item(entry: CatalogueEntry) -> FoundItem:
    section = Section(entry.part.replace("_", "-"))
    return FoundItem.model_validate(
        {
            "guide": entry.key.guide,
            "edition": entry.key.number,
            "status": EditionStatus.CURRENT,
            "digest": entry.digest,
            "cautions": entry.cautions,
            "section": section,
            "item": entry.item,
            "links": {
                "self": f"{guide_path(entry.key.guide)}/{section.value}/{entry.item.id}",
                "edition": edition_path(entry.key),
            },
        }
    )
