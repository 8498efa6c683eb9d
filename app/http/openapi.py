"""The OpenAPI document: FastAPI's document, corrected step by step so that it describes the real responses.

The first examples of a model's fields together describe one entry of the shipped guide, so an example of a model is
built from those of its fields. A route overrides only values that its model cannot know (`response_example`).

Schemas of responses allow further fields and values, so that generated clients continue to work when some are added.
Schemas of requests are strict. A strict schema for both is described twice: for requests with `Input` in its name.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.config import DESCRIPTION, Settings
from app.errors import (
    BadRequest,
    InvalidCursor,
    InvalidMoment,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
)
from app.extensions import Words
from app.http.negotiation import JSON
from app.http.problems import PROBLEM_MEDIA_TYPE, problem_responses
from app.http.rate_limits import FIELD, POLICY_FIELD, policy_name
from app.http.turns import ALWAYS_ANSWERED
from app.models.events.responses import EVENT_DATA, EventResponse
from app.models.events.rows import EventKind
from app.models.links import CONCERNS
from app.models.operations.problems import ProblemDetails

JsonObject = dict[str, Any]
SCHEMA_PREFIX = "#/components/schemas/"
UNDESCRIBED = "Successful Response"
DEFAULT_422 = {JSON: {"schema": {"$ref": f"{SCHEMA_PREFIX}HTTPValidationError"}}}
LIMIT_FIELDS = {
    POLICY_FIELD: {
        "description": "The rate limit: requests (q) per number of seconds (w), draft-ietf-httpapi-ratelimit-headers.",
        "schema": {"type": "string"},
        "example": '"concerns";q=300;w=60',
    },
    FIELD: {
        "description": "Requests remaining (r), and seconds until the limit resets (t).",
        "schema": {"type": "string"},
        "example": '"concerns";r=299;t=60',
    },
}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True, "example": 42}
}
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
GUIDANCE = """
{description}

**In immediate danger call 999.** This API never scores a child: indicators have no levels, counts or ranks, and
every response with indicators or factors includes their cautions.

Reads are open to everyone and may be cached. Errors are problem details (RFC 9457). `/v1` may get new keys;
existing keys are never renamed or removed. Only keys whose schema allows null can become null, and lists with
`minItems` are never empty.
"""
EXTENSIBLE_ENUM = "x-extensible-enum"
"""Known values of a string to which others may be added (Zalando's API guidelines; tools know it)."""
ENUMERATED = frozenset({"const", "enum", EXTENSIBLE_ENUM})
"""A list of values would need null too."""
INPUT = "Input"
INPUTS = ("requestBody", "parameters")
CLIENT_KEY = "ClientKey"
OPENID = "OpenID"
CONFIGURATION = "/.well-known/openid-configuration"
WEBHOOKS = "Webhooks"
DELIVERY_HEADERS = {
    "webhook-id": ("Message id, the same on every attempt.", "msg_0123456789abcdef0123456789abcdef"),
    "webhook-timestamp": ("Time of this attempt, in seconds since 1970.", "1795512600"),
    "webhook-signature": (
        "`v1,` and the base64 HMAC-SHA256 of id, timestamp and body joined by dots; one for each of two secrets.",
        "v1,c2lnbmF0dXJl",
    ),
}
DELIVERY_RESPONSES = {
    "204": {"description": "Received. Any 2xx is accepted; otherwise the delivery is retried."},
    "410": {"description": "Gone: the webhook is disabled."},
}
NAMES_OF_RESPONSES = {"304": "not-modified"}
GROUPS = {
    "Raise a concern": {"Concerns": "Get the form, check and raise a concern."},
    "Read guidance": {"Guides": "Current editions of the guides."},
    "Follow a concern": {"Follow-up": "For reporters, with the code of the receipt: status, messages and additions."},
    "Search and look up": {
        "Across guides": "Lists across every guide, and search.",
        "Reference": "The index, signposts, code lists, problem types, and the keys that verify receipts.",
    },
    "Read every edition and language": {
        "Editions": "Numbered editions, which never change, and the differences between them.",
        "Renditions": "Guides in other languages and formats: translations, simple words, large print and films.",
    },
    "Work at the desk": {"Desk": "For the duty team: the inbox, and reading and handling concerns."},
    "Write guides": {
        "Drafts": "For editors: drafts, and their publication by a second person.",
        "Publishing": "For publishers: publish and withdraw editions and renditions; reviews due.",
    },
    "Operate and connect": {
        "Feeds": "Feeds of publications and withdrawals, and the catalogue of documents about this API.",
        "Events": "Event feed for other systems (pull): references, times and links only.",
        "Webhooks": "Events for other systems (push): what a receiver gets, signed (Standard Webhooks 1.0) and "
        "retried until received.",
        "Open Referral UK": "The guides' contacts in the format of the Open Referral UK standard.",
        "Audit": "For auditors: the audit log, and signed checkpoints.",
        "Operations": "Health and metrics.",
    },
}
TAGS = {tag: description for tags in GROUPS.values() for tag, description in tags.items()}
READERS = ("Raise a concern", "Read guidance", "Follow a concern", "Search and look up")
"""Tags for people who write a front end or explore the API."""
FILE_FORMS = (".csv", ".link", ".md", ".pdf")
COMMON_REFUSALS = ("400", "408", "413", "415", "500", "503")
REFUSALS_OF_A_READ = frozenset({"unknown-query", "repeated-query", "invalid-query", "internal-error", "busy"})
REFUSALS_OF_A_BODY = frozenset({"too-slow", "too-large", "not-json"})
"""They come with `unreadable-body`."""
REFUSED_NAME = "refused"
REFUSED = "Any other refusal, or a failure: `detail` says why."
WITH_CONTACTS = "-with-contacts"


def build_document(app: FastAPI, settings: Settings) -> JsonObject:
    document = _describe_routes(app, settings)
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _add_problems(path, method, operation, app.state.context.added.limits)
            _correct_parameters(operation, schemas)
            _add_body_example(operation, schemas)
            _correct_responses(path, method, operation, schemas)
    _add_webhooks(document)
    _name_schemas(document)
    _open_answers(document)
    _add_security(document, settings)
    document["paths"] = dict(sorted(document["paths"].items(), key=_place_of_path))
    document |= _changed(document, _correct_schema)
    _join_refusals(document)
    _share(document)
    _group(document, GROUPS)
    return document


def _describe_routes(app: FastAPI, settings: Settings) -> JsonObject:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=GUIDANCE.format(description=DESCRIPTION).strip(),
        contact={"name": settings.council_name, "url": settings.public_url},
        license_info={"name": "MIT License", "identifier": "MIT"},
        routes=app.routes,
        servers=[{"url": settings.public_url, "description": "This service."}],
    )
    if settings.commit is not None:
        document["info"]["x-commit"] = settings.commit
    problem = ProblemDetails.model_json_schema(mode="serialization", ref_template=SCHEMA_PREFIX + "{model}")
    schemas = problem.pop("$defs") | document["components"]["schemas"] | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _operations(document: JsonObject) -> list[JsonObject]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def _add_problems(path: str, method: str, operation: JsonObject, limits: Words) -> None:
    parameters, responses = operation.get("parameters", []), operation["responses"]
    names = {parameter["name"] for parameter in parameters}
    is_limited = policy_name(method.upper(), path, limits) is not None
    for kind, is_possible in (
        (ServiceUnavailable, not path.startswith(ALWAYS_ANSWERED)),
        (RequestTimeout, "requestBody" in operation),
        (RateLimited, is_limited),
        (InvalidCursor, names & {"cursor", "after"}),
        (InvalidMoment, "as_of" in names),
        (BadRequest, any(parameter["in"] == "header" for parameter in parameters)),
    ):
        if is_possible:
            added = problem_responses(kind)[kind.status]
            content = responses.setdefault(str(kind.status), added)["content"][PROBLEM_MEDIA_TYPE]
            content["examples"] |= added["content"][PROBLEM_MEDIA_TYPE]["examples"]
    for status, response in responses.items():
        is_shared = PROBLEM_MEDIA_TYPE in response.get("content", {}) or status in NAMES_OF_RESPONSES
        if is_limited or is_shared:  # with operations that have no limit, and send none
            headers = response.setdefault("headers", {})
            headers |= LIMIT_FIELDS if status != str(RateLimited.status) else LIMIT_FIELDS | RETRY_AFTER


def _correct_parameters(operation: JsonObject, schemas: JsonObject) -> None:
    for parameter in operation.get("parameters", []):
        options = [each for each in parameter["schema"].get("anyOf", []) if each != {"type": "null"}]
        schema = _without(parameter["schema"], {"title", "description", "anyOf"})
        if len(options) == 1:
            schema = _without(options[0], {"title", "description"}) | schema
        elif options:
            schema["anyOf"] = options
        parameter["schema"] = schema
        if parameter["required"]:
            parameter.setdefault("example", _build_example(schema, schemas))
            schema.pop("examples", None)


def _add_body_example(operation: JsonObject, schemas: JsonObject) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None and "examples" not in {*body, *body["schema"]}:
        body["example"] = _build_example(body["schema"], schemas)


def _correct_responses(path: str, method: str, operation: JsonObject, schemas: JsonObject) -> None:
    given = [each for each in operation.get("parameters", []) if each["required"]]
    query = urlencode({each["name"]: each["example"] for each in given if each["in"] == "query"})
    filled = path.format_map({each["name"]: each["example"] for each in given})
    self_link = f"{filled}{f'?{query}' if query else ''}" if method == "get" else None
    contacts = _emergency_contacts(schemas) if path.startswith(CONCERNS) else {}
    responses = sorted(operation["responses"].items())
    operation["responses"] = {status: each for status, each in responses if each.get("content") != DEFAULT_422}
    for response in operation["responses"].values():
        content = response.get("content", {})
        if response["description"] == UNDESCRIBED:
            response["description"] = _description_of(content, schemas)
        for media_type, sent in content.items():
            if media_type == PROBLEM_MEDIA_TYPE:
                for example in sent.get("examples", {}).values():
                    example["value"] = example["value"] | contacts
            elif "schema" in sent and media_type.endswith("json"):
                sent["example"] = _response_example(sent, schemas, self_link)


def _description_of(content: JsonObject, schemas: JsonObject) -> str:
    names = [each.get("schema", {}).get("$ref", "").removeprefix(SCHEMA_PREFIX) for each in content.values()]
    described = [schemas[name].get("description", "").partition("\n\n")[0] for name in names if name]
    return next(filter(None, described), f"The response as {' or '.join(content)}.")


def _correct_schema(schema: JsonObject) -> JsonObject:
    """FastAPI writes bounds of integers as floats; generators cannot compile a default that is an object."""
    if schema.get("type") == "integer":
        schema = schema | {name: int(schema[name]) for name in BOUNDS if name in schema}
    if "properties" in schema:
        schema = schema | {
            "properties": {name: _without(told, {"title"}) for name, told in schema["properties"].items()}
        }
    if isinstance(schema.get("default"), dict):
        schema = _without(schema, {"default"})
    match schema.get("anyOf"):
        case [{"type": str(kind)} as value, {"type": "null"}] if not ENUMERATED & set(value):
            schema = value | _without(schema, {"anyOf"}) | {"type": [kind, "null"]}
    if "anyOf" in schema and "description" in schema:
        said = {"description"} | ({"examples"} & set(schema))
        schema = schema | {"anyOf": [_without(each, said) for each in schema["anyOf"]]}
    return schema


def _without(schema: JsonObject, names: Set[str]) -> JsonObject:
    return {name: value for name, value in schema.items() if name not in names}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    def rename(inner: JsonObject) -> JsonObject:
        name = str(inner.get("$ref", "")).removeprefix(SCHEMA_PREFIX)
        return inner | {"$ref": SCHEMA_PREFIX + names[name]} if name in names else inner

    return _changed(part, rename)


def _changed(value: Any, change: Callable[[JsonObject], JsonObject]) -> Any:
    """Apply `change` to every JSON object in `value`, inner ones first; not to examples, nor to `properties` itself."""
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    members = {
        name: inner
        if name in ("example", "examples")
        else {key: _changed(field, change) for key, field in inner.items()}
        if name == "properties"
        else _changed(inner, change)
        for name, inner in value.items()
    }
    return change(members)


def _response_example(sent: JsonObject, schemas: JsonObject, self_link: str | None) -> Any:
    example = _build_example(sent["schema"], schemas)
    if "example" in sent:
        example = _override(example, sent["example"])
    if self_link is not None and example.get("links"):  # the response of a search has no links
        example["links"] = example["links"] | {"self": self_link}
    return example


def _override(built: Any, override: Any) -> Any:
    """Merge objects by member, lists by entry up to the shorter one. An empty object replaces."""
    if isinstance(override, dict) and override and isinstance(built, dict):
        return built | {name: _override(built.get(name), value) for name, value in override.items()}
    if isinstance(override, list) and isinstance(built, list):
        return [_override(before, after) for before, after in zip(built, override, strict=False)]
    return override


def _emergency_contacts(schemas: JsonObject) -> JsonObject:
    properties = schemas["Problem"]["properties"]
    return {
        name: [
            {member: value for member, value in each.items() if value and member != "audience"}
            for each in _build_example(properties[name], schemas)
        ]
        for name in ("signposts", "contacts")
    }


def _build_example(schema: JsonObject, schemas: JsonObject) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _build_example(schemas[schema["$ref"].removeprefix(SCHEMA_PREFIX)], schemas)
    if "anyOf" in schema:
        return _build_example(schema["anyOf"][0], schemas)
    if "items" in schema:
        return [_build_example(schema["items"], schemas)]
    if "properties" in schema:
        return {name: _build_example(member, schemas) for name, member in schema["properties"].items()}
    return schema.get("const", next(iter(schema.get("enum", [])), None))


def _name_schemas(document: JsonObject) -> None:
    """`X-Output` becomes `X`, `X-Input` becomes `XInput`."""
    schemas = document["components"]["schemas"]
    names = {name: name.removesuffix("-Output").replace("-Input", INPUT) for name in schemas}
    document["components"]["schemas"] = {
        names[name]: _without(schema, {"title"} if schema.get("title") == name.partition("-")[0] else set())
        for name, schema in schemas.items()
    }
    document |= _renamed(document, names)


def _open_answers(document: JsonObject) -> None:
    """Let the schemas of responses allow further fields and values, in place.

    Requests that share one refer to a strict copy, `...Input`. Examples of a field go if a response shows it.
    """
    schemas, operations = document["components"]["schemas"], _operations(document)
    inputs = [operation[part] for operation in operations for part in INPUTS if part in operation]
    outputs = [*(operation["responses"] for operation in operations), document["webhooks"]]
    requested, answered = _reached(inputs, schemas), _reached(outputs, schemas)
    strict = {name: name + INPUT for name in requested & answered if _is_closed(name, schemas)}
    shown = {at for place in outputs for at in _fields_shown(place, schemas)}
    described = {twin: _renamed(schemas[name], strict) for name, twin in strict.items()}
    for name, schema in schemas.items():
        if name not in answered:
            described[name] = _renamed(schema, strict)
        elif name in requested - strict.keys():
            described[name] = schema
        else:
            described[name] = _without_shown(name, _opened(schema), shown)
    document["components"]["schemas"] = dict(sorted(described.items()))
    for operation in operations:
        operation |= {part: _renamed(operation[part], strict) for part in INPUTS if part in operation}
        operation["responses"] = _opened(operation["responses"])


def components_of(places: list[Any], components: JsonObject) -> set[tuple[str, str]]:
    """Return kind and name of each component, also of those referred to indirectly."""
    reached: set[tuple[str, str]] = set()
    waiting = list(places)
    while waiting:
        for pointer in _pointers(waiting.pop()):
            kind, name = pointer.split("/")[-2:]
            if kind in components and (kind, name) not in reached:
                reached.add((kind, name))
                waiting.append(components[kind][name])
    return reached


def _reached(places: list[Any], schemas: JsonObject) -> set[str]:
    return {name for _, name in components_of(places, {"schemas": schemas})}


def _pointers(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pointers(inner)


def _is_closed(name: str, schemas: JsonObject) -> bool:
    return any(schemas[each] != _opened(schemas[each]) for each in {name, *_reached([schemas[name]], schemas)})


def _opened(schema: JsonObject) -> Any:
    return _changed(schema, _open)


def _open(schema: JsonObject) -> JsonObject:
    if schema.get("additionalProperties") is False:
        schema = _without(schema, {"additionalProperties"})
    is_constant = "const" in schema and schema.get("type") == "string"
    values = [schema["const"]] if is_constant else schema.get("enum")
    return _without(schema, {"enum", "const"}) | {EXTENSIBLE_ENUM: values} if isinstance(values, list) else schema


def _fields_shown(place: Any, schemas: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield schema and field of each."""
    if isinstance(place, dict) and "schema" in place:
        for example in (place.get("example"), *(each["value"] for each in place.get("examples", {}).values())):
            yield from _fields_given("", place["schema"], example, schemas)
    for inner in place.values() if isinstance(place, dict) else ():
        yield from _fields_shown(inner, schemas)


def _fields_given(name: str, schema: JsonObject, value: Any, schemas: JsonObject) -> Iterator[tuple[str, str]]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMA_PREFIX)
        schema = schemas[name]
    for option in schema.get("anyOf", ()):
        yield from _fields_given(name, option, value, schemas)
    for inner in value if isinstance(value, list) else ():
        yield from _fields_given(name, schema.get("items", {}), inner, schemas)
    for field, inner in value.items() if isinstance(value, dict) else ():
        if field in schema.get("properties", {}) and inner is not None:
            yield name, field
            yield from _fields_given("", schema["properties"][field], inner, schemas)


def _without_shown(name: str, schema: JsonObject, shown: set[tuple[str, str]]) -> JsonObject:
    fields = {
        field: _without_examples(told) if (name, field) in shown else told
        for field, told in schema.get("properties", {}).items()
    }
    return _without_examples(schema) | {"properties": fields} if name in dict(shown) else schema


def _without_examples(part: Any) -> Any:
    return _changed(part, lambda schema: _without(schema, {"examples"}))


def _add_security(document: JsonObject, settings: Settings) -> None:
    """Set `security` of each operation: the credentials that it accepts, or an empty list for none."""
    if settings.openid_issuer is not None:
        document["components"]["securitySchemes"][OPENID] = {
            "type": "openIdConnect",
            "openIdConnectUrl": settings.openid_issuer.rstrip("/") + CONFIGURATION,
            "description": "An access token of the council's OpenID provider, with the scope.",
        }
    for operation in _operations(document):
        requirements = [each for each in operation.get("security", []) if each or settings.anonymous_concerns]
        if settings.openid_issuer is not None:
            requirements += [{OPENID: each[CLIENT_KEY]} for each in requirements if CLIENT_KEY in each]
        operation["security"] = requirements


def _add_webhooks(document: JsonObject) -> None:
    schemas = document["components"]["schemas"]
    for model in EVENT_DATA.values():
        schemas[model.__name__] = _webhook_schema(model)
    envelope = _webhook_schema(EventResponse)
    for kind in EventKind:
        name = f"{re.sub(r'[._]', '', kind.value.title())}Event"
        schemas[name] = _event_schema(envelope, kind, name)
        document.setdefault("webhooks", {})[kind.value] = {"post": _webhook(kind, name, schemas)}


def _webhook_schema(model: Any) -> JsonObject:
    schema: JsonObject = model.model_json_schema(mode="serialization", ref_template=SCHEMA_PREFIX + "{model}")
    schema.pop("$defs", None)  # the document has these schemas already
    return schema


def _event_schema(envelope: JsonObject, kind: EventKind, name: str) -> JsonObject:
    own = {
        "type": {"type": "string", "const": kind.value, "description": "What happened.", "examples": [kind.value]},
        "data": {
            "$ref": SCHEMA_PREFIX + EVENT_DATA[kind.value.partition(".")[0]].__name__,
            "description": "Data of the event.",
        },
    }
    return envelope | {"title": name, "description": kind.meaning, "properties": envelope["properties"] | own}


def _webhook(kind: EventKind, name: str, schemas: JsonObject) -> JsonObject:
    body = {"$ref": SCHEMA_PREFIX + name}
    return {
        "tags": [WEBHOOKS],
        "summary": f"Receive {kind.value}",
        "description": kind.meaning,
        "operationId": f"receive_{kind.value.replace('.', '_')}",
        "security": [],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
                "example": example,
            }
            for header, (description, example) in DELIVERY_HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": body, "example": _build_example(body, schemas)}},
        },
        "responses": DELIVERY_RESPONSES,
    }


def _join_refusals(document: JsonObject) -> None:
    """Show the common refusals of each operation as one response, so that a reader can choose from their examples."""
    for operation in _operations(document):
        kept: JsonObject = {}
        joined: JsonObject = {}
        for status, response in operation["responses"].items():
            problem = response.get("content", {}).get(PROBLEM_MEDIA_TYPE)
            if problem is None or status not in COMMON_REFUSALS:
                kept[status] = response
            else:
                joined |= problem["examples"]
        sent = {"schema": {"$ref": f"{SCHEMA_PREFIX}Problem"}, "examples": joined}
        kept["default"] = {"description": REFUSED, "headers": dict(LIMIT_FIELDS), "content": {PROBLEM_MEDIA_TYPE: sent}}
        operation["responses"] = kept


def _share(document: JsonObject) -> None:
    """Move headers, examples, repeated parameters and results, problems and 304s into `components`.

    Names follow from the components themselves, so that adding a route changes none. Raise `ValueError` if two would
    share one.
    """
    components = document["components"]
    described = [(path, each) for path, methods in document["paths"].items() for each in methods.values()]
    described += [("", each["post"]) for each in document["webhooks"].values()]
    uses = Counter(map(repr, (each for _, operation in described for each in operation.get("parameters", []))))
    for path, operation in described:
        parameters = operation.get("parameters", [])
        parameters[:] = [
            _shared(components, "parameters", _name_of_parameter(path, each), each) if uses[repr(each)] > 1 else each
            for each in parameters
        ]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            _share_examples(components, content)
        for status, response in operation["responses"].items():
            for name, field in response.get("headers", {}).items():
                response["headers"][name] = _shared(components, "headers", name, field)
            problem = response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {})
            names = _share_examples(components, problem)
            if name := NAMES_OF_RESPONSES.get(status) or ".".join(_names_of_refusals(names, status)):
                operation["responses"][status] = _shared(components, "responses", name, response)
    _share_results(components, [operation for _, operation in described])


def _share_results(components: JsonObject, operations: list[JsonObject]) -> None:
    """Move each result of several operations too, named after the first."""
    results = [(each, status, repr(result)) for each in operations for status, result in each["responses"].items()]
    uses, names = Counter(result for *_, result in results), dict[str, str]()
    for operation, status, result in results:
        response = operation["responses"][status]
        if "$ref" not in response and uses[result] > 1:
            name = names.setdefault(result, f"{operation['operationId']}.{status}")
            operation["responses"][status] = _shared(components, "responses", name, response)


def _name_of_parameter(path: str, parameter: JsonObject) -> str:
    """Return, for example, `guides.guide.editions.number` (the path before it) or `limit.50` (its default)."""
    if parameter["in"] != "path":
        default, name = parameter["schema"].get("default"), str(parameter["name"])
        return name if default is None else f"{name}.{str(default).lower()}"
    before, _, _ = path.partition(f"{{{parameter['name']}}}")
    steps = [step.strip("{}") for step in before.split("/") if step not in ("", "v1")]
    return ".".join([*steps, parameter["name"]])


def _share_examples(components: JsonObject, content: JsonObject) -> list[str]:
    examples, names = content.get("examples", {}), []
    for name, example in examples.items():
        names.append(_named(name, example))
        examples[name] = _shared(components, "examples", names[-1], example)
    return names


def _names_of_refusals(names: list[str], status: str) -> list[str]:
    """The common refusals are named by how they differ from those of a plain read."""
    if status != "default":
        return names
    kinds = {name.removesuffix(WITH_CONTACTS) for name in names}
    ending = WITH_CONTACTS if names[0].endswith(WITH_CONTACTS) else ""
    return [f"{REFUSED_NAME}{ending}", *sorted((kinds ^ REFUSALS_OF_A_READ) - REFUSALS_OF_A_BODY)]


def _named(name: str, example: JsonObject) -> str:
    has_contacts = isinstance(example["value"], dict) and "signposts" in example["value"]
    return f"{name}{WITH_CONTACTS}" if has_contacts else name


def _shared(components: JsonObject, kind: str, name: str, part: JsonObject) -> JsonObject:
    if components.setdefault(kind, {}).setdefault(name, part) != part:
        raise ValueError(f"two different {kind} have the name {name}")
    return {"$ref": f"#/components/{kind}/{name}"}


def _place_of_path(described: tuple[str, JsonObject]) -> tuple[int, bool, int]:
    path, methods = described
    place = min(list(TAGS).index(tag) for operation in methods.values() for tag in operation["tags"])
    return place, path.endswith(FILE_FORMS), min(path.count("/"), 4)


def _group(document: JsonObject, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Add `x-tagGroups` too, which documentation tools read."""
    described = (document["paths"] | document.get("webhooks", {})).values()
    used = {tag for methods in described for operation in methods.values() for tag in operation["tags"]}
    kept = {name: {tag: text for tag, text in tags.items() if tag in used} for name, tags in groups.items()}
    document["tags"] = [{"name": tag, "description": text} for tags in kept.values() for tag, text in tags.items()]
    document["x-tagGroups"] = [{"name": name, "tags": list(tags)} for name, tags in kept.items() if tags]


def build_readers_document(document: JsonObject) -> JsonObject:
    """Keep the operations of `READERS`, and only the components that they use."""
    tags = {tag for group in READERS for tag in GROUPS[group]}
    paths = {
        path: kept
        for path, methods in document["paths"].items()
        if (kept := {method: each for method, each in methods.items() if tags.issuperset(each["tags"])})
    }
    part = {name: value for name, value in document.items() if name != "webhooks"} | {"paths": paths}
    part["components"] = _used_components(part, document["components"])
    part["externalDocs"] = {
        "description": "The whole API: for the desk, editors, operators and other systems too.",
        "url": f"{document['servers'][0]['url']}/openapi.json",
    }
    _group(part, {name: GROUPS[name] for name in READERS})
    return part


def _used_components(part: JsonObject, components: JsonObject) -> JsonObject:
    used = components_of([part["paths"]], components)
    used |= {("securitySchemes", name) for each in _operations(part) for way in each["security"] for name in way}
    kept: JsonObject = {
        kind: found
        for kind, parts in components.items()
        if (found := {name: each for name, each in parts.items() if (kind, name) in used})
    }
    schemas = kept["schemas"]
    for name in _reached([each.get("requestBody") for each in _operations(part)], schemas):
        if fields := schemas[name].get("properties"):
            plain = {field: _without_examples(told) for field, told in fields.items()}
            schemas[name] = schemas[name] | {"properties": plain}
    return kept
