"""Problem details (RFC 9457) that repeat nothing of a request, and their examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
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
    Location,
    MethodNotAllowed,
    NoSuchEdition,
    NoSuchGuide,
    NotFound,
    Problem,
    ProviderUnavailable,
    RenditionWithdrawn,
    RepeatedQuery,
    ScopeMissing,
    ServiceUnavailable,
    TokenInvalid,
    TokenMissing,
    UnknownQuery,
    UnreadableBody,
    UnsupportedMediaType,
    ValidationFailed,
)
from app.http.context import AppContext
from app.http.responses import Responses
from app.logs import Log
from app.models.fields import drop_consequent_errors, model_at
from app.models.links import CONCERNS, guide_path, problem_path, renditions_path
from app.models.problems import FieldProblem, ProblemDetails

FAULTS: dict[str, tuple[FaultCode, str]] = {
    "missing": (FaultCode.REQUIRED, "This field is required."),
    "extra_forbidden": (FaultCode.UNKNOWN_FIELD, "Unknown field here. Check the spelling of the names."),
    "string_type": (FaultCode.WRONG_TYPE, "Enter text."),
    "string_too_short": (FaultCode.BLANK, "Enter an answer."),
    "string_too_long": (FaultCode.TOO_LONG, "Use {max_length} characters or fewer."),
    "string_pattern_mismatch": (FaultCode.WRONG_FORM, "Enter this in the correct format."),
    "enum": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "literal_error": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "bool_type": (FaultCode.WRONG_TYPE, "Use true or false."),
    "bool_parsing": (FaultCode.WRONG_TYPE, "Use true or false."),
    "int_type": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "int_parsing": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "int_parsing_size": (FaultCode.TOO_LARGE, "Enter a smaller whole number."),
    "int_from_float": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "greater_than_equal": (FaultCode.TOO_SMALL, "Enter {ge} or more."),
    "less_than_equal": (FaultCode.TOO_LARGE, "Enter {le} or less."),
    "too_short": (FaultCode.TOO_FEW, "Give at least {min_length}."),
    "too_long": (FaultCode.TOO_MANY, "Give {max_length} at most."),
    "date_type": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_inexact": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24, without a time."),
    "model_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "model_attributes_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "dict_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "tuple_type": (FaultCode.WRONG_TYPE, "Use a JSON array."),
    "list_type": (FaultCode.WRONG_TYPE, "Use a JSON array."),
    "unknown_parameter": (FaultCode.UNKNOWN_PARAMETER, "Unknown query parameter. {hint}"),
    "nul_in_parameter": (FaultCode.INVALID, "A query parameter contains a NUL character."),
    "repeated_parameter": (FaultCode.REPEATED_PARAMETER, "This parameter is repeated. Send it once."),
}
MEANT = "Unknown field here. Did you mean '{meant}'?"
DEFAULT_FAULT = (FaultCode.INVALID, "This is not a valid answer.")


def to_field_error(error: Mapping[str, Any], *, root: int = 1) -> FieldError:
    """Convert one of pydantic's errors; the first `root` elements of its location are left out."""
    at = tuple(error["loc"][root:])
    code, template, values = _fault(error)
    return FieldError(at, template, code, values=values)


def to_request_fault(error: Mapping[str, Any]) -> FieldError:
    """Convert one of pydantic's errors about a request, of which the first element of the location is the part."""
    source, *rest = error["loc"]
    if source == "body":
        return to_field_error(error)
    code, template, values = _fault(error)
    return FieldError((), template, code, source, str(rest[0]) if rest else None, values)


def _fault(error: Mapping[str, Any]) -> tuple[FaultCode, str, dict[str, object]]:
    """Return the code of the error, its sentence, and the values for the names in braces."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        reason = context["error"]
        return getattr(reason, "code", FaultCode.INVALID), as_sentence(str(reason)), {}
    code, template = FAULTS.get(error["type"], DEFAULT_FAULT)
    return code, template, {name: _plain(value) for name, value in context.items()}


def to_field_problems(errors: Sequence[FieldError]) -> tuple[FieldProblem, ...]:
    """Convert the errors to their form on the wire."""
    return tuple(
        FieldProblem(
            detail=error.detail,
            pointer=json_pointer(error.at),
            code=error.code,
            source=None if error.source == "body" else error.source,
            parameter=error.parameter,
        )
        for error in errors
    )


def json_pointer(at: Location) -> str:
    """Return the location as a JSON Pointer (RFC 6901), in its form as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in at)


def hide_unknown_names(faults: Iterable[FieldError], model: type[BaseModel] | None) -> list[FieldError]:
    """Return the faults, each unknown name as a fault of the object that has it: a name may tell of a child.

    The sentence names the field of that object that the unknown name resembles, if there is one.
    """
    return list(dict.fromkeys(_at_object(each, model) if _is_unknown_name(each) else each for each in faults))


def _is_unknown_name(fault: FieldError) -> bool:
    return fault.code is FaultCode.UNKNOWN_FIELD and fault.source == "body"


def _at_object(fault: FieldError, model: type[BaseModel] | None) -> FieldError:
    at, name = fault.at[:-1], str(fault.at[-1])
    there = model_at(model, at) if model is not None else None
    meant = get_close_matches(name, there.model_fields, n=1) if there is not None else []
    return replace(fault, at=at, template=MEANT, values={"meant": meant[0]}) if meant else replace(fault, at=at)


def _plain(value: object) -> object:
    return value.replace("'", "").replace(" or ", ", ") if isinstance(value, str) else value


def as_sentence(text: str) -> str:
    """Return the reason that a model gives as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


NO_STORE = (DBAPIError, NoConnectionInTime)
"""What is raised if the store cannot be read."""


PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}  # a model would get a validator on each route
QUERY_PROBLEMS = (UnknownQuery, RepeatedQuery, InvalidQuery)
BODY_PROBLEMS = (UnreadableBody, ContentTooLarge, UnsupportedMediaType, ValidationFailed)
CURRENT_EDITION_PROBLEMS = (NoSuchGuide, EditionWithdrawn)
NUMBERED_EDITION_PROBLEMS = (NoSuchGuide, NoSuchEdition, EditionWithdrawn)
CREDENTIAL_PROBLEMS = (TokenMissing, TokenInvalid, ScopeMissing, ProviderUnavailable)
CLIENT_PROBLEMS = (*CREDENTIAL_PROBLEMS, ServiceUnavailable)
"""The problems of a route for clients, which checks their keys in the database."""


def response_example(**members: Any) -> Responses:
    """Return `responses` whose 200 example overrides these fields of the example (see `app.http.openapi`)."""
    return {200: {"content": {"application/json": {"example": members}}}}


def problem_responses(*problems: type[Problem]) -> Responses:
    """Return the OpenAPI `responses` of a route that can answer these problems, with an example of each."""
    responses: Responses = {}
    told: tuple[type[Problem], ...] = (*problems, *QUERY_PROBLEMS, InternalError)
    for each in told:
        response = responses.setdefault(
            each.status,
            {"description": each.title, "content": {PROBLEM_MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "examples": {}}}},
        )
        examples = response["content"][PROBLEM_MEDIA_TYPE]["examples"]
        examples[each.slug] = {"summary": each.title, "value": _example_of(each)}
    return responses


def _example_of(problem: type[Problem]) -> dict[str, Any]:
    example = {
        "type": problem_path(problem.slug),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.meaning,
        "instance": "urn:uuid:2f1c6e0a-8f0e-4f0b-9a51-6a1f6f0d7c11",
    }
    errors_example = [{"detail": "This field is required.", "pointer": "#/concern/narrative", "code": "required"}]
    return example | {"errors": errors_example} if problem.slug == ValidationFailed.slug else example


RESPONSES_OF_ALL_ROUTES = problem_responses()
RESPONSES_OF_CLIENT_ROUTES = problem_responses(*CLIENT_PROBLEMS)
NOT_MODIFIED: Responses = {304: {"description": "Not modified: the copy named by If-None-Match is current."}}
RESPONSES_OF_READS = RESPONSES_OF_ALL_ROUTES | NOT_MODIFIED
"""The responses that every cached public read can have."""


PAGES_OF_CONCERNS = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend", "/concerns")
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
MAX_ERRORS = 100
TOO_MANY_ERRORS = f"Many fields are invalid. `errors` lists the first {MAX_ERRORS}."

log = Log(__name__)


def add_problem_handlers(app: FastAPI) -> None:
    """Register the handlers that turn every error into a problem response."""
    app.add_exception_handler(GuidanceError, _handle_domain_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    for kind in NO_STORE:
        app.add_exception_handler(kind, _handle_database_error)


def problem_response(
    request: Request,
    kind: type[Problem],
    *,
    detail: str | None = None,
    faults: Sequence[FieldError] = (),
    links: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem as a response. On a path of concerns, and where nobody is served, it says whom to call.

    `detail` replaces the kind's own meaning; `faults` become the member `errors`, at most `MAX_ERRORS` of them.
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
    """Return what callers are told of the error. One without a problem of its own is a defect to them."""
    return type(error) if isinstance(error, Problem) else InternalError


def _emergency_contacts(request: Request, kind: type[Problem]) -> dict[str, Any]:
    is_of_concerns = request.url.path.startswith((CONCERNS, *PAGES_OF_CONCERNS))
    if not is_of_concerns and kind.status != ServiceUnavailable.status:
        return {}
    context: AppContext = request.app.state.context
    who = context.emergency_contacts.current()
    return {"signposts": who.signposts, "contacts": who.contacts}


def _handle_domain_error(request: Request, error: Exception) -> Response:
    kind = problem_of(error)
    if kind.status == InternalError.status:
        log.error("defect", request_id=request.state.request_id, error=type(error).__name__)
    if not isinstance(error, Problem):
        return problem_response(request, kind)
    links = _links_instead(error, str(request.path_params.get("guide")))
    return problem_response(request, kind, detail=error.detail, faults=error.faults, links=links, headers=error.headers)


def _links_instead(error: Problem, guide: str) -> dict[str, str] | None:
    """Return where to read on, after something was withdrawn."""
    match error:
        case RenditionWithdrawn():
            return {"guide": guide_path(guide), "renditions": renditions_path(guide)}
        case EditionWithdrawn():
            links = {"version_history": f"{guide_path(guide)}/editions"}
            return links if error.replaced_by is None else links | {"latest_version": guide_path(guide)}
    return None


def _handle_validation_error(request: Request, error: Exception) -> Response:
    """Answer every fault of the request at once. The body decides the type, else the first fault."""
    all_errors: Sequence[Any] = error.errors()  # type: ignore[attr-defined]  # registered for RequestValidationError alone
    errors = drop_consequent_errors(all_errors[: 2 * MAX_ERRORS])  # enough to see whether there are too many
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
    status: int = error.status_code  # type: ignore[attr-defined]  # registered for HTTPException alone
    own: type[Problem] | None = getattr(error, "kind", None)  # an `InvalidBody`, with a sentence of this service
    kind = own or PROBLEM_FOR_STATUS.get(status, InternalError)
    detail: str | None = error.detail if own else None  # type: ignore[attr-defined]
    headers = {"Allow": _allowed_methods(request)} if kind is MethodNotAllowed else {}
    return problem_response(request, kind, detail=detail, headers=headers)


def _model_of(request: Request) -> type[BaseModel] | None:
    """Return the model of the bodies that the route takes."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field is not None else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _allowed_methods(request: Request) -> str:
    """Return every method of the path (RFC 9110, section 15.5.6) over all its routes. A route for GET answers HEAD."""
    path = request.scope["route"].path
    routes = [route for route in iter_route_contexts(request.app.routes) if route.path == path]
    methods = {method for route in routes for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _handle_database_error(request: Request, _error: Exception) -> Response:
    return problem_response(request, ServiceUnavailable)
