"""The documentation page in a real browser: it shows every operation, contacts no other host, and lets a reader try."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient

from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from tests.support.browsing import accessibility_violations
from tests.support.clock import A_TUESDAY
from tests.support.publishing import SLUG
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.waiting import LONG_ENOUGH

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


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


def test_every_operation_of_the_api_is_shown(docs: RecordedPage, url: str) -> None:
    document = httpx.get(f"{url}/openapi.json", timeout=LONG_ENOUGH, trust_env=False).json()
    described = document["paths"] | document["webhooks"]
    operations = {(method.upper(), path) for path, methods in described.items() for method in methods}

    shown = {
        (block.locator(".opblock-summary-method").inner_text(), block.locator("[data-path]").get_attribute("data-path"))
        for block in docs.page.locator(".opblock").all()
    }

    assert shown == operations
    assert "999" in docs.page.locator(".info").inner_text()


def test_no_other_host_is_contacted_and_the_policy_is_not_violated(docs: RecordedPage, url: str) -> None:
    docs.page.wait_for_load_state("networkidle")

    assert docs.hosts == {urlsplit(url).netloc}
    assert docs.problems == []


def test_a_reader_can_try_a_read_and_sees_the_response(docs: RecordedPage, url: str) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/guides"]'))
    operation.locator(".opblock-summary-control").click()

    operation.get_by_role("button", name="Execute").click()

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


def test_what_the_page_sends_as_a_concern_is_marked_as_a_test_and_needs_a_test_key(docs: RecordedPage) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/concerns"]'))
    operation.locator(".opblock-summary-control").click()

    with docs.page.expect_request(lambda request: request.method == "POST") as sent:
        operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table .response").first
    response.wait_for()
    assert (sent.value.post_data_json or {})["test"] is True
    assert response.locator(".response-col_status").inner_text().startswith("422")
    assert "A test needs a test key" in response.inner_text()


def test_with_a_test_key_the_first_check_and_the_first_concern_of_the_page_are_taken_as_tests(
    browser: Browser, tmp_path: Path
) -> None:
    service = a_service(data_dir=tmp_path / "data")
    with run_server(service) as url:
        sandbox = NewClient(name="example-sandbox", scopes=[Scope.SUBMIT], test=True)
        key = add_client(service.state.context.writer, sandbox, at=A_TUESDAY)
        page = browser.new_page()
        page.goto(f"{url}/docs")
        page.locator(".scheme-container .btn.authorize").click()
        scheme = page.locator(".auth-container", has_text="ClientKey")
        scheme.locator("input").fill(key)
        scheme.locator("button.authorize").click()
        page.locator(".btn-done").last.click()
        answers = []
        for path in ("/v1/concerns/check", "/v1/concerns"):
            operation = page.locator(".opblock-post", has=page.locator(f'[data-path="{path}"]'))
            operation.locator(".opblock-summary-control").click()
            with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
                operation.get_by_role("button", name="Execute").click()
            answers.append(answered.value)
        page.close()

    assert [answer.status for answer in answers] == [200, 201]
    assert [(answer.request.post_data_json or {})["test"] for answer in answers] == [True, True]


@pytest.mark.nightly
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_has_no_barrier_with_an_operation_open(browser: Browser, url: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{url}/docs")
    operation = page.locator(".opblock", has=page.locator('[data-path="/v1/concerns/check"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").wait_for()

    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".info .description").inner_text().count("versioned, structured data") == 1
    page.close()
