"""Functions that walk through the OpenAPI document and call its operations."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry
from starlette.testclient import TestClient

from docs_site.api import resolved

Part = dict[str, Any]


DOCUMENT = "urn:document"
REPORTED = "The OpenAPI document"
"""The property under which a test reports what it found about the document: the run prints all in one table."""


class Operation(NamedTuple):
    method: str
    path: str
    definition: Part

    @property
    def id(self) -> str:
        return str(self.definition["operationId"])

    @property
    def scheme(self) -> str:
        """The name of the security scheme that it requires, or an empty string."""
        return next((name for each in self.definition.get("security", []) for name in each), "")


def operations(document: Part) -> Iterator[Operation]:
    """Yield every operation, with what `components` says once in its place; schemas stay references."""
    for path, methods in resolved(document)["paths"].items():
        for method, definition in methods.items():
            yield Operation(method, path, definition)


def schemas_in(value: Any, document: Part, seen: set[str], at: str = "") -> Iterator[tuple[str, Part]]:
    """Yield every schema within the value and within what it refers to, each with its place."""
    if isinstance(value, dict) and set(value) & {"type", "anyOf", "allOf", "properties", "$ref"}:
        yield at, value
        name = str(value.get("$ref", "")).removeprefix("#/components/schemas/")
        if name and name not in seen:
            seen.add(name)
            yield from schemas_in(document["components"]["schemas"][name], document, seen, name)
    for step, inner in _inside(value):
        yield from schemas_in(inner, document, seen, at + step)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is inside a list or a schema. Examples are not schemas."""
    if isinstance(value, list):
        yield from ((f"/{place}", inner) for place, inner in enumerate(value))
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key == "properties":
            yield from ((f".{name}", schema) for name, schema in inner.items())
        elif key not in ("example", "examples"):
            yield f"/{key}", inner


def examples_of(content: Part) -> list[Any]:
    """Return the examples of a media type or a parameter, wherever they are given."""
    examples = [content["example"]] if "example" in content else []
    examples += [example["value"] for example in content.get("examples", {}).values()]
    return [*examples, *content.get("schema", {}).get("examples", [])]


def shown_by_answers(document: Part) -> Iterator[tuple[str, Part, Any]]:
    """Yield what the examples of answers, and of what is pushed, show: where each field is, its schema, its value."""
    pushed = [each["post"]["requestBody"] for each in resolved(document)["webhooks"].values()]
    answers = [response for told in operations(document) for response in told.definition["responses"].values()]
    for content in (each for told in [*answers, *pushed] for each in told.get("content", {}).values()):
        for example in examples_of(content):
            yield from _shown(content.get("schema", {}), example, document["components"]["schemas"], "")


def _shown(schema: Part, value: Any, schemas: Part, at: str) -> Iterator[tuple[str, Part, Any]]:
    if "$ref" in schema:
        at = schema["$ref"].rpartition("/")[2]
        schema = schemas[at]
    for option in schema.get("anyOf", ()):
        yield from _shown(option, value, schemas, at)
    for inner in value if isinstance(value, list) else ():
        yield from _shown(schema.get("items", {}), inner, schemas, at)
    for name, inner in value.items() if isinstance(value, dict) else ():
        field = schema.get("properties", {}).get(name)
        if field is not None:
            yield f"{at}.{name}", field, inner
            yield from _shown(field, inner, schemas, f"{at}.{name}")


def registry_of(document: Part) -> Registry:
    """Return the schemas of the document, to validate values. To make it takes a tenth of a second: once a document."""
    return Registry([(DOCUMENT, document)], draft=Draft202012)


def faults_against(schemas: Registry, at: tuple[str, ...], value: Any) -> list[str]:
    """Validate the value against the schema at that place of the document, and return the faults."""
    pointer = "".join("/" + quote(step.replace("~", "~0").replace("/", "~1")) for step in at)
    validator = Draft202012Validator({"$ref": f"{DOCUMENT}#{pointer}"}, registry=schemas, validate_formats=True)
    return [f"{'/'.join(at)}: {error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def call(
    client: TestClient, operation: Operation, known: dict[str, str], *, also: tuple[Part, Any] | None = None
) -> Any:
    """Send a read and return its response, which must be 200.

    A required parameter has the value in `known`, or else its example. `known` may hold a `token`; `also` is one more
    parameter, or another value for one.
    """
    given = [(each, examples_of(each)[0]) for each in operation.definition.get("parameters", []) if each["required"]]
    given = [(each, known.get(each["name"], value)) for each, value in given]
    if also is not None and also[0]["name"] not in known:
        given.append(also)
    sent: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    if "token" in known:
        sent["header"]["Authorization"] = f"Bearer {known['token']}"
    for parameter, value in given:
        sent[parameter["in"]][parameter["name"]] = str(value).lower() if isinstance(value, bool) else str(value)
    response = client.get(operation.path.format_map(sent["path"]), params=sent["query"], headers=sent["header"])
    assert response.status_code == 200, (operation.id, sent["query"], response.text)
    return response
