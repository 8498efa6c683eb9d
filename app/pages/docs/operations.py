"""The OpenAPI document as people read it: operations by subject, with parameters, fields, answers and examples."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SCHEMAS = "#/components/schemas/"
FIRST_ERROR = 400
DEEPEST = 6

JsonSchema = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A field of a body, or a parameter."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class OperationResponse:
    """What one status means, with an example of its body where it succeeds."""

    status: str
    description: str
    problems: tuple[str, ...] = ()
    example: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    callers: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_examples: tuple[tuple[str, str], ...]
    answers: tuple[OperationResponse, ...]


def operations_by_tag(document: JsonSchema) -> list[tuple[str, str, list[Operation]]]:
    """Each subject with its description and its operations."""
    return [
        (
            tag["name"],
            tag["description"],
            [
                _operation(document, path, method, told)
                for path, methods in document["paths"].items()
                for method, told in methods.items()
                if tag["name"] in told.get("tags", ())
            ],
        )
        for tag in document["tags"]
    ]


def operation_named(document: JsonSchema, id_: str) -> Operation | None:
    """The operation of that id."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if told["operationId"] == id_:
                return _operation(document, path, method, told)
    return None


def _operation(document: JsonSchema, path: str, method: str, told: JsonSchema) -> Operation:
    schemas = document["components"]["schemas"]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        description=told.get("description", ""),
        callers=_callers(told.get("security", [])),
        parameters=tuple(_parameter(each, schemas) for each in told.get("parameters", ())),
        body=tuple(_fields(body.get("schema", {}), schemas)),
        body_examples=tuple(_examples(body)),
        answers=tuple(_answer(status, answer, schemas) for status, answer in told["responses"].items()),
    )


def _callers(security: list[JsonSchema]) -> str:
    """Who may call it."""
    named = [name for each in security for name in each]
    scopes = [scope for each in security for scope in each.get("ClientKey", ())]
    if not named:
        return "Anybody"
    if "StatusToken" in named:
        return "Whoever holds the status token of the concern"
    return f"Clients with the scope {scopes[0]}" if scopes else "Anybody, or a client with its key"


def _parameter(told: JsonSchema, schemas: JsonSchema) -> Field:
    return Field(
        name=f"{told['name']} ({told['in']})",
        kind=_kind(told["schema"], schemas),
        is_required=told.get("required", False),
        description=told.get("description", ""),
    )


def _answer(status: str, told: JsonSchema, schemas: JsonSchema) -> OperationResponse:
    content = told.get("content", {})
    if int(status) >= FIRST_ERROR:
        problems = [each["summary"] for body in content.values() for each in body.get("examples", {}).values()]
        return OperationResponse(status, told["description"], problems=tuple(problems))
    body: JsonSchema = next(iter(content.values()), {})
    example = body.get("example", "")
    shown = example if isinstance(example, str) else _pretty(example)
    return OperationResponse(
        status, told["description"], example=shown, fields=tuple(_fields(body.get("schema", {}), schemas, deepest=1))
    )


def _examples(body: JsonSchema) -> Iterator[tuple[str, str]]:
    if "example" in body:
        yield "Example", _pretty(body["example"])
    for each in body.get("examples", {}).values():
        yield each["summary"], _pretty(each["value"])
    for value in body.get("schema", {}).get("examples", ()):
        yield "Example", _pretty(value)


def _fields(schema: JsonSchema, schemas: JsonSchema, above: str = "", *, deepest: int = DEEPEST) -> Iterator[Field]:
    """Each field, those of parts after the part itself."""
    schema = _resolved(schema, schemas)
    for name, told in schema.get("properties", {}).items():
        yield Field(above + name, _kind(told, schemas), name in schema.get("required", ()), told.get("description", ""))
        inner = _resolved(told, schemas)
        if deepest > 1:
            many = "[]" if "items" in inner else ""
            yield from _fields(inner.get("items", inner), schemas, f"{above}{name}{many}.", deepest=deepest - 1)


def _kind(schema: JsonSchema, schemas: JsonSchema) -> str:
    told = _resolved(schema, schemas)
    if "enum" in told:
        return "one of " + ", ".join(map(str, told["enum"]))
    if "items" in told:
        return f"list of {_kind(told['items'], schemas)}"
    return str(told.get("format", told.get("type", "any")))


def _resolved(schema: JsonSchema, schemas: JsonSchema) -> JsonSchema:
    """What it comes to, apart from null; of several kinds, the first."""
    while "$ref" in schema or "anyOf" in schema:
        if "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        if "$ref" in schema:
            schema = schemas[schema["$ref"].removeprefix(SCHEMAS)]
    return schema


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
