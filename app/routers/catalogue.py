"""Reads across guides, with filters, and search; the service index, signposts, code lists, problems and keys."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.config import DESCRIPTION, NAME, VERSION
from app.errors import FaultCode, NoSuchCodeList, NotFound, all_problems
from app.http.auth import PUBLIC
from app.http.context import (
    AppContext,
    ContextDep,
    EmergencyContactsDep,
    ReferenceDataDep,
    SessionDep,
    SettingsDep,
    SignerDep,
)
from app.http.negotiation import CSV, ByteOrderMark, csv_response
from app.http.params import AboutSubject, Cursor, GuidanceRouter, Limit
from app.http.problems import RESPONSES_OF_READS, problem_responses, response_example
from app.http.responses import Responses, public_response
from app.models.base import SLUG_PATTERN, RequestModel
from app.models.catalogue import ACROSS_GUIDES, FoundItem, SearchResponse
from app.models.code_lists import (
    CodeListResponse,
    CodeListsResponse,
    CodeListSummary,
    JsonWebKeySet,
    ServiceIndex,
    SignpostsResponse,
)
from app.models.guides import EditionStatus
from app.models.links import (
    API_CATALOG,
    CODE_LISTS,
    CONCERN_FORM,
    GUIDES,
    PROBLEMS,
    REVIEWS_ATOM_FEED,
    REVIEWS_JSON_FEED,
    SIGNPOSTS,
    edition_path,
    guide_path,
    problem_path,
)
from app.models.problems import FaultCodeResponse, ProblemTypeResponse, ProblemTypesResponse
from app.models.sections import Section
from app.services.catalogue import CatalogueEntry, EntryFilter, list_entries
from app.services.csv_tables import CsvRow, csv_table
from app.services.cursors import decode_key, encode_key
from app.services.guides import entries_to_search, guides_about

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
    """The filters of a list of items; all must be met. The route itself refuses parameters that nobody knows."""

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
    """The words to look for, and the filters of a search."""

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
    """Add the route that lists the section's items across guides: `/v1/indicators`, named `list_indicators`."""
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
        wanted = _wanted(session, context, filters, section)
        found, next_cursor = _page(session, wanted, cursor, limit=limit)
        page = {section.key: [each.model_dump() for each in found], "next_cursor": next_cursor}
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
        entries = list_entries(session, _wanted(session, context, filters, section))
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
    wanted: Annotated[SearchQuery, Query()],
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """Full-text search of every current edition. Queries are not logged.

    `matched` names words of the query that stand for a subject (`synonyms` in the code list `subject`).
    """
    asked = _wanted(session, context, Filters(**dict(wanted)), *Section)
    filters, matched = entries_to_search(session, context.reference_data, asked)
    found, next_cursor = _page(session, filters, cursor, limit=limit)
    return public_response(request, SearchResponse(results=found, matched=tuple(matched), next_cursor=next_cursor))


def _wanted(session: Session, context: AppContext, filters: Filters, *sections: Section) -> EntryFilter:
    guides = None if filters.guide is None else {filters.guide}
    if filters.subject is not None:
        about = guides_about(session, context.reference_data, filters.subject)
        guides = about if guides is None else about & guides
    return EntryFilter(filters.q, [each.key for each in sections], guides, filters.code)


def _page(
    session: Session, wanted: EntryFilter, cursor: str | None, *, limit: int
) -> tuple[tuple[FoundItem, ...], str | None]:
    offset = decode_key(cursor, otherwise=0)
    entries = list_entries(session, wanted, offset=offset, limit=limit + 1)
    next_cursor = encode_key(offset + limit) if len(entries) > limit else None
    return tuple(_found_item(entry) for entry in entries[:limit]), next_cursor


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


reference_router = GuidanceRouter(tags=["Reference"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

KINDS = {
    each.slug: ProblemTypeResponse(
        type=problem_path(each.slug), title=each.title, status=each.status, meaning=each.meaning
    )
    for each in all_problems()
}
CODES = tuple(FaultCodeResponse(code=code, meaning=code.meaning) for code in FaultCode)


@reference_router.get(
    "/v1",
    summary="Find your way around",
    response_model=ServiceIndex,
    responses=response_example(version=VERSION, description=DESCRIPTION),
)
def read_index(request: Request, settings: SettingsDep) -> Response:
    """Links to every resource of this API."""
    links = {
        "self": "/v1",
        "guides": GUIDES,
        **{section.key: f"/v1/{section.value}" for section in ACROSS_GUIDES},
        "search": "/v1/search?q=missing",
        "feed": "/v1/feed.json",
        "feed_atom": "/v1/feed.atom",
        "reviews_due": REVIEWS_JSON_FEED,
        "reviews_due_atom": REVIEWS_ATOM_FEED,
        "signposts": SIGNPOSTS,
        "code_lists": CODE_LISTS,
        "concern_form": CONCERN_FORM,
        "open_referral": "/open-referral/v3",
        "problems": PROBLEMS,
        "receipt_keys": "/.well-known/jwks.json",
        "api_catalog": API_CATALOG,
        "describedby": "/openapi.json",
        "documentation": "/docs",
    }
    commit = settings.commit
    index = ServiceIndex(name=NAME, version=VERSION, commit=commit, description=DESCRIPTION, links=links)
    return public_response(request, index)


@reference_router.get(SIGNPOSTS, summary="List the signposts", response_model=SignpostsResponse)
def list_signposts(
    request: Request, reference_data: ReferenceDataDep, emergency_contacts: EmergencyContactsDep
) -> Response:
    """999, and national and local contacts that belong to no edition."""
    response = SignpostsResponse(
        signposts=emergency_contacts.current().signposts,
        neighbours=reference_data.neighbours,
        links={"self": SIGNPOSTS},
    )
    return public_response(request, response)


@reference_router.get(CODE_LISTS, summary="List the code lists", response_model=CodeListsResponse)
def list_code_lists(request: Request, reference_data: ReferenceDataDep) -> Response:
    """The code lists of concerns and of guidance, by name."""
    lists = tuple(
        CodeListSummary(name=found.name, title=found.title, links={"self": f"{CODE_LISTS}/{found.name}"})
        for found in reference_data.code_lists.values()
    )
    return public_response(request, CodeListsResponse(code_lists=lists, links={"self": CODE_LISTS}))


@reference_router.get(
    CODE_LISTS + "/{name}",
    summary="Read a code list",
    response_model=CodeListResponse,
    responses=problem_responses(NoSuchCodeList),
)
def read_code_list(
    request: Request,
    reference_data: ReferenceDataDep,
    name: Annotated[
        str, Path(pattern=SLUG_PATTERN, max_length=80, description="The list.", examples=["referral-source"])
    ],
) -> Response:
    """The codes of one list, with labels and source."""
    found = reference_data.get_code_list(name)
    links = {"self": f"{CODE_LISTS}/{name}", "collection": CODE_LISTS}
    return public_response(request, CodeListResponse(**dict(found), links=links))


@reference_router.get(PROBLEMS, summary="List the problem types", response_model=ProblemTypesResponse)
def list_problems(request: Request) -> Response:
    """Every type of problem that this API can return."""
    return public_response(request, ProblemTypesResponse(problems=tuple(KINDS.values()), codes=CODES))


@reference_router.get(
    PROBLEMS + "/{slug}",
    summary="Get a problem type",
    response_model=ProblemTypeResponse,
    responses=problem_responses(NotFound),
)
def read_problem(
    request: Request,
    slug: Annotated[str, Path(pattern=SLUG_PATTERN, max_length=80, description="The kind.", examples=["not-found"])],
) -> Response:
    """The meaning of one type of problem."""
    if slug not in KINDS:
        raise NotFound
    return public_response(request, KINDS[slug])


@reference_router.get(
    "/.well-known/jwks.json", summary="Get the public keys for receipts", response_model=JsonWebKeySet
)
def read_receipt_keys(request: Request, signer: SignerDep) -> Response:
    """The public keys that verify signed receipts, as a JSON Web Key Set."""
    return public_response(request, JsonWebKeySet(keys=signer.jwks))
