"""The documentation page in a real browser: it shows every operation, contacts no other host, and lets a reader try."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.testclient import TestClient

from app.config import Settings
from app.http.openapi import GROUPS
from app.main import create_app
from app.services.concerns.keys import create_identity
from tests.support.browsing import accessibility_violations
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.publishing import SLUG
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import need_script
from tests.support.waiting import LONG_ENOUGH

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


SHOWN = """(blocks) => blocks.map((block) =>
  [block.querySelector(".opblock-summary-method").innerText, block.querySelector("[data-path]").dataset.path])"""


class RecordedPage:
    """A page with a record of its requests, its warnings and errors, and its violations of the policy."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on(
            "console",
            lambda message: self.problems.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (v) => console.error('policy', v.violatedDirective))"
        )

    @property
    def hosts(self) -> set[str]:
        """The hosts of its requests, without data that is in the page itself."""
        return {urlsplit(url).netloc for url in self.requests if not url.startswith(("data:", "blob:"))}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a service."""
    with run_server(a_service(data_dir=tmp_path_factory.mktemp("docs") / "data")) as url:
        yield url


@pytest.fixture(scope="module")
def docs(browser: Browser, url: str) -> RecordedPage:
    """Open the page once for all tests, since that takes long."""
    need_script()
    recorded = RecordedPage(browser.new_page())
    recorded.page.goto(f"{url}/docs")
    recorded.page.locator(".opblock").first.wait_for()
    return recorded


def test_the_policy_names_no_other_host_and_no_script_in_the_page(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]

    sources = {name: set(values) for name, *values in map(str.split, policy.split(";"))}
    assert sources["default-src"] == {"'none'"}
    assert sources["script-src"] == {"'self'"}
    assert set().union(*sources.values()) <= {"'none'", "'self'", "data:"}


def test_every_operation_for_readers_is_shown(docs: RecordedPage, url: str) -> None:
    document = httpx.get(f"{url}/openapi.public.json", timeout=LONG_ENOUGH, trust_env=False).json()
    operations = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    shown = docs.page.locator(".opblock").evaluate_all(SHOWN)

    assert {tuple(each) for each in shown} == operations
    assert "999" in docs.page.locator(".info").inner_text()


def test_no_other_host_is_contacted_and_the_policy_is_not_violated(docs: RecordedPage, url: str) -> None:
    docs.page.wait_for_load_state("networkidle")

    assert docs.hosts == {urlsplit(url).netloc}
    assert docs.problems == []


def test_a_reader_can_try_a_read_and_sees_the_response(docs: RecordedPage, url: str) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/guides"]'))

    operation.get_by_role("button", name="Execute").click()  # where there is room, the first operation is open

    response = operation.locator(".live-responses-table .response").first
    response.wait_for()
    assert response.locator(".response-col_status").inner_text().startswith("200")
    assert SLUG in response.inner_text()
    assert f"{url}/v1/guides" in [url.partition("?")[0] for url in docs.requests]
    assert docs.problems == []


def test_a_reader_can_check_a_concern_with_the_example_on_the_page(docs: RecordedPage) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/concerns/check"]'))
    operation.locator(".opblock-summary-control").click()

    operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table .response").first
    response.wait_for()
    assert response.locator(".response-col_status").inner_text().startswith("200")
    assert '"kept": false' in response.inner_text()


def test_on_a_trial_the_first_execute_raises_a_concern_as_a_test(docs: RecordedPage) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/concerns"]'))
    operation.locator(".opblock-summary-control").click()

    with docs.page.expect_request(lambda request: request.method == "POST") as sent:
        operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table .response").first
    response.wait_for()
    assert (sent.value.post_data_json or {})["test"] is True
    assert response.locator(".response-col_status").inner_text().startswith("201")
    assert '"test": true' in response.inner_text()
    assert "Trial: send nothing real" in docs.page.locator("header").inner_text()


def status_of_first_execute(operation: Locator) -> str:
    """Open the operation if it is closed, press Execute, return the status of the response, and close the operation.

    The page draws all open operations again after each change.
    """
    button, summary = operation.get_by_role("button", name="Execute"), operation.locator(".opblock-summary-control")
    if not button.is_visible():
        summary.click()
    button.click()
    status = operation.locator(".live-responses-table .response .response-col_status").first.inner_text()[:3]
    summary.click()
    return status


@pytest.mark.nightly
def test_the_first_execute_succeeds_without_a_concern_before(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/docs")
    page.locator(".opblock").first.wait_for()
    blocks = page.locator(".opblock").all()

    statuses = {each.locator("[data-path]").first.inner_text(): status_of_first_execute(each) for each in blocks}

    assert len(statuses) >= 2
    assert {path: status for path, status in statuses.items() if status not in ("200", "201")} == {}
    page.close()


def test_raising_a_concern_is_the_first_group(docs: RecordedPage) -> None:
    groups = [each.get_attribute("data-tag") for each in docs.page.locator(".opblock-tag").all()]

    assert groups[:4] == ["Concerns", "Guides", "Follow-up", "Parts of a guide"]


def test_every_refusal_of_an_operation_can_be_chosen_with_its_example(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.goto(f"{url}/docs")
    operation = page.locator(".opblock", has=page.locator('[data-path="/v1/concerns"]'))
    operation.locator(".opblock-summary-control").click()
    refusals = operation.locator('tr.response[data-code="default"]')
    named = refusals.locator("select.examples-select-element option").all_inner_texts()

    refusals.locator("select.examples-select-element").select_option("too-slow")

    assert {"unreadable-body", "too-slow", "too-large", "not-json", "internal-error", "busy"} <= {*named}
    expect(refusals).to_contain_text("/v1/problems/too-slow")
    expect(refusals).to_contain_text('"number": "999"')
    page.close()


def test_every_operation_is_found_by_its_group_or_by_words(browser: Browser, url: str) -> None:
    recorded = RecordedPage(browser.new_page(viewport={"width": 1280, "height": 800}))
    page = recorded.page
    page.goto(f"{url}/docs/all")
    page.locator(".opblock-tag").first.wait_for()
    groups = page.locator(".group").all_inner_texts()
    height = page.evaluate("document.documentElement.scrollHeight")
    search, found = page.get_by_label("Search the operations"), page.locator(".found")

    assert groups == list(GROUPS)
    assert page.locator(".opblock:visible").count() == 0
    assert height <= 3.25 * 800
    search.fill("restriction  Lift")
    expect(found).to_have_text("1 operation has these words.")
    assert page.locator(".opblock:visible [data-path]").all_inner_texts() == [
        "/v1/desk/concerns/{reference}/restriction"
    ]
    assert page.locator(".group").all_inner_texts() == ["Work at the desk"]
    assert accessibility_violations(page) == []
    search.fill("nobody wrote this")
    expect(found).to_have_text("No operations have these words.")
    search.fill("")
    expect(found).to_have_text("")
    page.get_by_role("button", name="Desk", exact=True).press("Enter")
    assert page.locator(".opblock:visible").count() > 20
    assert accessibility_violations(page) == []
    assert recorded.problems == []
    page.close()


def test_a_server_built_without_npm_says_so_and_where_the_document_is(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pages.operations.api_docs.SWAGGER_DIR", tmp_path / "swagger")

    page = client.get("/docs").text

    assert "make desk-script" in page
    assert 'href="/openapi.public.json"' in page
    assert "/docs/swagger-ui" not in page
    assert "/docs/docs.js" not in page
    assert client.get("/docs/swagger-ui.css").status_code == 404


def test_the_page_has_no_key_if_concerns_are_real(settings: Settings, tmp_path: Path) -> None:
    own = {"seal_to": (create_identity(tmp_path / "identity", at=A_TUESDAY),)}
    with TestClient(create_app(settings.model_copy(update=own))) as client:
        real = client.get("/docs")

    assert "data-test-key" not in real.text
    assert "trial" not in real.text


def test_a_trial_key_is_shared_renewed_and_sends_only_tests(client: TestClient, clock: SettableClock) -> None:
    keys = [
        re.findall(r'data-test-key="([^"]+)"', client.get(path).text)[0] for path in ("/docs", "/docs", "/docs/all")
    ]
    clock.time += dt.timedelta(hours=13)
    keys.append(re.findall(r'data-test-key="([^"]+)"', client.get("/docs").text)[0])
    concern = {
        "immediate_danger": "no",
        "reporter": {"kind": "anonymous"},
        "children": [{}],
        "concern": {"narrative": "Invented."},
    }
    sent = [
        client.post("/v1/concerns", json=concern | mark, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (keys[0], keys[-1])
        for mark in ({"test": True}, {})
    ]

    assert len(set(keys)) == 2
    assert sent == [201, 422, 201, 422]


def test_each_operation_of_the_readers_part_has_samples_in_three_languages(docs: RecordedPage, url: str) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/guides/{guide}"]'))
    operation.locator(".opblock-summary-control").click()
    samples = operation.locator(".samples")
    samples.wait_for()

    assert samples.locator("summary").all_inner_texts() == ["curl", "Python", "JavaScript"]
    assert [each.is_visible() for each in samples.locator("pre").all()] == [True] * 3
    program = samples.locator("pre").nth(1).text_content() or ""
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert SLUG in ran.stdout
    assert f"{url}/v1/guides/{SLUG}" in (samples.locator("pre").first.text_content() or "")


@pytest.mark.nightly
@pytest.mark.parametrize(("width", "height", "colours"), [(320, 640, "light"), (360, 740, "dark"), (1280, 800, "dark")])
def test_the_first_execute_succeeds_on_a_page_without_barriers(
    browser: Browser, url: str, width: int, height: int, colours: Literal["light", "dark"]
) -> None:
    recorded = RecordedPage(browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours))
    page = recorded.page
    page.goto(f"{url}/docs")
    page.locator(".opblock").first.wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") <= 10 * max(height, 740)
    operation = page.locator(".opblock", has=page.locator('[data-path="/v1/concerns"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table .response").first
    response.wait_for()
    page.evaluate("scrollTo(0, 0)")  # so that no button is half behind the bar that stays on top

    assert response.locator(".response-col_status").inner_text().startswith("201")
    assert operation.locator(".samples pre").first.is_visible()
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    exit_box = page.locator("[data-exit]").bounding_box()
    assert exit_box is not None
    assert width - (exit_box["x"] + exit_box["width"]) < 40
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in (".opblock-summary-description", ".execute", ".samples summary"):
        shown = operation.locator(part).first.element_handle()  # a button's letters take a moment to grow
        page.wait_for_function("it => parseFloat(getComputedStyle(it).fontSize) >= 28", arg=shown)
    assert recorded.hosts == {urlsplit(url).netloc}
    assert recorded.problems == []
    page.close()
