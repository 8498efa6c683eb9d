"""The OpenAPI document, as tests walk through it."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

Part = dict[str, Any]


DOCUMENT = "urn:document"


class Operation(NamedTuple):
    method: str
    path: str
    told: Part

    @property
    def id(self) -> str:
        return str(self.told["operationId"])

    @property
    def scheme(self) -> str:
        """Whose token it asks for."""
        return next((name for each in self.told.get("security", []) for name in each), "")


def operations(document: Part) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield Operation(method, path, told)


def examples_of(content: Part) -> list[Any]:
    """The examples of a media type or a parameter, however they are told."""
    told = [content["example"]] if "example" in content else []
    told += [example["value"] for example in content.get("examples", {}).values()]
    return [*told, *content.get("schema", {}).get("examples", [])]


def faults_against(document: Part, at: tuple[str, ...], value: Any) -> list[str]:
    """What is wrong with the value by the schema that stands at that place of the document."""
    resource = DRAFT202012.create_resource(document)
    pointer = "".join("/" + quote(step.replace("~", "~0").replace("/", "~1")) for step in at)
    validator = Draft202012Validator(
        {"$ref": f"{DOCUMENT}#{pointer}"},
        registry=Registry().with_resource(DOCUMENT, resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [f"{'/'.join(at)}: {error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def ask(client: TestClient, told: Operation, known: dict[str, str], *, also: tuple[Part, Any] | None = None) -> Any:
    """The real answer to a read, asked with what is known, and else with the examples of its required parameters.

    `known` may hold a `token`; `also` is one more parameter, or another value for one.
    """
    given = [(each, examples_of(each)[0]) for each in told.told.get("parameters", []) if each["required"]]
    given = [(each, known.get(each["name"], value)) for each, value in given]
    if also is not None and also[0]["name"] not in known:
        given.append(also)
    asked: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    if "token" in known:
        asked["header"]["Authorization"] = f"Bearer {known['token']}"
    for parameter, value in given:
        asked[parameter["in"]][parameter["name"]] = str(value).lower() if isinstance(value, bool) else str(value)
    answer = client.get(told.path.format_map(asked["path"]), params=asked["query"], headers=asked["header"])
    assert answer.status_code == 200, (told.id, asked["query"], answer.text)
    return answer
