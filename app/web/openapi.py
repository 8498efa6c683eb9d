"""The OpenAPI document: FastAPI's, with problems under their own media type, and with an example of every answer.

No answer's example is written by hand. The first examples of a model's fields, taken together, are one thing of the
shipped guide, so the example of an answer is put together from those of its fields. A route adds only what its model
alone cannot know (`shown`). A test compares each with what the service really answers.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.about import DESCRIPTION
from app.web.middleware.rate_limit import FIELD, POLICY_FIELD, policy_name
from app.web.middleware.request_body import ALWAYS_ANSWERED
from app.web.problem_types import RATE_LIMITED, REQUEST_TIMEOUT, SERVICE_UNAVAILABLE, ProblemType, problem_responses
from app.web.problems import CONCERNS, PROBLEM_MEDIA_TYPE

JSON = "application/json"
SCHEMAS = "#/components/schemas/"
OWN_MEDIA_TYPES = {f"{SCHEMAS}Problem": PROBLEM_MEDIA_TYPE, f"{SCHEMAS}JsonFeed": "application/feed+json"}
PROBLEM = {"$ref": f"{SCHEMAS}Problem"}
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
DEFAULT_422 = {"$ref": f"{SCHEMAS}HTTPValidationError"}
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

Part = dict[str, Any]


def customise_openapi(app: FastAPI) -> None:
    """Have `app.openapi()` describe this service as it answers."""

    def openapi() -> Part:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _document(app: FastAPI) -> Part:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=DESCRIPTION,
        description=GUIDANCE.format(description=DESCRIPTION).strip(),
        routes=app.routes,
        servers=SERVERS,
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
    )
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_what_stands_around(path, method, operation)
            _correct(operation["responses"])
            _show_requests(operation, schemas)
            _show_answers(operation, schemas, here=_filled(path, operation) if method == "get" else None)
            if path.startswith(CONCERNS):
                _show_whom_to_call(operation["responses"], schemas)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _add_what_stands_around(path: str, method: str, operation: Part) -> None:
    """Tell what is answered before a route is reached, and the fields that tell of limits."""
    if not path.startswith(ALWAYS_ANSWERED):
        _add_problem(operation["responses"], SERVICE_UNAVAILABLE)
    if "requestBody" in operation:
        _add_problem(operation["responses"], REQUEST_TIMEOUT)
    if policy_name(method.upper(), path) is None:
        return
    _add_problem(operation["responses"], RATE_LIMITED)
    for status, response in operation["responses"].items():
        told = response.setdefault("headers", {})
        told |= LIMIT_FIELDS if status != str(RATE_LIMITED.status) else LIMIT_FIELDS | RETRY_AFTER


def _add_problem(responses: Part, kind: ProblemType) -> None:
    for status, told in problem_responses(kind).items():
        if status == kind.status:
            examples = told["content"][JSON]["examples"]
            new = {"description": kind.title, "content": {PROBLEM_MEDIA_TYPE: {"schema": PROBLEM, "examples": {}}}}
            content = responses.setdefault(str(status), new)["content"]
            content.get(JSON, content.get(PROBLEM_MEDIA_TYPE))["examples"] |= examples


def _correct(responses: Part) -> None:
    for status, response in list(responses.items()):
        content = response.get("content", {})
        schema = content.get(JSON, {}).get("schema", {})
        if schema == DEFAULT_422:
            del responses[status]
        elif schema.get("$ref") in OWN_MEDIA_TYPES:
            content[OWN_MEDIA_TYPES[schema["$ref"]]] = content.pop(JSON)


def _show_requests(operation: Part, schemas: Part) -> None:
    """Lift the example of each path parameter to where a documentation page can fill it in, and show each body."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("example", _example_of(parameter["schema"], schemas))
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None and "examples" not in {*body, *body["schema"]}:
        body["example"] = _example_of(body["schema"], schemas)


def _filled(path: str, operation: Part) -> str:
    """The path with its parameters' examples."""
    told = {each["name"]: each["example"] for each in operation.get("parameters", []) if each["in"] == "path"}
    return path.format_map(told)


def _show_answers(operation: Part, schemas: Part, *, here: str | None) -> None:
    """Give each answer in JSON its example; that of a read links to the read's own path."""
    for response in operation["responses"].values():
        for media_type, answer in response.get("content", {}).items():
            if "schema" not in answer or media_type == PROBLEM_MEDIA_TYPE or not media_type.endswith("json"):
                continue
            example = _example_of(answer["schema"], schemas)
            if "example" in answer:
                example = _merged(example, answer["example"], schemas)
            if here is not None and "links" in example:
                example["links"] = example["links"] | {"self": here}
            answer["example"] = example


def _merged(assembled: Any, given: Any, schemas: Part) -> Any:
    """What was put together, with what the route gives in its place; a `$ref` there stands for a model's example."""
    if isinstance(given, dict) and "$ref" in given:
        return _example_of(given, schemas)
    if isinstance(given, dict) and given and isinstance(assembled, dict):
        return assembled | {name: _merged(assembled.get(name), value, schemas) for name, value in given.items()}
    if isinstance(given, list) and isinstance(assembled, list):
        return [_merged(before, after, schemas) for before, after in zip(assembled, given, strict=False)]
    return given


def _show_whom_to_call(responses: Part, schemas: Part) -> None:
    """Complete the examples of problems on paths of concerns: each carries the signposts and the guide's contacts."""
    told = schemas["Problem"]["properties"]
    help_ = {name: _example_of(told[name], schemas) for name in ("signposts", "contacts")}
    for response in responses.values():
        for example in response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {}).get("examples", {}).values():
            example["value"] = example["value"] | help_


def _example_of(schema: Part, schemas: Part) -> Any:
    """The first example that the schema gives, else one that is put together from those of its parts."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example_of(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas)
    if "anyOf" in schema:
        return _example_of(schema["anyOf"][0], schemas)
    if "items" in schema:
        return [_example_of(schema["items"], schemas)]
    if "properties" in schema:
        return {name: _example_of(part, schemas) for name, part in schema["properties"].items()}
    return schema.get("const", next(iter(schema.get("enum", [])), None))
