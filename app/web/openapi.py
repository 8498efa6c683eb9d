"""The OpenAPI document: FastAPI's own, with problems under their own media type and an example of every response.

No example of a response is written by hand. The first examples of a model's fields together describe one entry of the
shipped guide, so an example is built from the fields' examples. A route overrides only what its model cannot know
(`response_example`). A test compares each example with the real response.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.about import DESCRIPTION
from app.models.links import CONCERNS
from app.web.middleware.rate_limit import FIELD, POLICY_FIELD, policy_name
from app.web.middleware.request_body import ALWAYS_ANSWERED
from app.web.negotiation import JSON
from app.web.problem_types import RATE_LIMITED, REQUEST_TIMEOUT, SERVICE_UNAVAILABLE, ProblemType, problem_responses
from app.web.problems import PROBLEM_MEDIA_TYPE

SCHEMA_PREFIX = "#/components/schemas/"
OWN_MEDIA_TYPES = {f"{SCHEMA_PREFIX}Problem": PROBLEM_MEDIA_TYPE, f"{SCHEMA_PREFIX}JsonFeed": "application/feed+json"}
PROBLEM = {"$ref": f"{SCHEMA_PREFIX}Problem"}
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
TAGS = {
    "Reference": "The index, signposts, code lists, kinds of problem, and the keys that receipts are checked with.",
    "Guides": "The guides as they stand now.",
    "Editions": "Numbered editions, which never change, and what changed between them.",
    "Across guides": "Lists across every guide, and search.",
    "Feeds": "What was published and withdrawn, for anything that follows it.",
    "Publishing": "For the partnership: publishing and withdrawing editions.",
    "Concerns": "The form, the check, raising a concern, and following it.",
    "Events": "What happened, for other systems, by pull: references, times and links.",
    "Desk": "For the duty team: the inbox, opening a concern, and what is done about it.",
    "Audit": "For auditors: who read or changed what, and when.",
    "Open Referral UK": "The guides' contacts in the shape of the Open Referral UK standard.",
    "Operations": "Health and metrics.",
}
SERVERS = [{"url": "/", "description": "This service."}]
GUIDANCE = """
{description}

**In immediate danger call 999.** This API never scores a child: it holds no level, count or ranking of indicators, and
every answer with indicators or factors carries the cautions that belong to them.

Reads are open to everyone and may be cached. Errors are problem details (RFC 9457). Keys are added to `/v1`, and never
renamed or removed.
"""

JsonObject = dict[str, Any]


def build_document(app: FastAPI) -> JsonObject:
    """Return the document, which describes the responses that are really sent."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=GUIDANCE.format(description=DESCRIPTION).strip(),
        routes=app.routes,
        servers=SERVERS,
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
    )
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_middleware_responses(path, method, operation)
            _correct_responses(operation["responses"])
            _add_request_examples(operation, schemas)
            self_link = _example_path(path, operation) if method == "get" else None
            _add_response_examples(operation, schemas, self_link=self_link)
            if path.startswith(CONCERNS):
                _add_emergency_contacts(operation["responses"], schemas)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _add_middleware_responses(path: str, method: str, operation: JsonObject) -> None:
    """Add the problems that middleware answers before the route runs, and the headers of rate limits."""
    if not path.startswith(ALWAYS_ANSWERED):
        _add_problem(operation["responses"], SERVICE_UNAVAILABLE)
    if "requestBody" in operation:
        _add_problem(operation["responses"], REQUEST_TIMEOUT)
    if policy_name(method.upper(), path) is None:
        return
    _add_problem(operation["responses"], RATE_LIMITED)
    for status, response in operation["responses"].items():
        headers = response.setdefault("headers", {})
        headers |= LIMIT_FIELDS if status != str(RATE_LIMITED.status) else LIMIT_FIELDS | RETRY_AFTER


def _add_problem(responses: JsonObject, problem_type: ProblemType) -> None:
    examples = problem_responses(problem_type)[problem_type.status]["content"][JSON]["examples"]
    media_types = {PROBLEM_MEDIA_TYPE: {"schema": PROBLEM, "examples": {}}}
    default = {"description": problem_type.title, "content": media_types}
    content = responses.setdefault(str(problem_type.status), default)["content"]
    content.get(JSON, content.get(PROBLEM_MEDIA_TYPE))["examples"] |= examples


def _correct_responses(responses: JsonObject) -> None:
    """Remove FastAPI's own 422, and put each model under the media type that it is sent with."""
    for status, response in list(responses.items()):
        content = response.get("content", {})
        schema = content.get(JSON, {}).get("schema", {})
        if schema == DEFAULT_422:
            del responses[status]
        elif schema.get("$ref") in OWN_MEDIA_TYPES:
            content[OWN_MEDIA_TYPES[schema["$ref"]]] = content.pop(JSON)


def _add_request_examples(operation: JsonObject, schemas: JsonObject) -> None:
    """Copy the example of each path parameter to where documentation pages look for it. Add an example of the body."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("example", _example_of(parameter["schema"], schemas))
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None and "examples" not in {*body, *body["schema"]}:
        body["example"] = _example_of(body["schema"], schemas)


def _example_path(path: str, operation: JsonObject) -> str:
    """Return the path with the examples of its parameters."""
    examples = {each["name"]: each["example"] for each in operation.get("parameters", []) if each["in"] == "path"}
    return path.format_map(examples)


def _add_response_examples(operation: JsonObject, schemas: JsonObject, *, self_link: str | None) -> None:
    """Add an example to each JSON response. In the example of a read, the link `self` is the read's own path."""
    for response in operation["responses"].values():
        for media_type, content in response.get("content", {}).items():
            if "schema" not in content or media_type == PROBLEM_MEDIA_TYPE or not media_type.endswith("json"):
                continue
            example = _example_of(content["schema"], schemas)
            if "example" in content:
                example = _override(example, content["example"], schemas)
            if self_link is not None and "links" in example:
                example["links"] = example["links"] | {"self": self_link}
            content["example"] = example


def _override(built: Any, override: Any, schemas: JsonObject) -> Any:
    """Return the built example with the route's own values put in. A `$ref` among these means that model's example."""
    if isinstance(override, dict) and "$ref" in override:
        return _example_of(override, schemas)
    if isinstance(override, dict) and override and isinstance(built, dict):
        return built | {name: _override(built.get(name), value, schemas) for name, value in override.items()}
    if isinstance(override, list) and isinstance(built, list):
        return [_override(before, after, schemas) for before, after in zip(built, override, strict=False)]
    return override


def _add_emergency_contacts(responses: JsonObject, schemas: JsonObject) -> None:
    """Add the signposts and the guide's contacts to the problem examples of a path of concerns, as in real problems."""
    properties = schemas["Problem"]["properties"]
    contacts = {name: _example_of(properties[name], schemas) for name in ("signposts", "contacts")}
    for response in responses.values():
        for example in response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {}).get("examples", {}).values():
            example["value"] = example["value"] | contacts


def _example_of(schema: JsonObject, schemas: JsonObject) -> Any:
    """Return the schema's first example, or build one from the examples of its properties and items."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example_of(schemas[schema["$ref"].removeprefix(SCHEMA_PREFIX)], schemas)
    if "anyOf" in schema:
        return _example_of(schema["anyOf"][0], schemas)
    if "items" in schema:
        return [_example_of(schema["items"], schemas)]
    if "properties" in schema:
        return {name: _example_of(member, schemas) for name, member in schema["properties"].items()}
    return schema.get("const", next(iter(schema.get("enum", [])), None))
