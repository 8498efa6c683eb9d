"""The OpenAPI `responses` of routes: the problems that each can answer, with an example of each."""

from typing import Any

from app.web.problem_type import ProblemType
from app.web.problem_types import (
    CLIENT_PROBLEMS,
    INTERNAL_ERROR,
    PROBLEM_MEDIA_TYPE,
    QUERY_PROBLEMS,
    VALIDATION_FAILED,
)

Responses = dict[int | str, dict[str, Any]]

PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}  # a model would get a validator on each route


def response_example(**members: Any) -> Responses:
    """Return `responses` whose 200 example overrides these fields of the example (see `app.web.openapi.examples`)."""
    return {200: {"content": {"application/json": {"example": members}}}}


def problem_responses(*problem_types: ProblemType) -> Responses:
    """Return the OpenAPI `responses` of a route that can answer these problems, with an example of each."""
    responses: Responses = {}
    for each in (*problem_types, *QUERY_PROBLEMS, INTERNAL_ERROR):
        response = responses.setdefault(
            each.status,
            {"description": each.title, "content": {PROBLEM_MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "examples": {}}}},
        )
        examples = response["content"][PROBLEM_MEDIA_TYPE]["examples"]
        examples[each.slug] = {"summary": each.title, "value": _example_of(each)}
    return responses


def _example_of(problem_type: ProblemType) -> dict[str, Any]:
    example = {
        "type": problem_type.type,
        "title": problem_type.title,
        "status": problem_type.status,
        "detail": problem_type.meaning,
        "instance": "urn:uuid:2f1c6e0a-8f0e-4f0b-9a51-6a1f6f0d7c11",
    }
    errors_example = [{"detail": "This part is required.", "pointer": "#/concern/narrative", "code": "required"}]
    return example | {"errors": errors_example} if problem_type is VALIDATION_FAILED else example


RESPONSES_OF_ALL_ROUTES = problem_responses()
RESPONSES_OF_CLIENT_ROUTES = problem_responses(*CLIENT_PROBLEMS)
NOT_MODIFIED: Responses = {304: {"description": "The caller's copy, named by If-None-Match, is still right."}}
RESPONSES_OF_READS = RESPONSES_OF_ALL_ROUTES | NOT_MODIFIED
"""The responses that every cached public read can have."""
