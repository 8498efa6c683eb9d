"""The OpenAPI document: valid, whole, and true to what the service answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.errors import NoSuchGuide, NoSuchItem
from app.http.auth import PUBLIC
from app.http.openapi import EXTENSIBLE_ENUM
from app.http.params import Cursor, EditionNumber, Limit
from app.http.problems import problem_responses
from app.http.routes import GuidanceRouter
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.operations.health import Health
from app.models.references import EXAMPLE_REFERENCE
from docs_site.api import resolved
from tests.support.concerns import add, raise_concern
from tests.support.formats import validate_openapi
from tests.support.openapi import (
    Part,
    call,
    examples_of,
    faults_against,
    operations,
    registry_of,
    shown_by_answers,
)
from tests.support.service import a_service

pytestmark = pytest.mark.slow

JSON = "application/json"
PROBLEM = "application/problem+json"

NOT_A_PROBLEM = {
    ("read_readiness", "503"): "the answer of a health check that fails tells which check, as its 200 does",
}
UNDESCRIBED = {
    "JsonValue": "the library's own name for any value at all",
}
NEW_EACH_TIME = {
    "status_token": "drawn at random",
    "receipt": "signed over the reference, which is drawn at random",
    "reference": "drawn at random",
    "schema_version": "a digest of the schema with its codes",
    "keys": "made anew for each test",
}
NOT_COMPARED = {  # besides what is for clients, since it tells of the work of a desk, of which there is none here
    "read_changes": "the shipped guide has one edition, so nothing has changed in it",
    "read_messages": "no desk is here that sends a message",
}


class Shown(NamedTuple):
    """An example, and the place of the schema that it must fit."""

    at: tuple[str, ...]
    example: Any


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return a_service(data_dir=tmp_path_factory.mktemp("openapi"))


@pytest.fixture(scope="module")
def as_served(described: FastAPI) -> Part:
    # A value that JSON cannot hold would be lost on the way.
    told: Part = json.loads(json.dumps(described.openapi()))
    return told


@pytest.fixture(scope="module")
def document(as_served: Part) -> Part:
    return resolved(as_served)


def media_types(document: Part) -> Iterator[tuple[tuple[str, ...], Part]]:
    """Every media type of every request and response, with its place in the document."""
    for method, path, told in operations(document):
        at = ("paths", path, method)
        for media_type, content in told.get("requestBody", {}).get("content", {}).items():
            yield (*at, "requestBody", "content", media_type), content
        for status, response in told["responses"].items():
            for media_type, content in response.get("content", {}).items():
                yield (*at, "responses", status, "content", media_type), content


def every_example(document: Part) -> Iterator[Shown]:
    for at, content in media_types(document):
        yield from (Shown((*at, "schema"), example) for example in examples_of(content) if "schema" in content)
    for method, path, told in operations(document):
        for place, parameter in enumerate(told.get("parameters", [])):
            at = ("paths", path, method, "parameters", str(place), "schema")
            yield from (Shown(at, example) for example in examples_of(parameter))
    for name, schema in document["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            at = ("components", "schemas", name, "properties", field)
            yield from (Shown(at, example) for example in told.get("examples", []))


@pytest.mark.slow
def test_the_document_is_valid_openapi_3_1(as_served: Part) -> None:
    assert as_served["openapi"].startswith("3.1.")
    validate_openapi(as_served)


def test_the_document_is_small_since_common_parts_appear_once(as_served: Part) -> None:
    size = len(json.dumps(as_served, separators=(",", ":"), ensure_ascii=False).encode())

    assert size <= 600_000


def test_the_readers_document_has_only_guidance_and_concerns_in_full(described: FastAPI, as_served: Part) -> None:
    served = TestClient(described).get("/openapi.public.json")
    part = served.json()

    assert len(served.content) <= 200_000
    validate_openapi(part)
    shown = {told.id for told in operations(part)}
    assert {
        "list_guides",
        "read_guide",
        "read_indicators",
        "search_guidance",
        "raise_concern",
        "read_messages",
    } <= shown
    assert all(path.startswith(("/v1", "/.well-known")) for path in part["paths"])
    assert not [path for path in part["paths"] if re.search(r"desk|draft|events|editions|withdrawal|reviews", path)]
    whole = {told.id: told.definition for told in operations(as_served)}
    for told in operations(part):
        answers = whole[told.id]["responses"]
        assert told.definition["responses"] == answers
    used = set(re.findall(r'"#/components/(\w+/[^"]+)"', served.text))
    assert used == {
        f"{kind}/{name}" for kind, parts in part["components"].items() if kind != "securitySchemes" for name in parts
    }


def test_operations_are_grouped_by_what_people_do(as_served: Part, described: FastAPI) -> None:
    readers = TestClient(described).get("/openapi.public.json").json()

    for document in (as_served, readers):
        groups = {group["name"]: group["tags"] for group in document["x-tagGroups"]}
        named = [tag for tags in groups.values() for tag in tags]
        assert [tag["name"] for tag in document["tags"]] == named
        assert list(dict.fromkeys(tag for told in operations(document) for tag in told.definition["tags"][:1]))
    first, *_, last = list(as_served["paths"])
    assert (first, last) == ("/v1/concerns", "/health/ready")
    assert list(groups) == ["Raise a concern", "Read guidance", "Follow a concern", "Search and look up"]


def test_no_tag_is_both_of_paths_and_of_webhooks(as_served: Part) -> None:
    of_paths = {tag for told in operations(as_served) for tag in told.definition["tags"]}
    of_webhooks = {tag for each in as_served["webhooks"].values() for tag in each["post"]["tags"]}

    assert of_webhooks
    assert of_paths & of_webhooks == set()


def test_optional_parameters_are_never_null_and_integer_bounds_are_integers(as_served: Part) -> None:
    parameters = as_served["components"]["parameters"]
    nullable = [name for name, each in parameters.items() if '"null"' in json.dumps(each["schema"])]
    inexact = re.findall(
        r'"(?:exclusive)?(?:minimum|maximum)": \d+\.0', json.dumps(as_served, ensure_ascii=False), re.I
    )

    assert nullable == []
    assert inexact == []


def test_the_document_is_served_as_it_is_made(described: FastAPI, as_served: Part) -> None:
    served = TestClient(described).get("/openapi.json")

    assert served.status_code == 200
    assert served.json() == as_served


def test_the_document_is_the_same_wherever_it_is_made(as_served: Part, service: FastAPI) -> None:
    assert service.openapi() == as_served


def test_every_operation_says_what_the_caller_gets(document: Part) -> None:
    silent = [
        f"{told.method} {told.path}: {name}"
        for told in operations(document)
        for name in ("summary", "description", "tags")
        if not told.definition.get(name)
    ]

    assert silent == []


def test_every_tag_is_described(document: Part) -> None:
    used = {tag for told in operations(document) for tag in told.definition["tags"]}
    described = {tag["name"] for tag in document["tags"] if tag["description"]}

    assert used - described == set()


def test_every_operation_is_named_by_a_verb_and_an_object(document: Part) -> None:
    names = [told.id for told in operations(document)]

    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert len(set(names)) == len(names)


def test_no_summary_appears_twice(document: Part) -> None:
    summaries = [told.definition["summary"] for told in operations(document)]

    assert len(set(summaries)) == len(summaries)


def test_every_operation_documents_a_success(document: Part) -> None:
    hopeless = [told.id for told in operations(document) if not {"200", "201"} & set(told.definition["responses"])]

    assert hopeless == []


def test_every_success_has_an_example(document: Part) -> None:
    bare = [
        "/".join(at)
        for at, content in media_types(document)
        if at[-4] == "responses" and at[-3].startswith("2") and not examples_of(content)
    ]

    assert bare == []


def test_every_request_body_has_an_example(document: Part) -> None:
    bare = ["/".join(at) for at, content in media_types(document) if "requestBody" in at and not examples_of(content)]

    assert bare == []


def test_a_new_route_changes_no_shared_part(tmp_path: Path) -> None:
    def shared(*routers: GuidanceRouter) -> Part:
        service = a_service(data_dir=tmp_path / "data")
        for each in routers:
            service.include_router(each)
        components: Part = service.openapi()["components"]
        return components

    added = GuidanceRouter(tags=["Guides"], dependencies=[PUBLIC])

    @added.get("/v1/a-new/{number}", summary="Read a new one", responses=problem_responses(NoSuchGuide, NoSuchItem))
    def read_new_one(number: EditionNumber, limit: Limit = 20, cursor: Cursor = None) -> Health:
        """Something new."""
        return Health(status=f"{number} {limit} {cursor}", checks={})

    before, after = shared(), shared(added)

    for kind, parts in before.items():
        assert {name: part for name, part in parts.items() if after[kind].get(name) != part} == {}, kind
    assert "no-such-guide.no-such-item" in after["responses"].keys() - before["responses"].keys()


def test_generators_can_write_every_default_and_no_name_has_a_count(as_served: Part) -> None:
    schemas = as_served["components"]["schemas"]
    fields = [
        told for schema in schemas.values() for told in schema.get("properties", {}).values() if "default" in told
    ]

    # A generator for Java writes the default of a shared schema without quotes, unless the schema is a closed list.
    shared = [told for told in fields if "$ref" in told]
    assert len(fields) > 20
    assert [told for told in fields if isinstance(told["default"], dict)] == []
    assert [told for told in shared if "enum" not in schemas[told["$ref"].rpartition("/")[2]]] == []
    for kind in ("parameters", "responses", "examples", "headers"):
        assert [name for name in as_served["components"][kind] if re.search(r"-[0-9]+$", name)] == []


def test_every_error_is_a_problem_with_an_example(document: Part) -> None:
    strange = [
        f"{told.id}: {status}"
        for told in operations(document)
        for status, response in told.definition["responses"].items()
        if status >= "400" and (told.id, status) not in NOT_A_PROBLEM
        if list(response["content"]) != [PROBLEM] or not examples_of(response["content"][PROBLEM])
    ]

    assert strange == []


def test_every_operation_shows_each_of_its_refusals(document: Part, described: FastAPI) -> None:
    possible = {
        route.operation_id or route.unique_id: {
            slug
            for response in route.responses.values()
            for slug in response.get("content", {}).get(PROBLEM, {}).get("examples", {})
        }
        for route in described.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    }
    shown = {
        told.id: {
            slug
            for response in told.definition["responses"].values()
            for slug, example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}).items()
            if example["value"]["detail"]
        }
        for told in operations(document)
    }

    assert possible.keys() == shown.keys()
    assert {name: slugs - shown[name] for name, slugs in possible.items() if slugs - shown[name]} == {}
    assert all({"unknown-query", "internal-error"} <= slugs for slugs in shown.values())


def test_every_operation_documents_a_refusal_and_a_defect(document: Part) -> None:
    silent = [told.id for told in operations(document) if "default" not in told.definition["responses"]]

    assert silent == []


def test_every_problem_that_is_shown_is_in_the_list_of_problems(document: Part, client: TestClient) -> None:
    shown = {
        (example["type"], example["title"], example["status"] if at[-3] == "default" else int(at[-3]))
        for at, content in media_types(document)
        if at[-1] == PROBLEM
        for example in examples_of(content)
    }
    listed = {(kind["type"], kind["title"], kind["status"]) for kind in client.get("/v1/problems").json()["problems"]}

    assert shown - listed == set()


def test_every_refusal_of_a_concern_shows_whom_to_call(document: Part) -> None:
    shown = [
        example
        for at, content in media_types(document)
        if at[1].startswith("/v1/concerns") and at[-1] == PROBLEM
        for example in examples_of(content)
    ]

    assert shown
    assert all(example["signposts"][0]["phones"][0]["number"] == "999" for example in shown)
    assert all(example["contacts"] for example in shown)


def test_every_parameter_has_a_description_and_an_example(document: Part) -> None:
    silent = [
        f"{told.id}: {parameter['name']}"
        for told in operations(document)
        for parameter in told.definition.get("parameters", [])
        if not parameter.get("description") or None in (examples_of(parameter) or [None])
    ]

    assert silent == []


def has_example(schema: Part, schemas: Part) -> bool:
    """Whether a reader can see a value there: an example of its own, or of whatever it is made of."""
    if {"examples", "const", "enum", EXTENSIBLE_ENUM} & set(schema):
        return True
    if "$ref" in schema:
        referred = schemas[schema["$ref"].rpartition("/")[2]]
        return "properties" in referred or has_example(referred, schemas)  # its properties are swept themselves
    if "anyOf" in schema:
        return any(has_example(part, schemas) for part in schema["anyOf"])
    return "items" in schema and has_example(schema["items"], schemas)


def has_description(schema: Part, schemas: Part) -> bool:
    """A field's own; where its type says the same, the document tells it once, at the type."""
    if "description" in schema:
        return bool(schema["description"])
    return "$ref" in schema and has_description(schemas[schema["$ref"].rpartition("/")[2]], schemas)


def test_every_field_has_a_description_and_an_example(document: Part) -> None:
    schemas = document["components"]["schemas"]
    fields = {
        f"{name}.{field}": told
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
    }

    shown = {at for at, _, value in shown_by_answers(document) if value is not None}

    assert [name for name, told in fields.items() if not has_description(told, schemas)] == []
    assert [name for name, told in fields.items() if name not in shown and not has_example(told, schemas)] == []


def test_every_schema_has_a_description(document: Part) -> None:
    silent = [
        name
        for name, schema in document["components"]["schemas"].items()
        if not schema.get("description") and name not in UNDESCRIBED
    ]

    assert silent == []


def test_every_example_fits_its_schema(document: Part) -> None:
    shown, schemas = list(every_example(document)), registry_of(document)

    faults = [fault for at, example in shown for fault in faults_against(schemas, at, example)]

    assert len(shown) > 300
    assert faults == []


def test_nothing_is_left_of_the_framework_s_own_errors(document: Part) -> None:
    text = json.dumps(document)

    assert "HTTPValidationError" not in text
    assert "ValidationError" not in text


def test_every_schema_is_used(document: Part) -> None:
    text = json.dumps(document)
    unused = [name for name in document["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text]

    assert unused == []


def test_every_example_of_a_concern_would_be_accepted(document: Part, client: TestClient) -> None:
    for path in ("/v1/concerns/check", "/v1/concerns"):
        examples = document["paths"][path]["post"]["requestBody"]["content"][JSON]["examples"]
        for example in examples.values():
            answer = client.post("/v1/concerns/check", json=example["value"])

            assert answer.status_code == 200, answer.text


def strays(example: Any, answer: Any, at: str = "#") -> list[str]:
    """The places where the example has something that is not in the answer.

    An example may leave out members and entries of lists: it is an excerpt.
    """
    if isinstance(example, dict) and isinstance(answer, dict):
        return [
            stray
            for name, told in example.items()
            if name not in NEW_EACH_TIME
            for stray in (strays(told, answer[name], f"{at}/{name}") if name in answer else [f"{at}/{name}"])
        ]
    if isinstance(example, list) and isinstance(answer, list):
        found = [[strays(told, entry, f"{at}/{place}") for entry in answer] for place, told in enumerate(example)]
        return [min(strayed, key=len, default=[at])[0] for strayed in found if [] not in strayed]
    return [] if example == answer and type(example) is type(answer) else [at]


def test_every_example_of_a_read_is_an_excerpt_of_the_real_answer(document: Part, client: TestClient) -> None:
    receipt = raise_concern(client, **FULL_EXAMPLE)
    status_token, reference = receipt["status_token"], receipt["reference"]
    assert add(client, receipt).status_code == 201
    for told in operations(document):
        content = told.definition["responses"].get("200", {}).get("content", {})
        if told.method != "get" or JSON not in content or told.id in NOT_COMPARED or told.scheme == "ClientKey":
            continue

        if told.id == "read_concern_status":
            answer = call(client, told, {"token": status_token, "reference": reference}).json()
            answer["links"]["self"] = answer["links"]["self"].replace(reference, EXAMPLE_REFERENCE)
        else:
            answer = call(client, told, {}).json()
        example = content[JSON]["example"]
        if "commit" in answer:
            answer["commit"] = example["commit"]  # the commit of this clone, where the tests run in one

        assert strays(example, answer) == [], told.id


def test_the_examples_of_a_raised_concern_are_excerpts_of_the_real_answers(document: Part, client: TestClient) -> None:
    for path, status in (("/v1/concerns/check", "200"), ("/v1/concerns", "201")):
        told = document["paths"][path]["post"]["responses"][status]["content"][JSON]["example"]

        answer = client.post(path, json=FULL_EXAMPLE).json()

        assert strays(told, answer) == []


def test_an_example_that_tells_too_much_would_be_found() -> None:
    answer = {"title": "A", "items": [{"id": "a", "place": 1}, {"id": "b", "place": 2}], "next": None}

    assert strays({"title": "A", "items": [{"id": "b"}]}, answer) == []
    assert strays({"title": "B"}, answer) == ["#/title"]
    assert strays({"items": [{"id": "a", "place": 2}]}, answer) == ["#/items/0/place"]
    assert strays({"items": [{"id": "c"}]}, answer) == ["#/items/0/id"]
    assert strays({"more": None, "next": False}, answer) == ["#/more", "#/next"]
