"""How the Open Referral UK stub answers: filters, pages, finished bytes, and an OpenAPI document of its own."""

import json
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from fastapi import Request, Response
from sqlmodel import Session

from app.errors import NotFound
from app.models.open_referral.components import OmitsEmpty
from app.models.open_referral.directory import ListedServiceAtLocation, Page, Service, ServiceAtLocation
from app.services.guidance.open_referral import Directory, Guide, make_directory
from app.store.contents import read_content
from app.store.editions import list_current
from app.web.context import AppContext
from app.web.responses import CACHE_CURRENT, conditional_response

STUB = "/open-referral/v3"
DOCUMENT = f"{STUB}/openapi.json"
MOST_GUIDES = 10_000
SCHEMA_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')

P = TypeVar("P", bound=Page)


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> UUID:
        """The id."""


T = TypeVar("T", bound=Identified)


@dataclass(frozen=True)
class ServiceFilters:
    """What the caller asks of services; every filter that is given must be met, and an empty one is not given."""

    search: str
    taxonomy_id: str
    taxonomy_term_id: str

    def passed(self, services: Iterable[Service]) -> list[Service]:
        """The services that meet them all. An id that is not of this directory is met by none."""
        return [service for service in services if self._has_words(service) and self._has_terms(service)]

    def _has_words(self, service: Service) -> bool:
        told = f"{service.name} {service.description} {service.organization.name}".casefold()
        return all(word in told for word in self.search.casefold().split())

    def _has_terms(self, service: Service) -> bool:
        terms = [attribute.taxonomy_term for attribute in service.attributes or ()]
        return _has(self.taxonomy_id, {term.taxonomy_id for term in terms}) and _has(
            self.taxonomy_term_id, {term.id for term in terms}
        )


def _has(asked: str, ids: Set[UUID]) -> bool:
    return not asked or asked.lower() in map(str, ids)


class Paging(NamedTuple):
    """Which page, from 1, and the most entries that it holds."""

    page: int
    per_page: int


def read_directory(session: Session, context: AppContext) -> Directory:
    """The directory as it stands now."""
    guides = [Guide(head, read_content(session, head.key)) for head in list_current(session, limit=MOST_GUIDES)]
    return make_directory(guides, context.reference_data.signposts, public_url=context.settings.public_url)


def listed_at_locations(services: Iterable[Service]) -> list[ListedServiceAtLocation]:
    """Each service at each of its locations, for a list."""
    return [
        ListedServiceAtLocation(**dict(link), service=service)
        for service in services
        for link in service.service_at_locations or ()
    ]


def at_locations(services: Iterable[Service]) -> list[ServiceAtLocation]:
    """Each service at each of its locations, whole."""
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


def get_one(found: Iterable[T], wanted: UUID) -> T:
    """The one with that id; raises `NotFound`."""
    for each in found:
        if each.id == wanted:
            return each
    raise NotFound


def page_of(kind: type[P], found: Sequence[OmitsEmpty], paging: Paging) -> P:
    """That page of what was found; one beyond the last is empty."""
    begins = (paging.page - 1) * paging.per_page
    contents = found[begins : begins + paging.per_page]
    pages = -(-len(found) // paging.per_page)
    return kind.model_validate(
        {
            "total_items": len(found),
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
    """The answer, without what is empty."""
    return _answer(request, body.model_dump_json(exclude_none=True).encode())


def document_response(request: Request, document: dict[str, Any]) -> Response:
    """The OpenAPI document."""
    return _answer(request, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def _answer(request: Request, content: bytes) -> Response:
    links = {"describedby": DOCUMENT}
    return conditional_response(request, content, media_type="application/json", caching=CACHE_CURRENT, links=links)


def document_of_stub(whole: dict[str, Any], public_url: str) -> dict[str, Any]:
    """The part of this service's OpenAPI document that is the stub's, with paths that begin at the stub.

    Validators of the standard ask the stub for every path that the document at `openapi_url` names.
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
    """The schemas that the paths name, and those that these name."""
    wanted, looked_at = set(SCHEMA_REFERENCE.findall(json.dumps(paths))), set[str]()
    while wanted - looked_at:
        name = min(wanted - looked_at)
        looked_at.add(name)
        wanted.update(SCHEMA_REFERENCE.findall(json.dumps(schemas[name])))
    return {name: schemas[name] for name in sorted(wanted)}
