"""Small promises to callers that no other test holds: preflights, discovery, builds and events."""

import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import VERSION, Settings
from app.main import create_app
from app.models.clients import Scope
from tests.support.clock import SettableClock
from tests.support.concerns import Concern
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, a_key, an_edition, publish_next

ORIGIN = "https://front-end.example"
READ = ("accept-datetime", "traceparent", "tracestate", "x-request-id", "if-none-match")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def preflight(client: TestClient, path: str, method: str, *names: str) -> Any:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(names),
    }
    return client.options(path, headers=headers)


@for_each("name", READ)
def test_a_page_of_any_origin_may_send_the_header(client: TestClient, name: str) -> None:
    assert preflight(client, GUIDE, "GET", name).status_code == 200


def test_a_page_that_may_post_may_send_its_trace(settings: Settings, clock: SettableClock) -> None:
    own = settings.model_copy(update={"allowed_origins": (ORIGIN,)})
    with TestClient(create_app(own, clock)) as client:
        answer = preflight(
            client, "/v1/concerns", "POST", "content-type", "idempotency-key", "traceparent", "x-request-id"
        )

    assert answer.status_code == 200


def test_a_reader_in_a_browser_sees_what_it_needs(client: TestClient) -> None:
    exposed = client.get(f"{GUIDE}/editions/1").headers["Access-Control-Expose-Headers"].lower()

    for name in ("memento-datetime", "content-location", "link", "etag", "ratelimit", "retry-after", "x-request-id"):
        assert name in exposed


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready"])
def test_what_is_for_operators_is_not_for_pages_of_other_origins(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": ORIGIN})

    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert preflight(client, path, "GET", "traceparent").status_code == 405


def test_an_acknowledgement_needs_no_body(client: TestClient, desk: Desk, a_concern: Concern) -> None:
    references = [client.post("/v1/concerns", json=a_concern()).json()["reference"] for _ in range(2)]
    paths = [f"/v1/desk/concerns/{reference}/acknowledgement" for reference in references]

    bare = client.post(paths[0], headers=desk.headers)
    empty = client.post(paths[1], headers=desk.headers | {"Content-Type": "application/json"}, json={})
    other = client.post(paths[1], headers=desk.headers | {"Content-Type": "text/plain"}, content="seen")

    assert [bare.json()["state"], empty.json()["state"]] == ["acknowledged", "acknowledged"]
    assert other.status_code == 415


def test_the_build_is_named_by_the_index_the_metrics_and_the_command(settings: Settings, clock: SettableClock) -> None:
    with TestClient(create_app(settings.model_copy(update={"commit": COMMIT}), clock)) as client:
        index, metrics = client.get("/v1").json(), client.get("/metrics").text
    printed = CliRunner().invoke(app, ["--version"], env={"GUIDANCE_COMMIT": COMMIT})

    assert (index["version"], index["commit"]) == (VERSION, COMMIT)
    assert f'guidance_build_info{{commit="{COMMIT}",version="{VERSION}"}} 1.0' in metrics
    assert (printed.exit_code, printed.output.strip()) == (0, f"guidance {VERSION} ({COMMIT})")


def test_an_event_has_the_same_id_whenever_it_is_pulled(client: TestClient, a_concern: Concern) -> None:
    key = a_key(client, Scope.EVENTS)
    for _ in range(2):
        client.post("/v1/concerns", json=a_concern())

    first, again = (client.get("/v1/events", headers=key).json()["events"] for _ in range(2))

    ids = [event["id"] for event in first]
    assert len(set(ids)) == len(ids) == 5
    assert ids == [event["id"] for event in again]


@pytest.mark.parametrize(
    "path", ["/v1/indicators.csv", f"{GUIDE}/indicators.csv", f"{GUIDE}/editions/1/indicators.csv"]
)
def test_a_table_has_a_utf_8_mark_where_it_is_requested(client: TestClient, path: str) -> None:
    plain, marked = client.get(path), client.get(path, params={"bom": "1"})

    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert not plain.content.startswith(b"\xef")
    assert plain.headers["ETag"] != marked.headers["ETag"]
    assert client.get(path, params={"bom": "yes"}).status_code == 400


def test_a_table_across_guides_has_every_item_with_its_guide(client: TestClient, service: FastAPI) -> None:
    publish_next(service, "another-guide")

    lines = client.get("/v1/indicators.csv").text.splitlines()
    one = client.get("/v1/indicators.csv", params={"guide": "another-guide"}).text.splitlines()

    count = len(an_edition().indicators)
    assert len(lines) == 1 + 2 * count
    assert len(one) == 1 + count
    assert all(line.startswith("another-guide,1,sha256:") for line in one[1:])


def test_the_guide_s_page_leads_programs_to_its_data(client: TestClient) -> None:
    page = client.get(f"/guides/{SLUG}").text

    links = re.findall(r'<link rel="alternate" type="([^"]+)"(?: title="Editions")? href="([^"]+)">', page)
    assert {"application/json", "text/markdown", "application/feed+json", "application/atom+xml"} <= {
        t for t, _ in links
    }
    for media_type, path in links:
        assert client.get(path).headers["Content-Type"].startswith(media_type)


def test_the_guide_s_page_has_a_data_block_that_no_text_can_leave(client: TestClient, service: FastAPI) -> None:
    publish_next(service, "nasty", title="</script><script>alert(1)</script>")

    page = client.get("/guides/nasty").text

    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, flags=re.DOTALL)
    data = json.loads(block)
    assert data["@context"] == "https://schema.org"
    assert data["name"] == "</script><script>alert(1)</script>"
    assert data["mainEntity"]["availableChannel"][0]["servicePhone"][0]["telephone"].startswith("+44")
    assert "<" not in block
    assert "<script>alert" not in page


def test_a_program_that_knows_only_the_host_finds_the_document(client: TestClient) -> None:
    answer = client.get("/.well-known/api-catalog")

    linkset = answer.json()["linkset"]
    assert answer.headers["Content-Type"].startswith("application/linkset+json")
    described = {each["anchor"]: each for each in linkset}
    document = described["http://127.0.0.1:8000/v1"]["service-desc"][0]["href"]
    assert client.get(document.removeprefix("http://127.0.0.1:8000")).json()["openapi"].startswith("3.1")
    assert [item["href"] for item in linkset[0]["item"]] == [each["anchor"] for each in linkset[1:]]
