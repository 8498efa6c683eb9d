"""Ten guides stop nobody: each example of a concern, in any document, is accepted among them as it is with one."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.concerns.concern import Concern
from docs_site.api import resolved
from tests.support.clock import SettableClock
from tests.support.openapi import examples_of
from tests.support.publishing import an_edition, publish_next

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOURCES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*",
    "examples/**/*",
    "app/pages/samples/*",
    "app/pages/templates/*",
    "app/extensions/*/templates/*",
    "tests/contract/released/**/*",
)
GUIDES = 10
MINUTE = dt.timedelta(minutes=1)
BASIC = {
    "immediate_danger": "yes",
    "reporter": {"kind": "child"},
    "children": [{}],
    "concern": {"narrative": "Please help me."},
}
LITERAL = YAML(typ="safe")  # a flow mapping of YAML is an object of JSON, of Python and of JavaScript alike


def literals(text: str) -> Iterator[Any]:
    """Yield each concern that is written as an object in the text."""
    for start in (found.start() for found in re.finditer(r"\{", text)):
        depth = 0
        for place in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                inside = text[start : place + 1]
                is_finished = re.search(r'narrative["\']?:\s*\(?\s*["\'`]\w', inside) and "children" in inside
                if re.match(r'\{\s*["\']?(immediate_danger|guide)["\']?:', inside) and is_finished:
                    yield LITERAL.load(inside)
                break


def written() -> Iterator[tuple[str, Any]]:
    """Yield every concern that a document of the repository shows."""
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}):
        if path.suffix in {".md", ".py", ".sh", ".txt", ".js", ".html", ".json"}:
            text = path.read_text(encoding="utf-8")
            yield from ((path.relative_to(ROOT).as_posix(), concern) for concern in literals(text))


def in_the_document(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every example of a concern in the OpenAPI document, its webhooks and callbacks included."""
    for path in ("/v1/concerns", "/v1/concerns/check"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        yield from ((path, example) for example in examples_of(content))
    schema = document["components"]["schemas"]["Concern"]["properties"]
    required = Concern.model_json_schema()["required"]
    yield "the examples of the fields", {name: schema[name]["examples"][0] for name in required}
    yield "every field's example", {name: field["examples"][0] for name, field in schema.items()}


def examples(document: dict[str, Any]) -> list[tuple[str, Any]]:
    return [("the four required members", BASIC), *in_the_document(document), *written()]


def refusals(client: TestClient, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Post each example through the check and as a concern, and return what was not accepted."""
    refused = []
    for source, concern in examples(document):
        for path, status in (("/v1/concerns/check", 200), ("/v1/concerns", 201)):
            answer = client.post(path, json=concern)
            if answer.status_code != status:
                refused.append((source, answer.text))
    return refused


@pytest.fixture
def among_ten(client: TestClient, service: FastAPI, clock: SettableClock) -> list[str]:
    """Ten guides: half with the items of the first, half with others."""
    first = [guide["guide"] for guide in client.get("/v1/guides").json()["guides"]]
    names = [f"guide-number-{number}" for number in range(2, GUIDES + 1)]
    others = [indicator.model_dump() | {"id": f"other-{indicator.id}"} for indicator in an_edition().indicators]
    for place, name in enumerate(names):
        clock.time += MINUTE
        publish_next(service, name, **({"indicators": tuple(others)} if place % 2 else {}))
    return [*first, *names]


def test_every_example_of_every_document_is_accepted_among_ten_guides(
    service: FastAPI, client: TestClient, among_ten: list[str]
) -> None:
    assert len(among_ten) == GUIDES
    assert refusals(client, resolved(service.openapi())) == []


def test_every_example_is_accepted_whichever_guide_is_the_default(
    service: FastAPI, settings: Settings, clock: SettableClock, among_ten: list[str]
) -> None:
    document = resolved(service.openapi())
    for name in among_ten[1:3]:
        again = create_app(settings.model_copy(update={"default_guide": name}), clock)
        with TestClient(again) as client:
            assert client.post("/v1/concerns", json=BASIC).json()["guide"] == name
            assert refusals(client, document) == []


@pytest.mark.usefixtures("among_ten")
def test_the_form_page_takes_a_concern_among_ten_guides(client: TestClient) -> None:
    form = client.get("/raise-a-concern")
    answers = {
        "immediate_danger": "yes",
        "reporter.kind": "child",
        "concern.narrative": "Please help me.",
        "do": "send",
        "edition": "1",
    }

    sent = client.post(form.url.path, data=answers, headers={"Origin": "http://testserver"})

    assert form.status_code == 200
    assert sent.status_code == 201, sent.text


def test_examples_are_found_in_documents_of_every_kind() -> None:
    sources = {source for source, _ in written()}

    assert {"README.md", "app/pages/samples/curl.sh", "app/pages/samples/browser.js.txt"} <= sources
    assert "app/pages/samples/python.py.txt" in sources
