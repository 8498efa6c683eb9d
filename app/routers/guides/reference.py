"""Routes of reference data: the service index, signposts, code lists, problem types and public keys."""

from typing import Annotated

from fastapi import Path, Request, Response

from app.build import VERSION
from app.config import DESCRIPTION, NAME
from app.errors import FaultCode, NoSuchCodeList, NotFound, all_problems
from app.http.auth import PUBLIC
from app.http.context import ContextDep, NowDep, ReferenceDataDep, SignerDep
from app.http.problems import RESPONSES_OF_READS, problem_responses, response_example
from app.http.responses import CACHE_CURRENT, caching_until, page_links, public_response
from app.http.routes import GuidanceRouter
from app.models.base import SLUG_PATTERN
from app.models.guides.catalogue import ACROSS_GUIDES
from app.models.guides.code_lists import CodeListResponse, CodeListsResponse, CodeListSummary, ServiceIndex
from app.models.guides.signposts import SignpostsResponse
from app.models.links import (
    CODE_LISTS,
    CONCERN_FORM,
    GUIDES,
    PROBLEMS,
    SIGNPOSTS,
    problem_path,
)
from app.models.operations.health import JsonWebKeySet
from app.models.operations.problems import FaultCodeResponse, ProblemTypeResponse, ProblemTypesResponse

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
def read_index(request: Request, context: ContextDep) -> Response:
    """Links to the starting points of the public API: guides, search, feeds, reference data and documentation."""
    links = {
        "self": "/v1",
        "guides": GUIDES,
        **{section.key: f"/v1/{section.value}" for section in ACROSS_GUIDES},
        "search": "/v1/search?q=missing",
        "signposts": SIGNPOSTS,
        "code_lists": CODE_LISTS,
        "concern_form": CONCERN_FORM,
        "problems": PROBLEMS,
        "receipt_keys": "/.well-known/jwks.json",
        **context.added.links,
        "describedby": "/openapi.json",
        "documentation": "/docs",
    }
    commit = context.settings.commit
    index = ServiceIndex(name=NAME, version=VERSION, commit=commit, description=DESCRIPTION, links=links)
    return public_response(request, index)


@reference_router.get(SIGNPOSTS, summary="List the signposts", response_model=SignpostsResponse)
def list_signposts(request: Request, context: ContextDep, now: NowDep) -> Response:
    """999, and national and local contacts that belong to no edition."""
    who, hours = context.emergency_contacts.current(), context.duty_hours
    response = SignpostsResponse(
        signposts=who.signposts,
        neighbours=context.reference_data.neighbours,
        teams=hours.teams(who, now).on_duty,
        links={"self": SIGNPOSTS},
    )
    return public_response(
        request, response, more_headers=caching_until(hours.next_change(who, now), now, CACHE_CURRENT)
    )


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
    body = ProblemTypesResponse(problems=tuple(KINDS.values()), codes=CODES, links=page_links(request))
    return public_response(request, body)


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
