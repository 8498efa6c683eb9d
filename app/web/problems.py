"""Error responses: problem details (RFC 9457) that repeat nothing from the request.

On a path of concerns they carry the emergency contacts.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from starlette.exceptions import HTTPException

from app.desk_errors import AssignmentChanged
from app.errors import (
    EditionWithdrawn,
    GuidanceError,
    InvalidQuery,
    NoSuchConcern,
    NoSuchItem,
    ScopeMissing,
    TooManyTries,
    ValidationFailed,
)
from app.faults import FaultCode, FieldError
from app.logs import Log
from app.models.guidance.rendition_errors import RenditionWithdrawn
from app.models.links import CONCERNS, guide_path, renditions_path
from app.models.problems import Problem
from app.web import problem_types
from app.web.context import AppContext
from app.web.further_faults import find_further
from app.web.problem_type import PROBLEM_MEDIA_TYPE, ProblemType
from app.web.validation_messages import drop_consequent_errors, to_field_problems, to_request_fault

PAGES_OF_CONCERNS = ("/raise-a-concern", "/worried-about-yourself", "/concerns")
CHALLENGES = {
    problem_types.TOKEN_REQUIRED: "Bearer",
    problem_types.INVALID_TOKEN: 'Bearer error="invalid_token"',
    problem_types.MISSING_SCOPE: 'Bearer error="insufficient_scope"',
}
QUERY_PROBLEM_FOR = {
    FaultCode.UNKNOWN_PARAMETER: problem_types.UNKNOWN_QUERY,
    FaultCode.REPEATED_PARAMETER: problem_types.REPEATED_QUERY,
}
RETRY_AFTER_SECONDS = 5
MAX_ERRORS = 100
TOO_MANY_ERRORS = (
    f"There are more faults than one answer lists: `errors` has the first {MAX_ERRORS}, each with its place."
)

log = Log(__name__)


def add_problem_handlers(app: FastAPI) -> None:
    """Register the handlers that turn every error into a problem response."""
    app.add_exception_handler(GuidanceError, _handle_domain_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    app.add_exception_handler(DBAPIError, _handle_database_error)
    app.add_exception_handler(NoConnectionInTime, _handle_database_error)


def problem_response(
    request: Request,
    problem_type: ProblemType,
    *,
    detail: str | None = None,
    faults: Sequence[FieldError] = (),
    links: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the problem as a response. On a path of concerns it carries the emergency contacts.

    `detail` replaces the type's own meaning; `faults` become the member `errors`, at most `MAX_ERRORS` of them.
    """
    body = Problem(
        type=problem_type.type,
        title=problem_type.title,
        status=problem_type.status,
        detail=detail or (TOO_MANY_ERRORS if len(faults) > MAX_ERRORS else problem_type.meaning),
        instance=f"urn:uuid:{request.state.request_id}",
        errors=to_field_problems(faults[:MAX_ERRORS]) or None,
        links=links,
        **_emergency_contacts(request),
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=problem_type.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={**headers_of(problem_type), **(headers or {})},
    )


def headers_of(problem_type: ProblemType) -> dict[str, str]:
    """Return the header fields that every response of the type has."""
    if problem_type in CHALLENGES:
        return {"WWW-Authenticate": CHALLENGES[problem_type]}
    is_unavailable = problem_type.status == problem_types.SERVICE_UNAVAILABLE.status
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if is_unavailable else {}


def _emergency_contacts(request: Request) -> dict[str, Any]:
    if not request.url.path.startswith((CONCERNS, *PAGES_OF_CONCERNS)):
        return {}
    context: AppContext = request.app.state.context
    return {"signposts": context.reference_data.signposts, "contacts": context.emergency_contacts.current()}


def _handle_domain_error(request: Request, error: Exception) -> Response:
    problem_type = problem_types.PROBLEM_FOR[type(error)]  # type: ignore[index]  # registered for GuidanceError alone
    if problem_type.status == problem_types.INTERNAL_ERROR.status:
        log.error("defect", request_id=request.state.request_id, error=type(error).__name__)
    if isinstance(error, EditionWithdrawn | RenditionWithdrawn):
        links = _links_instead(error, str(request.path_params.get("guide")))
        return problem_response(request, problem_type, detail=error.reason, links=links)
    if isinstance(error, ScopeMissing):
        challenge = f'{CHALLENGES[problem_type]}, scope="{error.scope}"'
        return problem_response(request, problem_type, headers={"WWW-Authenticate": challenge})
    if isinstance(error, TooManyTries):
        return problem_response(request, problem_type, headers={"Retry-After": str(error.seconds)})
    if isinstance(error, AssignmentChanged | NoSuchItem | NoSuchConcern):
        return problem_response(request, problem_type, detail=str(error) or None)
    if isinstance(error, InvalidQuery):
        return problem_response(request, problem_type, detail=error.faults[0].detail, faults=error.faults)
    return problem_response(request, problem_type, faults=error.faults if isinstance(error, ValidationFailed) else ())


def _links_instead(error: EditionWithdrawn | RenditionWithdrawn, guide: str) -> dict[str, str]:
    """Return where to read on, after something was withdrawn."""
    if isinstance(error, RenditionWithdrawn):
        return {"guide": guide_path(guide), "renditions": renditions_path(guide)}
    links = {"version_history": f"{guide_path(guide)}/editions"}
    return links if error.replaced_by is None else links | {"latest_version": guide_path(guide)}


def _handle_validation_error(request: Request, error: Exception) -> Response:
    """Answer every fault of the request at once. The body decides the type, else the first fault."""
    all_errors: Sequence[Any] = error.errors()  # type: ignore[attr-defined]  # registered for RequestValidationError alone
    errors = drop_consequent_errors(all_errors[: 2 * MAX_ERRORS])  # enough to see whether there are too many
    faults = [to_request_fault(each) for each in errors]
    sources = {fault.source for fault in faults}
    if "path" in sources:
        return problem_response(request, problem_types.NOT_FOUND, faults=faults)
    if "body" in sources:
        faults += find_further(request, error.body, faults)  # type: ignore[attr-defined]  # registered as above
        return problem_response(request, problem_types.VALIDATION_FAILED, faults=faults)
    first = faults[0]
    problem_type = QUERY_PROBLEM_FOR.get(first.code, problem_types.INVALID_QUERY)
    if first.source != "query":
        problem_type = problem_types.BAD_REQUEST
    detail = f"{first.parameter}: {first.detail}" if first.parameter else first.detail
    return problem_response(request, problem_type, detail=detail, faults=faults)


def _handle_http_exception(request: Request, error: Exception) -> Response:
    status: int = error.status_code  # type: ignore[attr-defined]  # registered for HTTPException alone
    own: ProblemType | None = getattr(error, "kind", None)  # an `InvalidBody`, with a sentence of this service
    problem_type = own or problem_types.PROBLEM_FOR_STATUS.get(status, problem_types.INTERNAL_ERROR)
    detail: str | None = error.detail if own else None  # type: ignore[attr-defined]
    headers = {"Allow": _allowed_methods(request)} if problem_type is problem_types.METHOD_NOT_ALLOWED else {}
    return problem_response(request, problem_type, detail=detail, headers=headers)


def _allowed_methods(request: Request) -> str:
    """Return every method of the path (RFC 9110, section 15.5.6) over all its routes. A route for GET answers HEAD."""
    path = request.scope["route"].path
    routes = [route for route in iter_route_contexts(request.app.routes) if route.path == path]
    methods = {method for route in routes for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _handle_database_error(request: Request, _error: Exception) -> Response:
    return problem_response(request, problem_types.SERVICE_UNAVAILABLE)
