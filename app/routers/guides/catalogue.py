"""Routes of lists across guides, with filters, and of search."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.http.auth import PUBLIC
from app.http.context import AppContext, ContextDep, SessionDep
from app.http.negotiation import CSV, ByteOrderMark, csv_response
from app.http.params import AboutSubject, Cursor, Limit
from app.http.problems import RESPONSES_OF_READS, response_example
from app.http.responses import Responses, page_links, public_response
from app.http.routes import GuidanceRouter
from app.models.base import SLUG_PATTERN, RequestModel
from app.models.guides.catalogue import ACROSS_GUIDES, Answer, FoundItem, SearchResponse
from app.models.guides.guides import EditionStatus
from app.models.guides.sections import Section
from app.models.guides.words import SIGNPOST, SUBJECT
from app.models.links import edition_path, guide_path
from app.services.cursors import decode_key, encode_key
from app.services.guides.catalogue import CatalogueEntry, EntryFilter, list_catalogue
from app.services.guides.csv_tables import CsvRow, csv_table
from app.services.guides.guides import (
    find_led_to,
    first_signposts,
    guides_about,
    in_guides_about,
    matched_synonyms,
    search_catalogue,
)

catalogue_router = GuidanceRouter(tags=["Across guides"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)
InGuide = Annotated[
    str | None,
    Query(
        pattern=SLUG_PATTERN,
        max_length=80,
        description="Only items of this guide.",
        examples=["child-sexual-exploitation"],
    ),
]


class Filters(RequestModel, extra="ignore"):
    """Query parameters that filter a list of items. An item must match all of them.

    The route itself refuses unknown parameters.
    """

    guide: InGuide = None
    subject: AboutSubject = None
    q: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Only items that contain all of these words, in any inflection.",
        examples=["missing school"],
    )
    code: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z]{1,20}$",
        max_length=20,
        description="Only items linked to this code of the list `dfe-assessment-factors`.",
        examples=["10A"],
    )


class SearchQuery(RequestModel, extra="ignore"):
    """Query parameters of a search: its words and its filters."""

    q: str = Field(
        min_length=1,
        max_length=200,
        description="Search terms. All must occur, in any inflection; the last may be the start of a word.",
        examples=["missing school"],
    )
    guide: InGuide = None
    subject: AboutSubject = None


FiltersDep = Annotated[Filters, Query()]


def _item_example(section: Section) -> Responses:
    item_id = str(section.entry.item.model_fields["id"].examples[0])  # type: ignore[index]  # every id has an example
    links = {"self": f"{guide_path('child-sexual-exploitation')}/{section.value}/{item_id}"}
    return response_example(**{section.key: [{"links": links}]})


def _add_list(section: Section) -> None:
    """Add the routes that list the items of `section` across guides, as JSON and as CSV.

    For indicators, the paths are `/v1/indicators` and `/v1/indicators.csv`.
    """
    title = section.entry.title.lower()
    context = "guide, edition and cautions" if section.entry.has_cautions else "guide and edition"

    @catalogue_router.get(
        f"/v1/{section.value}",
        name=f"list_{section.key}",
        summary=f"List {title} across guides",
        description=f"The {title} of every guide's current edition, each with its {context}.",
        response_model=ACROSS_GUIDES[section],
        responses=_item_example(section),
    )
    def list_items(
        request: Request,
        session: SessionDep,
        context: ContextDep,
        filters: FiltersDep,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        entry_filter, offset = _filter_of(session, context, filters, section), decode_key(cursor, otherwise=0)
        entries = list_catalogue(session, entry_filter, offset=offset, limit=limit + 1)
        found, next_cursor = _page(entries, offset, limit=limit)
        links = page_links(request, next_cursor)
        page = {section.key: [each.model_dump() for each in found], "next_cursor": next_cursor, "links": links}
        return public_response(request, ACROSS_GUIDES[section].model_validate(page))

    @catalogue_router.get(
        f"/v1/{section.value}{CSV.suffix}",
        name=f"list_{section.key}_as_csv",
        summary=f"List {title} across guides as CSV",
        description=f"The {title} of every guide's current edition in one file, one per row, each with its {context}.",
        response_class=Response,
        responses=CSV.documented,
    )
    def list_items_as_csv(
        request: Request, session: SessionDep, context: ContextDep, filters: FiltersDep, bom: ByteOrderMark = "0"
    ) -> Response:
        entries = list_catalogue(session, _filter_of(session, context, filters, section))
        rows = [CsvRow(entry.key, entry.digest, entry.item, entry.cautions) for entry in entries]
        return csv_response(request, csv_table(section, rows), f"{section.value}.csv", bom=bom)


for each in ACROSS_GUIDES:
    _add_list(each)


@catalogue_router.get(
    "/v1/search", operation_id="search_guidance", summary="Search the guidance", response_model=SearchResponse
)
def search(
    request: Request,
    session: SessionDep,
    context: ContextDep,
    query: Annotated[SearchQuery, Query()],
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """Full-text search of every current edition. Queries are not logged.

    `matched` names words of the query that stand for a subject (`synonyms` in the code list `subject`).
    """
    reference_data, entry_filter = (
        context.reference_data,
        _filter_of(session, context, Filters(**dict(query)), *Section),
    )
    asked, offset = reference_data.words.ask(query.q), decode_key(cursor, otherwise=0)
    matched = matched_synonyms(asked)
    found, nearest = search_catalogue(
        session, reference_data.words, entry_filter, asked, offset=offset, limit=limit + 1
    )
    if matched and not found:
        about = in_guides_about(session, reference_data, entry_filter, matched)
        found = list_catalogue(session, about, offset=offset, limit=limit + 1)
    results, next_cursor = _page(found, offset, limit=limit)
    led_to = find_led_to(session, entry_filter, asked)
    signposts = first_signposts(reference_data, context.emergency_contacts.current().signposts, asked)
    known = {SIGNPOST + each.id for each in signposts}
    others = (each for each in asked.leads if not each.startswith(SUBJECT))
    leads = [each for each in others if (each in known if each.startswith(SIGNPOST) else led_to.get(each, True))]
    body = SearchResponse(
        results=results,
        matched=tuple(matched),
        signposts=tuple(signposts),
        answers=tuple(Answer(leads_to=each, items=_found_items(led_to.get(each, ()))) for each in leads),
        nearest=tuple(dict.fromkeys(nearest.values())),
        next_cursor=next_cursor,
        links=page_links(request, next_cursor),
    )
    return public_response(request, body)


def _filter_of(session: Session, context: AppContext, filters: Filters, *sections: Section) -> EntryFilter:
    guides = None if filters.guide is None else {filters.guide}
    if filters.subject is not None:
        about = guides_about(session, context.reference_data, filters.subject)
        guides = about if guides is None else about & guides
    return EntryFilter(filters.q, [each.key for each in sections], guides, filters.code)


def _page(found: Sequence[CatalogueEntry], offset: int, *, limit: int) -> tuple[tuple[FoundItem, ...], str | None]:
    """`found` has one more entry than `limit` if there is a next page."""
    return _found_items(found[:limit]), encode_key(offset + limit) if len(found) > limit else None


def _found_items(entries: Iterable[CatalogueEntry]) -> tuple[FoundItem, ...]:
    return tuple(map(_found_item, entries))


def _found_item(entry: CatalogueEntry) -> FoundItem:
    section = Section.of_key(entry.part)
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
                "edition": edition_path(*entry.key),
            },
        }
    )
