"""Opens what the document says of answers: new members and new values may come, and no generated client breaks by them.

Requests stay strict. A schema that both use is described twice: under its own name for answers, and with `Input` added
for requests. Its title is its name, since some generators name their classes by it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from app.web.openapi.examples import SCHEMA_PREFIX, JsonObject

EXTENSIBLE_ENUM = "x-extensible-enum"
"""The known values of a string: others may come. Zalando's guidelines name it so, and tools know it."""
INPUT = "Input"
INPUTS = ("requestBody", "parameters")


def name_twins(document: JsonObject) -> JsonObject:
    """Return the document with the names `X` and `XInput` for what FastAPI calls `X-Output` and `X-Input`."""
    schemas = document["components"]["schemas"]
    names = {name: name.removesuffix("-Output").replace("-Input", INPUT) for name in schemas}

    def rename(part: JsonObject) -> JsonObject:
        name = str(part.get("$ref", "")).removeprefix(SCHEMA_PREFIX)
        return part | {"$ref": SCHEMA_PREFIX + names[name]} if name in names else part

    titled = {
        names[name]: schema if names[name] == name else schema | {"title": names[name]}
        for name, schema in schemas.items()
    }
    components = document["components"] | {"schemas": titled}
    renamed: JsonObject = _changed(document | {"components": components}, rename)
    return renamed


def open_answers(document: JsonObject) -> None:
    """Open each schema of an answer, and describe again, as it was, each that requests use too."""
    schemas = document["components"]["schemas"]
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    inputs = [operation[part] for operation in operations for part in INPUTS if part in operation]
    outputs = [operation["responses"] for operation in operations]
    outputs.append(document.get("webhooks", {}))
    requested, answered = _reached(inputs, schemas), _reached(outputs, schemas)
    strict = {name for name in requested & answered if _is_closed(name, schemas)}
    copies = {name + INPUT: _renamed(schemas[name], strict) | {"title": name + INPUT} for name in strict}
    for name in requested - answered:
        schemas[name] = _renamed(schemas[name], strict)
    for name in answered:
        schemas[name] = _opened(schemas[name])
    document["components"]["schemas"] = dict(sorted((schemas | copies).items()))
    for operation in operations:
        for part in INPUTS:
            if part in operation:
                operation[part] = _renamed(operation[part], strict)
        operation["responses"] = _opened(operation["responses"])


def _reached(places: list[Any], schemas: JsonObject) -> set[str]:
    """Return the names of all schemas that are reached from there."""
    reached: set[str] = set()
    waiting = [name for place in places for name in _references(place)]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _references(schemas[name])
    return reached


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(SCHEMA_PREFIX):
            yield reference.removeprefix(SCHEMA_PREFIX)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(inner)


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


def _renamed(schema: Any, strict: set[str]) -> Any:
    """Return a copy that refers to the strict twin of each schema that has one."""

    def rename(part: JsonObject) -> JsonObject:
        name = str(part.get("$ref", "")).removeprefix(SCHEMA_PREFIX)
        return part | {"$ref": SCHEMA_PREFIX + name + INPUT} if name in strict else part

    return _changed(schema, rename)


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
