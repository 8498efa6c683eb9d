"""Routes of Open Referral UK (HSDS-UK 3.0): current guides' contacts, and the signposts, as a service directory."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import Field
from sqlmodel import Session

from app.errors import NotFound
from app.extensions.open_data import STUB
from app.extensions.open_data.models.open_referral import (
    A_SERVICE,
    A_SERVICE_AT_LOCATION,
    A_TAXONOMY,
    A_TERM,
    ApiDescription,
    OmitsEmpty,
    Page,
    Service,
    ServiceAtLocation,
    ServiceAtLocationPage,
    ServicePage,
    Taxonomy,
    TaxonomyPage,
    TaxonomyTerm,
    TaxonomyTermPage,
)
from app.extensions.open_data.services.open_referral import (
    Directory,
    at_locations,
    get_by_id,
    has_term,
    has_words,
    listed_at_locations,
    paginate,
    read_directory,
)
from app.http.auth import PUBLIC
from app.http.context import ContextDep, SettingsDep
from app.http.openapi import components_of
from app.http.params import IN_PLAIN_DIGITS
from app.http.problems import RESPONSES_OF_READS, problem_responses
from app.http.responses import conditional_response
from app.http.routes import UNKNOWN_IGNORED, GuidanceRouter
from app.models.base import MAX_NUMBER, RequestModel

DOCUMENT = f"{STUB}/openapi.json"
PROFILE = "https://docs.openreferraluk.org/en/latest/"
FOR_ONE = problem_responses(NotFound)
router = GuidanceRouter(
    prefix=STUB,
    tags=["Open Referral UK"],
    dependencies=[PUBLIC, UNKNOWN_IGNORED],
    responses=RESPONSES_OF_READS,
)


class ServiceFilters(RequestModel, extra="ignore"):
    """Query parameters that filter a list of services. A service must match all of them."""

    search: str | None = Field(
        None,
        max_length=200,
        description="Search terms. All must occur in the name, description or organization's name.",
        examples=["duty"],
    )
    taxonomy_id: str | None = Field(
        None, max_length=100, description="Only services with a term of this taxonomy.", examples=[A_TAXONOMY]
    )
    taxonomy_term_id: str | None = Field(
        None, max_length=100, description="Only services with this term.", examples=[A_TERM]
    )

    def apply(self, services: Iterable[Service]) -> list[Service]:
        """An id that is not in the directory matches no service."""
        words = (self.search or "").casefold().split()
        ids = ((self.taxonomy_id or "").lower(), (self.taxonomy_term_id or "").lower())
        return [each for each in services if has_words(each, words) and has_term(each, *ids)]


class Paging(RequestModel, extra="ignore"):
    """Query parameters of a list: the number of the page, from 1, and the maximum number of entries on it."""

    page: Annotated[int, IN_PLAIN_DIGITS] = Field(
        1, ge=1, le=MAX_NUMBER, description="Page number, from 1.", examples=[1]
    )
    per_page: Annotated[int, IN_PLAIN_DIGITS] = Field(
        50, ge=1, le=1000, description="Maximum number of entries per page.", examples=[50]
    )


def get_directory(context: ContextDep) -> Directory:
    signposts, url = context.emergency_contacts.current().signposts, context.settings.public_url
    with Session(context.engine) as session:
        return read_directory(session, signposts, context.duty_hours, public_url=url)


DirectoryDep = Annotated[Directory, Depends(get_directory)]

ServiceFiltersDep = Annotated[ServiceFilters, Query()]

PagingDep = Annotated[Paging, Query()]


def _id(description: str, example: str) -> Any:
    return Path(alias="id", description=description, examples=[example])


@router.get("", summary="Describe the directory", response_model=ApiDescription)
@router.get("/", include_in_schema=False)
def describe_directory(request: Request, settings: SettingsDep) -> Response:
    """The version of the standard, and links to its description and to this API's. A trailing slash is accepted."""
    document = settings.public_url + DOCUMENT
    return _response(request, ApiDescription(version="HSDS-UK-3.0", profile=PROFILE, openapi_url=document))


@router.get("/openapi.json", include_in_schema=False)
def read_directory_document(request: Request, settings: SettingsDep) -> Response:
    """Return the part of the OpenAPI document that is about the directory, with paths relative to `STUB`."""
    document = _document_of_stub(request.app.openapi(), settings.public_url)
    return _json_response(request, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


@router.get("/services", summary="List the services", response_model=ServicePage)
def list_services(request: Request, directory: DirectoryDep, filters: ServiceFiltersDep, paging: PagingDep) -> Response:
    """Contacts of the guides, then the signposts, starting with 999.

    Filters are combined with AND. Unknown filters are ignored, as the standard's clients expect. Filters by
    age, day, time, postcode and proximity have no effect: services have no ages or areas here, and their opening hours
    are not searched.
    """
    return _page(request, ServicePage, filters.apply(directory.services), paging)


@router.get("/services/{id}", summary="Read a service", response_model=Service, responses=FOR_ONE)
def read_service(
    request: Request, directory: DirectoryDep, id_: Annotated[UUID, _id("The service.", A_SERVICE)]
) -> Response:
    """A complete service, with its numbers in `contacts`, its location and its taxonomy terms."""
    return _response(request, get_by_id(directory.services, id_))


@router.get("/taxonomies", summary="List the taxonomies", response_model=TaxonomyPage)
def list_taxonomies(request: Request, directory: DirectoryDep, paging: PagingDep) -> Response:
    """The only taxonomy."""
    return _page(request, TaxonomyPage, [directory.taxonomy], paging)


@router.get("/taxonomies/{id}", summary="Read a taxonomy", response_model=Taxonomy, responses=FOR_ONE)
def read_taxonomy(
    request: Request, directory: DirectoryDep, id_: Annotated[UUID, _id("The taxonomy.", A_TAXONOMY)]
) -> Response:
    """The taxonomy. Its terms refer to it in `taxonomy_id`."""
    return _response(request, get_by_id([directory.taxonomy], id_))


@router.get("/taxonomy_terms", summary="List the terms", response_model=TaxonomyTermPage)
def list_taxonomy_terms(request: Request, directory: DirectoryDep, paging: PagingDep) -> Response:
    """The subjects of the guides, then the risks that the guides link to them."""
    return _page(request, TaxonomyTermPage, directory.terms, paging)


@router.get("/taxonomy_terms/{id}", summary="Read a term", response_model=TaxonomyTerm, responses=FOR_ONE)
def read_taxonomy_term(
    request: Request, directory: DirectoryDep, id_: Annotated[UUID, _id("The term.", A_TERM)]
) -> Response:
    """One term, with the URL of the guide that names it."""
    return _response(request, get_by_id(directory.terms, id_))


@router.get(
    "/service_at_locations", summary="List the services at their locations", response_model=ServiceAtLocationPage
)
def list_service_at_locations(
    request: Request, directory: DirectoryDep, filters: ServiceFiltersDep, paging: PagingDep
) -> Response:
    """The services, each with its location: by phone, online or at an address. Filters as for `/services`."""
    entries = listed_at_locations(filters.apply(directory.services))
    return _page(request, ServiceAtLocationPage, entries, paging)


@router.get(
    "/service_at_locations/{id}",
    summary="Read a service at its location",
    response_model=ServiceAtLocation,
    responses=FOR_ONE,
)
def read_service_at_location(
    request: Request, directory: DirectoryDep, id_: Annotated[UUID, _id("The link.", A_SERVICE_AT_LOCATION)]
) -> Response:
    """A complete service at its location, with its `name` and `status` at the top level."""
    return _response(request, get_by_id(at_locations(directory.services), id_))


def _page(request: Request, page_type: type[Page], entries: Sequence[OmitsEmpty], paging: Paging) -> Response:
    return _response(request, paginate(page_type, entries, paging.page, paging.per_page))


def _response(request: Request, body: OmitsEmpty) -> Response:
    """Leave out empty fields."""
    return _json_response(request, body.model_dump_json(exclude_none=True).encode())


def _json_response(request: Request, content: bytes) -> Response:
    return conditional_response(request, content, media_type="application/json", links={"describedby": DOCUMENT})


def _document_of_stub(whole: dict[str, Any], public_url: str) -> dict[str, Any]:
    """The part of `whole` that is about the directory.

    Paths are relative to `STUB`, because validators of the standard request each path below the base path.
    """
    paths = {path.removeprefix(STUB) or "/": item for path, item in whole["paths"].items() if path.startswith(STUB)}
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    components: dict[str, dict[str, Any]] = {}
    for kind, name in sorted(components_of([paths], whole["components"])):
        components.setdefault(kind, {})[name] = whole["components"][kind][name]
    return {
        "openapi": whole["openapi"],
        "info": {**whole["info"], "title": f"{whole['info']['title']}: Open Referral UK"},
        "servers": [{"url": public_url + STUB, "description": "The stub."}],
        "paths": paths,
        "components": components,
        "tags": [tag for tag in whole["tags"] if tag["name"] in used],
    }
