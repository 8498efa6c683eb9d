"""Callers of the last release are not broken: its OpenAPI document is compared with that of this version."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from docs_site.api import resolved
from tests.support.openapi import Part
from tests.support.released import DOCUMENT

pytestmark = pytest.mark.slow

CONVENTIONS = Path(__file__).parents[2] / "docs" / "reference" / "conventions.md"

BOUNDS = (("maxLength", 1), ("maxItems", 1), ("maximum", 1), ("minLength", -1), ("minItems", -1), ("minimum", -1))
SUCCESSES = re.compile(r"[23]\d\d")


def breaks(old: Part, new: Part) -> Iterator[str]:
    """Yield every break, each as a line with its place. None is explained away."""
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            found = [each for each in _names_of(path, operation, old, new) if method in new["paths"][each]]
            if not found:
                yield f"{method} {path}: is gone"
            for each in found:
                at = f"{method} {each}"
                yield from _operation_breaks(at, operation, new["paths"][each][method], old, new)
    for kind, methods in old["webhooks"].items():
        for method, operation in methods.items():
            yield from _push_breaks(kind, operation, new["webhooks"].get(kind, {}).get(method), old, new)


def _names_of(path: str, operation: Part, old: Part, new: Part) -> list[str]:
    """Return the path, or else the paths of the newer document that spell out each value of a parameter of its."""
    if path in new["paths"]:
        return [path]
    spelt_out = []
    for parameter in operation.get("parameters", []):
        values = _options(parameter["schema"], old)[0].get("enum", ())
        spelt_out += [path.replace(f"{{{parameter['name']}}}", value) for value in values]
    return spelt_out if all(each in new["paths"] for each in spelt_out) else []


def _operation_breaks(at: str, old: Part, new: Part, old_document: Part, new_document: Part) -> Iterator[str]:
    inputs, outputs = Comparison(old_document, new_document, strict=True), Comparison(old_document, new_document)
    yield from _parameter_breaks(at, _by_name(old), _by_name(new), inputs)
    yield from _body_breaks(at, old.get("requestBody", {}), new.get("requestBody", {}), inputs)
    if new.get("security") and not all(each in old.get("security", []) for each in new["security"][:1]):
        yield f"{at}: needs other credentials"
    for status, response in old["responses"].items():
        yield from _response_breaks(f"{at} {status}", response, new["responses"].get(status), outputs)


def _push_breaks(kind: str, old: Part, new: Part | None, old_document: Part, new_document: Part) -> Iterator[str]:
    """Yield what breaks a receiver: of a push, the body is what this service says."""
    if new is None:
        yield f"{kind}: is gone"
        return
    outputs, (before, after) = Comparison(old_document, new_document), (each["requestBody"] for each in (old, new))
    yield from _response_breaks(f"{kind} 200", before, after, outputs)
    for name, place in _by_name(old).keys() - _by_name(new).keys():
        yield f"{kind}: the {place} {name} is gone"


def _by_name(operation: Part) -> dict[tuple[str, str], Part]:
    return {(each["name"], each["in"]): each for each in operation.get("parameters", [])}


def _parameter_breaks(
    at: str, old: dict[tuple[str, str], Part], new: dict[tuple[str, str], Part], inputs: "Comparison"
) -> Iterator[str]:
    for key, parameter in new.items():
        if parameter.get("required") and not old.get(key, {}).get("required"):
            yield f"{at}: the parameter {key[0]} is required"
    for key, parameter in old.items():
        if key in new:
            yield from inputs.compare(f"{at} {key[0]}", parameter["schema"], new[key]["schema"])
        elif key[1] != "path":
            yield f"{at}: the parameter {key[0]} is gone"


def _body_breaks(at: str, old: Part, new: Part, inputs: "Comparison") -> Iterator[str]:
    if new.get("required") and not old.get("required"):
        yield f"{at}: a body is required"
    for media_type, content in old.get("content", {}).items():
        if media_type not in new.get("content", {}):
            yield f"{at}: the body {media_type} is gone"
        else:
            yield from inputs.compare(f"{at} body", content["schema"], new["content"][media_type]["schema"])


def _response_breaks(at: str, old: Part, new: Part | None, outputs: "Comparison") -> Iterator[str]:
    if new is None:
        if SUCCESSES.fullmatch(at.rpartition(" ")[2]):
            yield f"{at}: is gone"
        return
    for name in sorted(old.get("headers", {}).keys() - new.get("headers", {}).keys()):
        yield f"{at}: the header {name} is gone"
    for media_type, content in old.get("content", {}).items():
        if media_type not in new.get("content", {}):
            yield f"{at}: {media_type} is gone"
        elif "schema" in content:
            yield from outputs.compare(f"{at} {media_type}", content["schema"], new["content"][media_type]["schema"])


class Comparison:
    """Compares schemas: `strict` ones of requests, which must not accept less; or those of answers, never wider."""

    def __init__(self, old: Part, new: Part, *, strict: bool = False) -> None:
        self._old, self._new, self._strict = old, new, strict
        self._seen: set[tuple[str, str]] = set()

    def compare(self, at: str, old: Part, new: Part) -> Iterator[str]:
        """Yield every break between the two schemas, and within them."""
        names = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and names in self._seen:
            return
        self._seen.add(names)
        olds, news = _options(old, self._old), _options(new, self._new)
        if len(olds) > 1 or len(news) > 1:
            yield from self._compare_options(at, olds, news)
        else:
            yield from self._compare_one(at, olds[0], news[0])

    def _compare_options(self, at: str, olds: list[Part], news: list[Part]) -> Iterator[str]:
        """A value that was accepted must fit a new option; an answer must fit an old one."""
        needed, offered = (olds, news) if self._strict else (news, olds)
        for option in needed:
            pairs = [(option, each) if self._strict else (each, option) for each in offered]
            found = [
                list(Comparison(self._old, self._new, strict=self._strict)._compare_one(at, *each)) for each in pairs
            ]
            if [] not in found:
                yield min(found, key=len)[0]

    def _compare_one(self, at: str, old: Part, new: Part) -> Iterator[str]:
        if old.get("type") != new.get("type"):
            yield f"{at}: is {new.get('type')}, and was {old.get('type')}"
            return
        yield from self._compare_values(at, old, new)
        yield from _other_bounds(at, old, new, strict=self._strict)
        needed, offered = (new, old) if self._strict else (old, new)
        for name in sorted(set(needed.get("required", ())) - set(offered.get("required", ()))):
            yield f"{at}/{name}: {'is required' if self._strict else 'may be absent'}"
        for name, schema in old.get("properties", {}).items():
            if name in new.get("properties", {}):
                yield from self.compare(f"{at}/{name}", schema, new["properties"][name])
            else:
                yield f"{at}/{name}: is gone"
        if isinstance(old.get("items"), dict):
            yield from self.compare(f"{at}[]", old["items"], new.get("items", {}))

    def _compare_values(self, at: str, old: Part, new: Part) -> Iterator[str]:
        before, after = _values(old), _values(new)
        if self._strict and after is not None and (before is None or not before <= after):
            yield f"{at}: accepts fewer values"
        if not self._strict and before is not None and after is None and "x-extensible-enum" not in new:
            yield f"{at}: answers any value"
        if not self._strict and before is not None and after is not None and not after <= before:
            yield f"{at}: answers other values"
        for form in ("pattern", "format"):
            bound, other = (new, old) if self._strict else (old, new)
            if form in bound and bound[form] != other.get(form):
                yield f"{at}: has another {form}"


def _other_bounds(at: str, old: Part, new: Part, *, strict: bool) -> Iterator[str]:
    """Yield each bound by which less is accepted (strict), or more is answered."""
    bound, free = (new, old) if strict else (old, new)
    for name, sign in BOUNDS:
        if name in bound and (name not in free or sign * free[name] > sign * bound[name]):
            yield f"{at}: {name} is {new.get(name)}, and was {old.get(name)}"


def _values(schema: Part) -> set[Any] | None:
    """Return the only values of the schema, or None if it has others."""
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _options(schema: Part, document: Part) -> list[Part]:
    """Return the schemas of which one holds, each without references."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(kinds := schema.get("type"), list):  # the short spelling of a choice of types
        return [{"type": kind} if kind == "null" else schema | {"type": kind} for kind in kinds]
    inner = schema.get("anyOf", schema.get("allOf"))
    return [schema] if inner is None else [option for each in inner for option in _options(each, document)]


@pytest.mark.skipif(not DOCUMENT.exists(), reason="nothing was released yet")
def test_nothing_in_the_document_breaks_a_caller_of_the_last_release(service: FastAPI) -> None:
    released = resolved(json.loads(DOCUMENT.read_text(encoding="utf-8")))

    assert list(breaks(released, resolved(service.openapi()))) == []


def _schema(document: Part, name: str) -> Part:
    schema: Part = document["components"]["schemas"][name]
    return schema


def _nullable(schema: Part) -> None:
    """Let the value be null too, in place."""
    before = dict(schema)
    schema.clear()
    schema["anyOf"] = [before, {"type": "null"}]


BREAKS: dict[str, tuple[Callable[[Part], Any], str]] = {
    "a path is gone": (lambda new: new["paths"].pop("/v1/search"), "get /v1/search: is gone"),
    "a section is gone": (
        lambda new: (
            [new["paths"].pop(path) for path in list(new["paths"]) if "/factors" in path and "{guide}" in path]
            and new["paths"].pop("/v1/factors")
        ),
        "get /v1/factors: is gone",
    ),
    "a member of an answer is gone": (
        lambda new: _schema(new, "Receipt")["properties"].pop("status_token"),
        "status_token: is gone",
    ),
    "a member of an answer may be absent": (
        lambda new: _schema(new, "Receipt")["required"].remove("status_token"),
        "status_token: may be absent",
    ),
    "a member of an answer has another type": (
        lambda new: _schema(new, "Receipt")["properties"]["edition"].update(type="string"),
        "edition: is string, and was integer",
    ),
    "a member of a concern is required": (
        lambda new: _schema(new, "Concern")["required"].append("guide"),
        "is required",
    ),
    "a member of a concern is gone": (
        lambda new: _schema(new, "Concern")["properties"].pop("others"),
        "others: is gone",
    ),
    "a value is accepted no more": (
        lambda new: _schema(new, "ImmediateDanger")["enum"].remove("not_sure"),
        "accepts fewer values",
    ),
    "a text must be shorter": (
        lambda new: _schema(new, "ConcernDetail")["properties"]["narrative"].update(maxLength=10),
        "maxLength is 10, and was 50000",
    ),
    "a parameter is gone": (
        lambda new: new["paths"]["/v1/guides"]["get"]["parameters"].clear(),
        "the parameter limit is gone",
    ),
    "a parameter is required": (
        lambda new: new["paths"]["/v1/guides"]["get"]["parameters"][0].update(required=True),
        "is required",
    ),
    "a status is gone": (
        lambda new: new["paths"]["/v1/concerns"]["post"]["responses"].pop("201"),
        "post /v1/concerns 201: is gone",
    ),
    "a read needs a key": (
        lambda new: new["paths"]["/v1/guides"]["get"].update(security=[{"ClientKey": []}]),
        "needs other credentials",
    ),
    "a member of an answer may be null": (
        lambda new: _nullable(_schema(new, "EditionResponse")["properties"]["change_note"]),
        "change_note: is null, and was string",
    ),
    "a member of an answer may be null, in the other spelling": (
        lambda new: _schema(new, "EditionResponse")["properties"]["change_note"].update(type=["string", "null"]),
        "change_note: is null, and was string",
    ),
    "an object of an answer may be null": (
        lambda new: _nullable(_schema(new, "EditionResponse")["properties"]["publisher"]),
        "publisher: is null, and was object",
    ),
    "an item of a list may be null": (
        lambda new: _nullable(_schema(new, "NextSteps")["items"]),
        "next_steps[]: is null, and was string",
    ),
    "a list of an answer may be empty": (
        lambda new: _schema(new, "EditionResponse")["properties"]["contacts"].pop("minItems"),
        "contacts: minItems is None, and was 1",
    ),
    "a list of an answer may be longer": (
        lambda new: _schema(new, "EditionResponse")["properties"]["contacts"].update(maxItems=501),
        "contacts: maxItems is 501, and was 500",
    ),
    "a text of an answer may be longer": (
        lambda new: _schema(new, "EditionResponse")["properties"]["title"].update(maxLength=4001),
        "title: maxLength is 4001, and was 4000",
    ),
    "a text of an answer may be empty": (
        lambda new: _schema(new, "EditionResponse")["properties"]["title"].update(minLength=0),
        "title: minLength is 0, and was 1",
    ),
    "a text of an answer has another form": (
        lambda new: _schema(new, "GuideName").pop("pattern"),
        "guide: has another pattern",
    ),
    "a time of an answer is any text": (
        lambda new: _schema(new, "Receipt")["properties"]["received_at"].pop("format"),
        "received_at: has another format",
    ),
    "a whole number of an answer is any number": (
        lambda new: _schema(new, "Receipt")["properties"]["edition"].update(type="number"),
        "edition: is number, and was integer",
    ),
    "a header of an answer is gone": (
        lambda new: new["paths"]["/v1/guides/{guide}"]["get"]["responses"]["302"]["headers"].pop("Location"),
        "get /v1/guides/{guide} 302: the header Location is gone",
    ),
    "a push is gone": (lambda new: new["webhooks"].pop("concern.received"), "concern.received: is gone"),
    "a member of what is pushed may be null": (
        lambda new: _nullable(_schema(new, "ConcernEventData")["properties"]["reference"]),
        "data/reference: is null, and was string",
    ),
}


@pytest.mark.nightly
def test_every_kind_of_break_would_be_found(service: FastAPI) -> None:
    document = resolved(service.openapi())
    missed = {}
    for name, (make, expected) in BREAKS.items():
        broken = copy.deepcopy(document)
        make(broken)
        found = list(breaks(document, broken))
        if not any(expected in line for line in found):
            missed[name] = found

    assert missed == {}
    assert list(breaks(document, document)) == []


def test_an_answer_that_names_all_its_values_gets_no_other() -> None:
    old, new = ({"type": "string", "enum": each} for each in (["yes", "no"], ["yes", "no", "perhaps"]))

    assert list(Comparison({}, {}).compare("told", old, new)) == ["told: answers other values"]
    assert list(Comparison({}, {}).compare("told", new, old)) == []


def _nullable_keys(document: Part, schema: Part, above: str = "") -> Iterator[str]:
    """Yield each key below the schema that may be null, with the keys above it."""
    for option in _options(schema, document):
        for name, member in option.get("properties", {}).items():
            if {"type": "null"} in _options(member, document):
                yield f"{above}{name}"
            yield from _nullable_keys(document, member, f"{above}{name}.")
        if isinstance(option.get("items"), dict):
            yield from _nullable_keys(document, option["items"], above)


def test_the_conventions_name_every_key_of_an_edition_that_may_be_null(service: FastAPI) -> None:
    document = resolved(service.openapi())
    section = CONVENTIONS.read_text(encoding="utf-8").partition("## What may be null")[2].partition("\n## ")[0]
    named = [name for row in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE) for name in row.split(", ")]

    nullable = list(_nullable_keys(document, _schema(document, "EditionResponse")))

    assert sorted(each.strip("`") for each in named) == sorted(nullable)
