"""Every error on its way out: one shape, one table, nothing that was sent, and on a concern whom to call."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from starlette.exceptions import HTTPException

from app.errors import EditionWithdrawn, FieldError, GuidanceError, InvalidQuery, ScopeMissing, ValidationFailed
from app.models.problems import Problem
from app.web.context import AppContext
from app.web.problem_types import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    INVALID_QUERY,
    INVALID_TOKEN,
    METHOD_NOT_ALLOWED,
    MISSING_SCOPE,
    NOT_FOUND,
    PROBLEM_FOR,
    PROBLEM_FOR_STATUS,
    SERVICE_UNAVAILABLE,
    TOKEN_REQUIRED,
    VALIDATION_FAILED,
    ProblemType,
)
from app.web.validation_messages import fault_of, field_faults, without_echoes

PROBLEM_MEDIA_TYPE = "application/problem+json"
CONCERNS = "/v1/concerns"
PAGES_OF_CONCERNS = ("/raise-a-concern", "/concerns")
CHALLENGES = {
    TOKEN_REQUIRED: "Bearer",
    INVALID_TOKEN: 'Bearer error="invalid_token"',
    MISSING_SCOPE: 'Bearer error="insufficient_scope"',
}
RETRY_AFTER_SECONDS = 5
MOST_TOLD = 100
AND_MORE = f"There are more faults than can be told at once: `errors` tells the first {MOST_TOLD}, each with its place."


def add_problem_handlers(app: FastAPI) -> None:
    """Have every error answered as a problem."""
    app.add_exception_handler(GuidanceError, _domain_error)
    app.add_exception_handler(RequestValidationError, _parsing_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(NoConnectionInTime, _database_error)


def problem_response(
    request: Request,
    kind: ProblemType,
    *,
    detail: str | None = None,
    faults: Sequence[FieldError] = (),
    links: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer that tells the problem. On a path of concerns it says whom to call."""
    told = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail or (AND_MORE if len(faults) > MOST_TOLD else kind.meaning),
        instance=f"urn:uuid:{request.state.request_id}",
        errors=field_faults(faults[:MOST_TOLD]) or None,
        links=links,
        **_whom_to_call(request),
    )
    return Response(
        told.model_dump_json(exclude_none=True),
        status_code=kind.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **_headers_of(kind), **(headers or {})},
    )


def _headers_of(kind: ProblemType) -> dict[str, str]:
    if kind in CHALLENGES:
        return {"WWW-Authenticate": CHALLENGES[kind]}
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if kind.status == SERVICE_UNAVAILABLE.status else {}


def _whom_to_call(request: Request) -> dict[str, Any]:
    if not request.url.path.startswith((CONCERNS, *PAGES_OF_CONCERNS)):
        return {}
    parts: AppContext = request.app.state.parts
    return {"signposts": parts.reference_data.signposts, "contacts": parts.helpline.contacts()}


def _domain_error(request: Request, error: Exception) -> Response:
    kind = PROBLEM_FOR[type(error)]  # type: ignore[index]  # registered for GuidanceError alone
    if isinstance(error, EditionWithdrawn):
        guide = f"/v1/guides/{request.path_params.get('guide')}"
        links = {"version_history": f"{guide}/editions"}
        if error.replaced_by is not None:
            links["latest_version"] = guide
        return problem_response(request, kind, detail=error.reason, links=links)
    if isinstance(error, ScopeMissing):
        challenge = f'{CHALLENGES[kind]}, scope="{error.scope}"'
        return problem_response(request, kind, headers={"WWW-Authenticate": challenge})
    if isinstance(error, InvalidQuery):
        return problem_response(request, kind, detail=error.faults[0].detail)
    return problem_response(request, kind, faults=error.faults if isinstance(error, ValidationFailed) else ())


def _parsing_error(request: Request, error: Exception) -> Response:
    every: Sequence[Any] = error.errors()  # type: ignore[attr-defined]  # registered for RequestValidationError alone
    found = without_echoes(every[: 2 * MOST_TOLD])  # enough to tell that there are more
    places = {fault["loc"][0] for fault in found}
    if "path" in places:
        return problem_response(request, NOT_FOUND)
    if places & {"query", "header", "cookie"}:
        first = next(fault for fault in found if fault["loc"][0] != "body")
        kind = INVALID_QUERY if first["loc"][0] == "query" else BAD_REQUEST
        return problem_response(request, kind, detail=f"{first['loc'][1]}: {fault_of(first, root=2).detail}")
    return problem_response(request, VALIDATION_FAILED, faults=[fault_of(fault) for fault in found])


def _http_error(request: Request, error: Exception) -> Response:
    status: int = error.status_code  # type: ignore[attr-defined]  # registered for HTTPException alone
    own: ProblemType | None = getattr(error, "kind", None)  # the body was refused, with a sentence of this service
    kind = own or PROBLEM_FOR_STATUS.get(status, INTERNAL_ERROR)
    detail: str | None = error.detail if own else None  # type: ignore[attr-defined]
    headers = {"Allow": _methods_here(request)} if kind is METHOD_NOT_ALLOWED else {}
    return problem_response(request, kind, detail=detail, headers=headers)


def _methods_here(request: Request) -> str:
    """Every method of the path (RFC 9110, section 15.5.6): it may have several routes, and what answers GET, HEAD."""
    here = request.scope["route"].path
    routes = [route for route in iter_route_contexts(request.app.routes) if route.path == here]
    told = {method for route in routes for method in route.methods or ()}
    return ", ".join(sorted(told | {"HEAD"} if "GET" in told else told))


def _database_error(request: Request, _error: Exception) -> Response:
    return problem_response(request, SERVICE_UNAVAILABLE)
