"""The OpenAPI document: FastAPI's own, true to the responses that are really sent, and open where answers may grow.

No example of a response is written by hand. The first examples of a model's fields together describe one entry of the
shipped guide, so an example is built from the fields' examples. A route overrides only what its model cannot know
(`response_example`). A test compares each example with the real response.

New members and new values may come in answers, and no generated client breaks by them. Requests stay strict. A schema
that both use is described twice: under its own name for answers, and with `Input` added for requests.

What several operations have in common stands once, in `components`: problems and their examples, parameters, headers.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.config import DESCRIPTION, Settings
from app.errors import (
    BadRequest,
    InvalidCursor,
    InvalidMoment,
    Problem,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
)
from app.http.middleware import ALWAYS_ANSWERED, FIELD, POLICY_FIELD, policy_name
from app.http.negotiation import JSON
from app.http.problems import PROBLEM_MEDIA_TYPE, problem_responses
from app.models.events import EVENT_DATA, EventKind, EventResponse
from app.models.links import CONCERNS
from app.models.problems import ProblemDetails

JsonObject = dict[str, Any]

SCHEMA_PREFIX = "#/components/schemas/"
EXTENSIBLE_ENUM = "x-extensible-enum"
"""The known values of a string: others may come. Zalando's guidelines name it so, and tools know it."""
INPUT = "Input"
INPUTS = ("requestBody", "parameters")
CLIENT_KEY = "ClientKey"
OPENID = "OpenID"
CONFIGURATION = "/.well-known/openid-configuration"
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
OWN_MEDIA_TYPES = {f"{SCHEMA_PREFIX}JsonFeed": "application/feed+json"}
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
DEFAULT_422 = {"$ref": f"{SCHEMA_PREFIX}HTTPValidationError"}
NAMES_OF_RESPONSES = {"304": "not-modified"}
UNDESCRIBED = "Successful Response"
"""What FastAPI says of an answer that no route describes."""
GROUPS = {
    "Read guidance": {
        "Guides": "Current editions of the guides.",
        "Across guides": "Lists across every guide, and search.",
        "Feeds": "Feeds of publications and withdrawals.",
        "Reference": "The index, signposts, code lists, problem types, and the keys that verify receipts.",
    },
    "Read every edition and language": {
        "Editions": "Numbered editions, which never change, and the differences between them.",
        "Renditions": "Guides in other languages and formats: translations, easy read, large print, films, recordings.",
    },
    "Raise a concern": {"Concerns": "Get the form, check and raise a concern."},
    "Follow a concern": {"Follow-up": "For reporters, with the code of the receipt: status, messages and additions."},
    "Work at the desk": {"Desk": "For the duty team: the inbox, and reading and handling concerns."},
    "Write guides": {
        "Drafts": "For editors: drafts, and their publication by a second person.",
        "Publishing": "For publishers: publish and withdraw editions and renditions; reviews due.",
    },
    "Operate and connect": {
        "Events": "Event feed for other systems (pull): references, times and links only.",
        "Webhooks": "Events for other systems (push): what the service sends to a receiver.",
        "Open Referral UK": "The guides' contacts in the format of the Open Referral UK standard.",
        "Audit": "For auditors: the audit log, and signed checkpoints.",
        "Operations": "Health and metrics.",
    },
}
"""The tags, by what people do."""
TAGS = {tag: description for tags in GROUPS.values() for tag, description in tags.items()}
READERS = ("Read guidance", "Raise a concern", "Follow a concern")
"""The groups of the readers' document: what a front end and a person who explores the API need."""
COMMON_REFUSALS = ("400", "408", "413", "415", "500", "503")
"""What any operation may answer: in the readers' document these are one response, under `4XX` and `5XX`."""
REFUSED_NAME = "refused"
REFERENCE_TO_REFUSED = {"$ref": f"#/components/responses/{REFUSED_NAME}"}
REFUSED = {
    "description": "Any other refusal, or a failure: `detail` says in a sentence what is wrong.",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": f"{SCHEMA_PREFIX}Problem"}}},
}
WEBHOOKS = "Webhooks"
FILE_FORMS = (".csv", ".link", ".md", ".pdf")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
GUIDANCE = """
{description}

**In immediate danger call 999.** This API never scores a child: indicators have no levels, counts or ranks, and
every response with indicators or factors includes their cautions.

Reads are open to everyone and may be cached. Errors are problem details (RFC 9457). `/v1` may get new keys;
existing keys are never renamed or removed. Only keys whose schema allows null can become null, and lists with
`minItems` are never empty.
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
    )
    if settings.commit is not None:
        document["info"]["x-commit"] = settings.commit
    problem = ProblemDetails.model_json_schema(mode="serialization", ref_template=SCHEMA_PREFIX + "{model}")
    schemas = document["components"]["schemas"] = dict(
        sorted((problem.pop("$defs") | document["components"]["schemas"] | {"Problem": problem}).items())
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_middleware_responses(path, method, operation)
            _add_parameter_problems(operation)
            _correct_parameters(operation)
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
    document["paths"] = dict(sorted(document["paths"].items(), key=_place_of_path))
    document["components"]["schemas"] = {
        name: {key: value for key, value in schema.items() if (key, value) != ("title", name)}
        for name, schema in _changed(document["components"]["schemas"], _without_repeats).items()
    }
    _share(document)
    exact: JsonObject = _changed(document, _with_exact_bounds)
    _group(exact, GROUPS)
    return exact


def build_readers_document(document: JsonObject) -> JsonObject:
    """Return the part of the document that reads guidance, raises a concern and follows it, with what it refers to."""
    tags = {tag for group in READERS for tag in GROUPS[group]}
    paths = {
        path: kept
        for path, methods in document["paths"].items()
        if (kept := {method: dict(each) for method, each in methods.items() if tags.issuperset(each["tags"])})
    }
    part = {name: value for name, value in document.items() if name != "webhooks"} | {"paths": paths}
    for operation in _operations(part):
        refused = {status: each for status, each in operation["responses"].items() if status not in COMMON_REFUSALS}
        operation["responses"] = refused | dict.fromkeys(("4XX", "5XX"), REFERENCE_TO_REFUSED)
    components = document["components"] | {"responses": {REFUSED_NAME: REFUSED} | document["components"]["responses"]}
    used = _components_of([paths], components)
    used |= {("securitySchemes", name) for each in _operations(part) for way in each["security"] for name in way}
    part["components"] = {
        kind: found
        for kind, parts in components.items()
        if (found := {name: each for name, each in parts.items() if (kind, name) in used})
    }
    schemas = part["components"]["schemas"]
    for name in _reached([each.get("requestBody") for each in _operations(part)], schemas):
        fields = schemas[name].get("properties", {})
        shown = {field: _changed(told, _without_examples) for field, told in fields.items()}
        schemas[name] = schemas[name] | ({"properties": shown} if fields else {})
    part["externalDocs"] = {
        "description": "The whole API: for the desk, editors, operators and other systems too.",
        "url": f"{document['servers'][0]['url']}/openapi.json",
    }
    _group(part, {name: GROUPS[name] for name in READERS})
    return part


def _place_of_path(described: tuple[str, JsonObject]) -> tuple[int, bool, int]:
    """Return the place of a path: by its tag; what is read first comes first, and other forms of a file come last."""
    path, methods = described
    place = min(list(TAGS).index(tag) for operation in methods.values() for tag in operation["tags"])
    return place, path.endswith(FILE_FORMS), min(path.count("/"), 4)


def _group(document: JsonObject, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Describe the tags of these groups, and the groups as documentation tools know them."""
    tags = {tag: description for each in groups.values() for tag, description in each.items()}
    document["tags"] = [{"name": name, "description": description} for name, description in tags.items()]
    document["x-tagGroups"] = [{"name": name, "tags": list(each)} for name, each in groups.items()]


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


def _correct_parameters(operation: JsonObject) -> None:
    """Describe each parameter as it is sent: one that may be left out is never null, and says its meaning once."""
    for parameter in operation.get("parameters", []):
        said = ("title", "description")
        schema = {name: value for name, value in parameter["schema"].items() if name not in said}
        options = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
        if len(options) > 1:
            schema["anyOf"] = options
        for option in options[:1] if len(options) == 1 else ():
            schema = {name: value for name, value in option.items() if name not in said} | schema
        parameter["schema"] = schema


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


# Examples


def add_request_examples(operation: JsonObject, schemas: JsonObject) -> None:
    """Copy the example of each path parameter to where documentation pages look for it. Add an example of the body."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("example", build_example(parameter["schema"], schemas))
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None and "examples" not in {*body, *body["schema"]}:
        body["example"] = build_example(body["schema"], schemas)


def example_path(path: str, operation: JsonObject) -> str:
    """Return the path with the examples of its parameters."""
    examples = {each["name"]: each["example"] for each in operation.get("parameters", []) if each["in"] == "path"}
    return path.format_map(examples)


def add_response_examples(operation: JsonObject, schemas: JsonObject, *, self_link: str | None) -> None:
    """Add an example to each JSON response. In the example of a read, the link `self` is the read's own path."""
    for response in operation["responses"].values():
        for media_type, content in response.get("content", {}).items():
            if "schema" not in content or media_type == PROBLEM_MEDIA_TYPE or not media_type.endswith("json"):
                continue
            example = build_example(content["schema"], schemas)
            if "example" in content:
                example = _override(example, content["example"])
            if self_link is not None and "links" in example:
                example["links"] = example["links"] | {"self": self_link}
            content["example"] = example


def _override(built: Any, override: Any) -> Any:
    """Return the built example with the route's own values put in."""
    if isinstance(override, dict) and override and isinstance(built, dict):
        return built | {name: _override(built.get(name), value) for name, value in override.items()}
    if isinstance(override, list) and isinstance(built, list):
        return [_override(before, after) for before, after in zip(built, override, strict=False)]
    return override


def add_emergency_contacts(responses: JsonObject, schemas: JsonObject) -> None:
    """Add the signposts and the guide's contacts to the problem examples of a path of concerns, as in real problems."""
    properties = schemas["Problem"]["properties"]
    contacts = {
        name: [
            {member: value for member, value in each.items() if value}  # what says nothing would stand here 28 times
            for each in build_example(properties[name], schemas)
        ]
        for name in ("signposts", "contacts")
    }
    for response in responses.values():
        for example in response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {}).get("examples", {}).values():
            example["value"] = example["value"] | contacts


def build_example(schema: JsonObject, schemas: JsonObject) -> Any:
    """Return the schema's first example, or build one from the examples of its properties and items."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return build_example(schemas[schema["$ref"].removeprefix(SCHEMA_PREFIX)], schemas)
    if "anyOf" in schema:
        return build_example(schema["anyOf"][0], schemas)
    if "items" in schema:
        return [build_example(schema["items"], schemas)]
    if "properties" in schema:
        return {name: build_example(member, schemas) for name, member in schema["properties"].items()}
    return schema.get("const", next(iter(schema.get("enum", [])), None))


# Answers that may grow, and requests that are strict


def name_twins(document: JsonObject) -> JsonObject:
    """Return the document with the names `X` and `XInput` for what FastAPI calls `X-Output` and `X-Input`."""
    schemas = document["components"]["schemas"]
    names = {name: name.removesuffix("-Output").replace("-Input", INPUT) for name in schemas}
    titled = {
        names[name]: schema if names[name] == name else schema | {"title": names[name]}
        for name, schema in schemas.items()
    }
    components = document["components"] | {"schemas": titled}
    renamed: JsonObject = _renamed(document | {"components": components}, names)
    return renamed


def open_answers(document: JsonObject) -> None:
    """Open each schema of an answer, and describe again, as it was, each that requests use too.

    A field of an answer keeps examples of its own only where no example of an answer shows it.
    """
    schemas = document["components"]["schemas"]
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    inputs = [operation[part] for operation in operations for part in INPUTS if part in operation]
    outputs = [operation["responses"] for operation in operations]
    outputs.append(document.get("webhooks", {}))
    requested, answered = _reached(inputs, schemas), _reached(outputs, schemas)
    strict = {name: name + INPUT for name in requested & answered if _is_closed(name, schemas)}
    copies = {twin: _renamed(schemas[name], strict) | {"title": twin} for name, twin in strict.items()}
    for name in requested - answered:
        schemas[name] = _renamed(schemas[name], strict)
    for name in answered:
        schemas[name] = _opened(schemas[name])
    shown = {at for place in outputs for at in _fields_shown(place, schemas)}
    for name in answered - (requested - strict.keys()):
        schemas[name] = _without_shown(name, schemas[name], shown)
    document["components"]["schemas"] = dict(sorted((schemas | copies).items()))
    for operation in operations:
        for part in INPUTS:
            if part in operation:
                operation[part] = _renamed(operation[part], strict)
        operation["responses"] = _opened(operation["responses"])


def _components_of(places: list[Any], components: JsonObject) -> set[tuple[str, str]]:
    """Return kind and name of all components of these kinds that are reached from there."""
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
    """Return the names of all schemas that are reached from there."""
    return {name for _, name in _components_of(places, {"schemas": schemas})}


def _pointers(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pointers(inner)


def _is_closed(name: str, schemas: JsonObject) -> bool:
    """Return True if the schema, or any that it is made of, would change by being opened."""
    return any(schemas[each] != _opened(schemas[each]) for each in {name, *_reached([schemas[name]], schemas)})


def _opened(schema: JsonObject) -> Any:
    """Return a copy that forbids no further members, and takes other values than the known ones."""
    return _changed(schema, _open)


def _open(schema: JsonObject) -> JsonObject:
    if schema.get("additionalProperties") is False:
        schema = {name: value for name, value in schema.items() if name != "additionalProperties"}
    if "const" in schema and schema.get("type") == "string":
        schema = schema | {"enum": [schema["const"]]}
    if isinstance(schema.get("enum"), list):
        kept = {name: value for name, value in schema.items() if name not in ("enum", "const")}
        return kept | {EXTENSIBLE_ENUM: schema["enum"]}
    return schema


def _fields_shown(place: Any, schemas: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield each field that an example there gives a value, as the name of its schema and its own."""
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
    """Return the schema without its own examples, where it is shown, and without those of the fields that are."""
    fields = {
        field: _changed(told, _without_examples) if (name, field) in shown else told
        for field, told in schema.get("properties", {}).items()
    }
    return _without_examples(schema) | {"properties": fields} if name in dict(shown) else schema


def _without_examples(schema: JsonObject) -> JsonObject:
    return {name: value for name, value in schema.items() if name != "examples"}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Return a copy that refers by its other name to each schema that has one."""

    def rename(inner: JsonObject) -> JsonObject:
        name = str(inner.get("$ref", "")).removeprefix(SCHEMA_PREFIX)
        return inner | {"$ref": SCHEMA_PREFIX + names[name]} if name in names else inner

    return _changed(part, rename)


def _changed(value: Any, change: Callable[[JsonObject], JsonObject]) -> Any:
    """Return a copy in which every object has been changed. Examples, and the names of properties, are left alone."""
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


# Who may call, and what is pushed


def add_security(document: JsonObject, settings: Settings) -> None:
    """Say of every operation who may call it: `[]` is anyone. Where an OpenID provider is set, its tokens count too."""
    if settings.openid_issuer is not None:
        document["components"]["securitySchemes"][OPENID] = {
            "type": "openIdConnect",
            "openIdConnectUrl": settings.openid_issuer.rstrip("/") + CONFIGURATION,
            "description": "An access token of the council's OpenID provider, with the scope.",
        }
    for methods in document["paths"].values():
        for operation in methods.values():
            requirements = [each for each in operation.get("security", []) if each or settings.anonymous_concerns]
            if settings.openid_issuer is not None:
                requirements += [{OPENID: each[CLIENT_KEY]} for each in requirements if CLIENT_KEY in each]
            operation["security"] = requirements


def add_webhooks(document: JsonObject) -> None:
    """Add a webhook for every kind of event, and the schemas of what is pushed."""
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
    schema.pop("$defs", None)  # the document has them
    return schema


def _event_schema(envelope: JsonObject, kind: EventKind, name: str) -> JsonObject:
    """Return the schema of the event: the envelope, with this type and its own data."""
    own = {
        "type": {"type": "string", "const": kind.value, "description": "What happened.", "examples": [kind.value]},
        "data": {
            "$ref": SCHEMA_PREFIX + EVENT_DATA[kind.value.partition(".")[0]].__name__,
            "description": "Data of the checkpoint.",
        },
    }
    return envelope | {"title": name, "description": kind.meaning, "properties": envelope["properties"] | own}


def _webhook(kind: EventKind, name: str, schemas: JsonObject) -> JsonObject:
    body = {"$ref": SCHEMA_PREFIX + name}
    return {
        "tags": [WEBHOOKS],
        "summary": f"Receive {kind.value}",
        "description": f"{kind.meaning} Signed according to Standard Webhooks 1.0, and retried until received.",
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
        "requestBody": {"required": True, "content": {JSON: {"schema": body, "example": build_example(body, schemas)}}},
        "responses": DELIVERY_RESPONSES,
    }


# What stands once


def _share(document: JsonObject) -> None:
    """Put what operations have in common into `components`, and refer to it."""
    components = document["components"]
    for operation in [*_operations(document), *(each["post"] for each in document["webhooks"].values())]:
        parameters = operation.get("parameters", [])
        parameters[:] = [_shared(components, "parameters", each["name"], each) for each in parameters]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            _share_examples(components, content)
        for status, response in operation["responses"].items():
            for name, field in response.get("headers", {}).items():
                response["headers"][name] = _shared(components, "headers", name, field)
            problem = response.get("content", {}).get(PROBLEM_MEDIA_TYPE, {})
            _share_examples(components, problem)
            name = next(iter(problem.get("examples", {})), NAMES_OF_RESPONSES.get(status))
            if name is not None:
                operation["responses"][status] = _shared(components, "responses", name, response)


def _share_examples(components: JsonObject, content: JsonObject) -> None:
    for name, example in content.get("examples", {}).items():
        content["examples"][name] = _shared(components, "examples", name, example)


def _shared(components: JsonObject, kind: str, name: str, part: JsonObject) -> JsonObject:
    """Return the reference to that part, under its name or, where another part has it, under the name with a number."""
    found = components.setdefault(kind, {})
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    free = next(each for each in names if found.setdefault(each, part) == part)
    return {"$ref": f"#/components/{kind}/{free}"}


def _operations(document: JsonObject) -> list[JsonObject]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def _without_repeats(schema: JsonObject) -> JsonObject:
    """Return the schema without the titles that pydantic makes of names, and without what its members say already."""
    if "properties" in schema:
        plain = {
            name: {key: value for key, value in each.items() if key != "title"}
            for name, each in schema["properties"].items()
        }
        schema = schema | {"properties": plain}
    if "anyOf" in schema and "description" in schema:
        said = {"description"} | ({"examples"} & set(schema))
        options = [{key: value for key, value in each.items() if key not in said} for each in schema["anyOf"]]
        schema = schema | {"anyOf": options}
    return schema


def _with_exact_bounds(schema: JsonObject) -> JsonObject:
    """Return the schema of an integer with integer bounds: FastAPI reads every bound as a float."""
    if schema.get("type") != "integer":
        return schema
    return schema | {name: int(schema[name]) for name in BOUNDS if name in schema}
