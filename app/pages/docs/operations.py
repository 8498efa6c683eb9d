"""Operations of the OpenAPI document for people to read, with parameters, fields, responses and examples."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.web.openapi.answers import EXTENSIBLE_ENUM
from app.web.openapi.examples import SCHEMA_PREFIX, JsonObject

FIRST_ERROR = 400
MAX_DEPTH = 6
RESPONSE_DEPTH = 3
"""How deep the fields of a response are listed: the entries of its lists, and what these have."""


@dataclass(frozen=True)
class DocumentedField:
    """A field of a body, or a parameter."""

    name: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class OperationResponse:
    """A response: its status, the problems of an error, or the fields and an example of a success."""

    status: str
    description: str
    problems: tuple[str, ...] = ()
    example: str = ""
    fields: tuple[DocumentedField, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    callers: str
    parameters: tuple[DocumentedField, ...]
    body: tuple[DocumentedField, ...]
    body_examples: tuple[tuple[str, str], ...]
    responses: tuple[OperationResponse, ...]


def operations_by_tag(document: JsonObject) -> list[tuple[str, str, list[Operation]]]:
    """Return each tag with its description and its operations."""
    return [
        (
            tag["name"],
            tag["description"],
            [
                _operation(document, path, method, operation)
                for path, methods in document["paths"].items()
                for method, operation in methods.items()
                if tag["name"] in operation.get("tags", ())
            ],
        )
        for tag in document["tags"]
    ]


def find_operation(document: JsonObject, id_: str) -> Operation | None:
    """Return the operation with that id, or None."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == id_:
                return _operation(document, path, method, operation)
    return None


def _operation(document: JsonObject, path: str, method: str, operation: JsonObject) -> Operation:
    schemas = document["components"]["schemas"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        callers=_callers(operation.get("security", [])),
        parameters=tuple(_parameter(each, schemas) for each in operation.get("parameters", ())),
        body=tuple(_fields(body.get("schema", {}), schemas)),
        body_examples=tuple(_examples(body)),
        responses=tuple(_response(status, response, schemas) for status, response in operation["responses"].items()),
    )


def _callers(security: list[JsonObject]) -> str:
    """Return who may call the operation."""
    schemes = [name for each in security for name in each]
    scopes = [scope for each in security for scope in each.get("ClientKey", ())]
    if not schemes:
        return "Anyone"
    if "StatusToken" in schemes:
        return "Anyone with the status token of the concern"
    return f"Clients with the scope {scopes[0]}" if scopes else "Anyone, or a client with its key"


def _parameter(parameter: JsonObject, schemas: JsonObject) -> DocumentedField:
    return DocumentedField(
        name=f"{parameter['name']} ({parameter['in']})",
        type=_type_name(parameter["schema"], schemas),
        is_required=parameter.get("required", False),
        description=parameter.get("description", ""),
    )


def _response(status: str, response: JsonObject, schemas: JsonObject) -> OperationResponse:
    content = response.get("content", {})
    if int(status) >= FIRST_ERROR:
        problems = [each["summary"] for body in content.values() for each in body.get("examples", {}).values()]
        return OperationResponse(status, response["description"], problems=tuple(problems))
    body: JsonObject = next(iter(content.values()), {})
    example = body.get("example", "")
    return OperationResponse(
        status,
        response["description"],
        example=example if isinstance(example, str) else _pretty(example),
        fields=tuple(_fields(body.get("schema", {}), schemas, depth=RESPONSE_DEPTH)),
    )


def _examples(body: JsonObject) -> Iterator[tuple[str, str]]:
    if "example" in body:
        yield "Example", _pretty(body["example"])
    for each in body.get("examples", {}).values():
        yield each["summary"], _pretty(each["value"])
    for value in body.get("schema", {}).get("examples", ()):
        yield "Example", _pretty(value)


def _fields(
    schema: JsonObject, schemas: JsonObject, prefix: str = "", *, depth: int = MAX_DEPTH
) -> Iterator[DocumentedField]:
    """Yield each field, followed by the fields inside it."""
    schema = _resolve(schema, schemas)
    for name, field in schema.get("properties", {}).items():
        is_required = name in schema.get("required", ())
        yield DocumentedField(prefix + name, _type_name(field, schemas), is_required, field.get("description", ""))
        inner = _resolve(field, schemas)
        if depth > 1:
            brackets = "[]" if "items" in inner else ""
            yield from _fields(inner.get("items", inner), schemas, f"{prefix}{name}{brackets}.", depth=depth - 1)


def _type_name(schema: JsonObject, schemas: JsonObject) -> str:
    schema = _resolve(schema, schemas)
    values = schema.get("enum", schema.get(EXTENSIBLE_ENUM))
    if values is not None:
        return "one of " + ", ".join(map(str, values))
    if "items" in schema:
        return f"list of {_type_name(schema['items'], schemas)}"
    return str(schema.get("format", schema.get("type", "any")))


def _resolve(schema: JsonObject, schemas: JsonObject) -> JsonObject:
    """Follow references and `anyOf`: return the first schema that is not null."""
    while "$ref" in schema or "anyOf" in schema:
        if "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        if "$ref" in schema:
            schema = schemas[schema["$ref"].removeprefix(SCHEMA_PREFIX)]
    return schema


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
