"""The problems that routes can return, as responses in the OpenAPI document, with examples."""

from typing import Any

from app.errors import (
    ContentTooLarge,
    EditionWithdrawn,
    InternalError,
    InvalidQuery,
    NoSuchEdition,
    NoSuchGuide,
    NoSuchRendition,
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
from app.http.responses import Responses
from app.models.links import problem_path

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}  # with a model, FastAPI would make a validator for each route
QUERY_PROBLEMS = (UnknownQuery, RepeatedQuery, InvalidQuery)
BODY_PROBLEMS = (UnreadableBody, ContentTooLarge, UnsupportedMediaType, ValidationFailed)
CURRENT_EDITION_PROBLEMS = (NoSuchGuide, EditionWithdrawn)
NUMBERED_EDITION_PROBLEMS = (NoSuchGuide, NoSuchEdition, EditionWithdrawn)
RENDITION_PROBLEMS = (NoSuchGuide, NoSuchRendition, RenditionWithdrawn)
CREDENTIAL_PROBLEMS = (TokenMissing, TokenInvalid, ScopeMissing, ProviderUnavailable)
CLIENT_PROBLEMS = (*CREDENTIAL_PROBLEMS, ServiceUnavailable)
NOT_MODIFIED: Responses = {304: {"description": "Not modified: the copy named by If-None-Match is current."}}


def response_example(**members: Any) -> Responses:
    """Return an example. `members` override fields of the one that `app.http.openapi` builds for status 200."""
    return {200: {"content": {"application/json": {"example": members}}}}


def problem_responses(*problems: type[Problem]) -> Responses:
    """Return the problems of an operation, always with those of queries and the internal error."""
    responses: Responses = {}
    told: tuple[type[Problem], ...] = (*problems, *QUERY_PROBLEMS, InternalError)
    for each in told:
        response = responses.setdefault(
            each.status,
            {"description": each.title, "content": {PROBLEM_MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "examples": {}}}},
        )
        examples = response["content"][PROBLEM_MEDIA_TYPE]["examples"]
        examples[each.slug] = {"value": _example_of(each)}
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
RESPONSES_OF_READS = RESPONSES_OF_ALL_ROUTES | NOT_MODIFIED
