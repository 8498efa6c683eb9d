"""The OpenAPI document: FastAPI's own, with problems under their own media type, and what middleware answers."""

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.about import DESCRIPTION
from app.config import Settings
from app.errors import (
    BadRequest,
    InvalidCursor,
    InvalidMoment,
    Problem,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
)
from app.models.links import CONCERNS
from app.models.problems import ProblemDetails
from app.web.middleware.rate_limit import FIELD, POLICY_FIELD, policy_name
from app.web.middleware.request_body import ALWAYS_ANSWERED
from app.web.negotiation import JSON
from app.web.openapi.answers import name_twins, open_answers
from app.web.openapi.examples import (
    SCHEMA_PREFIX,
    JsonObject,
    add_emergency_contacts,
    add_request_examples,
    add_response_examples,
    example_path,
)
from app.web.openapi.security import add_security
from app.web.openapi.webhooks import add_webhooks
from app.web.problem_responses import PROBLEM_MEDIA_TYPE, problem_responses

OWN_MEDIA_TYPES = {f"{SCHEMA_PREFIX}JsonFeed": "application/feed+json"}
LIMIT_FIELDS = {
    POLICY_FIELD: {
        "description": "The limit, where the caller is counted: requests (q) in seconds (w), "
        "draft-ietf-httpapi-ratelimit-headers.",
        "schema": {"type": "string"},
        "example": '"concerns";q=300;w=60',
    },
    FIELD: {
        "description": "How the caller stands: what remains (r), and the seconds until it is whole again (t).",
        "schema": {"type": "string"},
        "example": '"concerns";r=299;t=60',
    },
}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True, "example": 42}
}
DEFAULT_422 = {"$ref": f"{SCHEMA_PREFIX}HTTPValidationError"}
UNDESCRIBED = "Successful Response"
"""What FastAPI says of an answer that no route describes."""
TAGS = {
    "Reference": "The index, signposts, code lists, kinds of problem, and the keys that receipts are checked with.",
    "Guides": "The guides as they stand now.",
    "Editions": "Numbered editions, which never change, and what changed between them.",
    "Renditions": "Guides in other languages and forms: translations, easy read, large print, films and recordings.",
    "Across guides": "Lists across every guide, and search.",
    "Feeds": "What was published and withdrawn, for anything that follows it.",
    "Publishing": "For the partnership: publishing and withdrawing editions and renditions.",
    "Drafts": "For editors: guides that are being written, and their publication by a second person.",
    "Concerns": "The form, the check, raising a concern, and following it.",
    "Events": "What happened, for other systems, by pull: references, times and links.",
    "Desk": "For the duty team: the inbox, opening a concern, and what is done about it.",
    "Audit": "For auditors: who read or changed what, and when.",
    "Open Referral UK": "The guides' contacts in the shape of the Open Referral UK standard.",
    "Operations": "Health and metrics.",
}
GUIDANCE = """
{description}

**In immediate danger call 999.** This API never scores a child: it holds no level, count or ranking of indicators, and
every answer with indicators or factors carries the cautions that belong to them.

Reads are open to everyone and may be cached. Errors are problem details (RFC 9457). Keys are added to `/v1`, and never
renamed or removed.
"""


def build_document(app: FastAPI, settings: Settings) -> JsonObject:
    """Return the document, which describes the responses that are really sent."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=GUIDANCE.format(description=DESCRIPTION).strip(),
        contact={"name": settings.council_name, "url": settings.public_url},
        license_info={"name": "MIT License", "identifier": "MIT"},
        routes=app.routes,
        servers=[{"url": settings.public_url, "description": "This service."}],
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
    )
    problem = ProblemDetails.model_json_schema(mode="serialization", ref_template=SCHEMA_PREFIX + "{model}")
    schemas = document["components"]["schemas"] = dict(
        sorted((problem.pop("$defs") | document["components"]["schemas"] | {"Problem": problem}).items())
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_middleware_responses(path, method, operation)
            _add_parameter_problems(operation)
            _correct_responses(operation["responses"])
            _describe_answers(operation["responses"], schemas)
            add_request_examples(operation, schemas)
            self_link = example_path(path, operation) if method == "get" else None
            add_response_examples(operation, schemas, self_link=self_link)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            if path.startswith(CONCERNS):
                add_emergency_contacts(operation["responses"], schemas)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    add_webhooks(document)
    document = name_twins(document)
    open_answers(document)
    add_security(document, settings)
    document["paths"] = dict(sorted(document["paths"].items(), key=_place_of_tag))
    return document


def _place_of_tag(described: tuple[str, JsonObject]) -> int:
    """Return the place of the path's first tag among all tags: paths are in the order of the tags."""
    return min(list(TAGS).index(tag) for operation in described[1].values() for tag in operation["tags"])


def _add_middleware_responses(path: str, method: str, operation: JsonObject) -> None:
    """Add the problems that middleware answers before the route runs, and the headers of rate limits."""
    if not path.startswith(ALWAYS_ANSWERED):
        _add_problem(operation["responses"], ServiceUnavailable)
    if "requestBody" in operation:
        _add_problem(operation["responses"], RequestTimeout)
    if policy_name(method.upper(), path) is None:
        return
    _add_problem(operation["responses"], RateLimited)
    for status, response in operation["responses"].items():
        headers = response.setdefault("headers", {})
        headers |= LIMIT_FIELDS if status != str(RateLimited.status) else LIMIT_FIELDS | RETRY_AFTER


def _add_parameter_problems(operation: JsonObject) -> None:
    """Add the problems of cursors, times and header fields, to operations that take them."""
    parameters = operation.get("parameters", [])
    names = {parameter["name"] for parameter in parameters}
    for kind, is_there in (
        (InvalidCursor, names & {"cursor", "after"}),
        (InvalidMoment, "as_of" in names),
        (BadRequest, any(parameter["in"] == "header" for parameter in parameters)),
    ):
        if is_there:
            _add_problem(operation["responses"], kind)


def _add_problem(responses: JsonObject, kind: type[Problem]) -> None:
    added = problem_responses(kind)[kind.status]
    content = responses.setdefault(str(kind.status), added)["content"][PROBLEM_MEDIA_TYPE]
    content["examples"] |= added["content"][PROBLEM_MEDIA_TYPE]["examples"]


def _describe_answers(responses: JsonObject, schemas: JsonObject) -> None:
    """Describe each success that only says so by what its schema says, or by its media type."""
    for response in responses.values():
        if response["description"] == UNDESCRIBED:
            content = response.get("content", {})
            names = [each.get("schema", {}).get("$ref", "").removeprefix(SCHEMA_PREFIX) for each in content.values()]
            described = [schemas[name].get("description", "").partition("\n\n")[0] for name in names if name]
            response["description"] = next(filter(None, described), f"The response as {' or '.join(content)}.")


def _correct_responses(responses: JsonObject) -> None:
    """Remove FastAPI's own 422, and put each model under the media type that it is sent with."""
    for status, response in list(responses.items()):
        content = response.get("content", {})
        schema = content.get(JSON, {}).get("schema", {})
        if schema == DEFAULT_422:
            del responses[status]
        elif schema.get("$ref") in OWN_MEDIA_TYPES:
            content[OWN_MEDIA_TYPES[schema["$ref"]]] = content.pop(JSON)
