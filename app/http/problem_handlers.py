"""Exception handlers that turn errors into problems (RFC 9457). No problem repeats text that the caller sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from starlette.exceptions import HTTPException

from app.errors import (
    BadRequest,
    ContentTooLarge,
    EditionWithdrawn,
    FaultCode,
    FieldError,
    GuidanceError,
    InternalError,
    InvalidQuery,
    MethodNotAllowed,
    NoSuchConcern,
    NotFound,
    Problem,
    RenditionWithdrawn,
    RepeatedQuery,
    ServiceUnavailable,
    TokenMissing,
    TooManyTries,
    UnknownQuery,
    UnsupportedMediaType,
    ValidationFailed,
)
from app.http.context import AppContext
from app.http.field_errors import hide_unknown_names, to_field_problems, to_request_fault
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.logs import Log
from app.models.coded_values import drop_consequent_errors
from app.models.links import CONCERNS, guide_path, problem_path, renditions_path
from app.models.operations.problems import ProblemDetails

NO_STORE = (DBAPIError, NoConnectionInTime)
PAGES_OF_CONCERNS = (
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/in-your-language",
    "/concerns",
)
QUERY_PROBLEM_FOR = {FaultCode.UNKNOWN_PARAMETER: UnknownQuery, FaultCode.REPEATED_PARAMETER: RepeatedQuery}
PROBLEM_FOR_STATUS: Mapping[int, type[Problem]] = {
    each.status: each
    for each in (
        NotFound,
        BadRequest,
        MethodNotAllowed,
        ContentTooLarge,
        UnsupportedMediaType,
        ServiceUnavailable,
        TokenMissing,
        InternalError,
    )
}
OPTIONS = "OPTIONS"
MAX_ERRORS = 100
TOO_MANY_ERRORS = f"Many fields are invalid. `errors` lists the first {MAX_ERRORS}."

log = Log(__name__)


def add_problem_handlers(app: FastAPI) -> None:
    """Add the handlers of problems. `app.http.door` logs all other errors."""
    app.add_exception_handler(GuidanceError, _handle_domain_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    for kind in NO_STORE:
        app.add_exception_handler(kind, lambda request, _error: problem_response(request, ServiceUnavailable))
    app.add_exception_handler(Exception, lambda request, _error: problem_response(request, InternalError))


def problem_response(
    request: Request,
    kind: type[Problem],
    *,
    detail: str | None = None,
    faults: Sequence[FieldError] = (),
    links: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response for a problem. `detail` replaces the general meaning of `kind`.

    The body says whom to call if the path is about concerns, or the status is 503.
    """
    body = ProblemDetails(
        type=problem_path(kind.slug),
        title=kind.title,
        status=kind.status,
        detail=detail or (TOO_MANY_ERRORS if len(faults) > MAX_ERRORS else kind.meaning_for(request.method)),
        instance=f"urn:uuid:{request.state.request_id}",
        errors=to_field_problems(faults[:MAX_ERRORS]) or None,
        links=links,
        **_emergency_contacts(request, kind),
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=kind.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={**kind.headers, **(headers or {})},
    )


def problem_of(error: Exception) -> type[Problem]:
    """Return the problem of an error. One that is not expected is a defect, `InternalError`."""
    return type(error) if isinstance(error, Problem) else InternalError


def _emergency_contacts(request: Request, kind: type[Problem]) -> dict[str, Any]:
    is_of_concerns = request.url.path.startswith((CONCERNS, *PAGES_OF_CONCERNS))
    if not is_of_concerns and kind.status != ServiceUnavailable.status:
        return {}
    context: AppContext = request.app.state.context
    who = context.emergency_contacts.current()
    teams = context.duty_hours.teams(who, context.clock())
    return {"signposts": who.signposts, "contacts": who.contacts, "teams": teams.on_duty}


def _handle_domain_error(request: Request, error: Exception) -> Response:
    kind = problem_of(error)
    if kind.status == InternalError.status:
        log.error("defect", request_id=request.state.request_id, error=type(error).__name__)
    if not isinstance(error, Problem):
        return problem_response(request, kind)
    links, detail = _links_instead(error, str(request.path_params.get("guide"))), error.detail
    if isinstance(error, NoSuchConcern | TooManyTries) and request.url.path.startswith(CONCERNS):
        context: AppContext = request.app.state.context
        detail = f"{detail or kind.meaning} {context.lost_entries.advice}".rstrip()
    return problem_response(request, kind, detail=detail, faults=error.faults, links=links, headers=error.headers)


def _links_instead(error: Problem, guide: str) -> dict[str, str] | None:
    match error:
        case RenditionWithdrawn():
            return {"guide": guide_path(guide), "renditions": renditions_path(guide)}
        case EditionWithdrawn():
            links = {"version_history": f"{guide_path(guide)}/editions"}
            return links if error.replaced_by is None else links | {"latest_version": guide_path(guide)}
    return None


def _handle_validation_error(request: Request, error: Exception) -> Response:
    """A fault in the path makes `NotFound`, in the body `ValidationFailed`; otherwise the first fault decides."""
    all_errors: Sequence[Any] = error.errors()  # type: ignore[attr-defined]  # registered only for RequestValidationError
    errors = drop_consequent_errors(all_errors[: 2 * MAX_ERRORS])  # enough to notice that there are too many
    faults = [to_request_fault(each) for each in errors]
    sources = {fault.source for fault in faults}
    if "path" in sources:
        return problem_response(request, NotFound, faults=faults)
    if "body" in sources:
        faults = hide_unknown_names(faults, _model_of(request))
        return problem_response(request, ValidationFailed, faults=faults)
    first = faults[0]
    kind: type[Problem] = QUERY_PROBLEM_FOR.get(first.code, InvalidQuery)
    if first.source != "query":
        kind = BadRequest
    detail = f"{first.parameter}: {first.detail}" if first.parameter else first.detail
    return problem_response(request, kind, detail=detail, faults=faults)


def _handle_http_exception(request: Request, error: Exception) -> Response:
    status: int = error.status_code  # type: ignore[attr-defined]  # registered only for HTTPException
    own: type[Problem] | None = getattr(error, "kind", None)  # only `InvalidBody` has a `kind`, and its own detail
    kind = own or PROBLEM_FOR_STATUS.get(status, InternalError)
    detail: str | None = error.detail if own else None  # type: ignore[attr-defined]
    headers = {"Allow": _allowed_methods(request)} if kind is MethodNotAllowed else {}
    if headers and request.method == OPTIONS and "access-control-request-method" not in request.headers:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return problem_response(request, kind, detail=detail, headers=headers)


def _model_of(request: Request) -> type[BaseModel] | None:
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _allowed_methods(request: Request) -> str:
    """RFC 9110, section 15.5.6."""
    path = request.scope["route"].path
    routes = [route for route in iter_route_contexts(request.app.routes) if route.path == path]
    methods = {method for route in routes for method in route.methods or ()}
    return ", ".join(sorted({*methods, OPTIONS, *(["HEAD"] if "GET" in methods else [])}))
