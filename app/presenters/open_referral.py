"""The Open Referral UK stub: filters, pages, responses, and an OpenAPI document of its own."""

import json
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import Request, Response
from sqlmodel import Session

from app.errors import NotFound
from app.models.open_referral.components import OmitsEmpty, Taxonomy, TaxonomyTerm
from app.models.open_referral.directory import ListedServiceAtLocation, Page, Service, ServiceAtLocation
from app.services.guidance.open_referral import Directory, Guide, make_directory
from app.store.editions import list_current, read_content
from app.web.context import AppContext
from app.web.responses import conditional_response

STUB = "/open-referral/v3"
DOCUMENT = f"{STUB}/openapi.json"
MAX_DIRECTORY_GUIDES = 10_000
SCHEMA_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')

DirectoryObject = Service | Taxonomy | TaxonomyTerm | ServiceAtLocation


@dataclass(frozen=True)
class ServiceFilters:
    """The filters of a list of services: a service must meet all of them. An empty filter matches every service."""

    search: str
    taxonomy_id: str
    taxonomy_term_id: str

    def apply(self, services: Iterable[Service]) -> list[Service]:
        """Return the services that meet all filters. An id that is not in the directory matches no service."""
        return [service for service in services if self._has_words(service) and self._has_terms(service)]

    def _has_words(self, service: Service) -> bool:
        text = f"{service.name} {service.description} {service.organization.name}".casefold()
        return all(word in text for word in self.search.casefold().split())

    def _has_terms(self, service: Service) -> bool:
        terms = [attribute.taxonomy_term for attribute in service.attributes or ()]
        return _matches(self.taxonomy_id, {term.taxonomy_id for term in terms}) and _matches(
            self.taxonomy_term_id, {term.id for term in terms}
        )


def _matches(wanted: str, ids: Set[UUID]) -> bool:
    return not wanted or wanted.lower() in map(str, ids)


class Paging(NamedTuple):
    """The number of the page, from 1, and the maximum number of entries on it."""

    page: int
    per_page: int


def read_directory(session: Session, context: AppContext) -> Directory:
    """Return the directory of all current guides."""
    guides = [
        Guide(head, read_content(session, head.key)) for head in list_current(session, limit=MAX_DIRECTORY_GUIDES)
    ]
    return make_directory(guides, context.reference_data.signposts, public_url=context.settings.public_url)


def listed_at_locations(services: Iterable[Service]) -> list[ListedServiceAtLocation]:
    """Return each service at each of its locations, in the short form for lists."""
    return [
        ListedServiceAtLocation(**dict(link), service=service)
        for service in services
        for link in service.service_at_locations or ()
    ]


def at_locations(services: Iterable[Service]) -> list[ServiceAtLocation]:
    """Return each service at each of its locations, in the full form."""
    return [
        ServiceAtLocation(
            **dict(link),
            organization_id=service.organization_id,
            name=service.name,
            status=service.status,
            service=service.model_copy(update={"service_at_locations": None}),
        )
        for service in services
        for link in service.service_at_locations or ()
    ]


def get_by_id(objects: Iterable[DirectoryObject], id_: UUID) -> DirectoryObject:
    """Return the object with the id. Raise `NotFound` if there is none."""
    for each in objects:
        if each.id == id_:
            return each
    raise NotFound


def page_of(page_type: type[Page], entries: Sequence[OmitsEmpty], paging: Paging) -> Page:
    """Return one page of the entries. A page after the last is empty."""
    start = (paging.page - 1) * paging.per_page
    contents = entries[start : start + paging.per_page]
    pages = -(-len(entries) // paging.per_page)
    return page_type.model_validate(
        {
            "total_items": len(entries),
            "total_pages": pages,
            "page_number": paging.page,
            "size": len(contents),
            "first_page": paging.page == 1,
            "last_page": paging.page >= pages,
            "empty": not contents,
            "contents": contents,
        }
    )


def directory_response(request: Request, body: OmitsEmpty) -> Response:
    """Return the model as JSON without its empty fields."""
    return _json_response(request, body.model_dump_json(exclude_none=True).encode())


def document_response(request: Request, document: dict[str, Any]) -> Response:
    """Return the OpenAPI document of the stub."""
    return _json_response(request, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def _json_response(request: Request, content: bytes) -> Response:
    return conditional_response(request, content, media_type="application/json", links={"describedby": DOCUMENT})


def document_of_stub(whole: dict[str, Any], public_url: str) -> dict[str, Any]:
    """Return the stub's own part of this service's OpenAPI document, with paths relative to the stub.

    Validators of the standard request every path of the document at `openapi_url` from the stub.
    """
    paths = {path.removeprefix(STUB) or "/": item for path, item in whole["paths"].items() if path.startswith(STUB)}
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    return {
        "openapi": whole["openapi"],
        "info": {**whole["info"], "title": f"{whole['info']['title']}: Open Referral UK"},
        "servers": [{"url": public_url + STUB, "description": "The stub."}],
        "paths": paths,
        "components": {"schemas": _schemas_of(paths, whole["components"]["schemas"])},
        "tags": [tag for tag in whole["tags"] if tag["name"] in used],
    }


def _schemas_of(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas that the paths refer to, directly or through other schemas."""
    used, visited = set(SCHEMA_REFERENCE.findall(json.dumps(paths))), set[str]()
    while used - visited:
        name = min(used - visited)
        visited.add(name)
        used.update(SCHEMA_REFERENCE.findall(json.dumps(schemas[name])))
    return {name: schemas[name] for name in sorted(used)}
