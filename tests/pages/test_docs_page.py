"""The documentation page in a real browser: it draws every operation, asks nobody else, and lets a reader try."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.browsing import served
from tests.support.clock import SettableClock
from tests.support.publishing import SLUG

pytestmark = pytest.mark.any_database


class Watched:
    """A page whose requests, complaints and violations of the policy are noted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (v) => console.error('policy', v.violatedDirective))"
        )

    @property
    def hosts(self) -> set[str]:
        """Wherever it asked, but for what stands in the page itself."""
        return {urlsplit(url).netloc for url in self.asked if not url.startswith(("data:", "blob:"))}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("docs") / "data", deliver=False)
    with served(create_app(settings, SettableClock())) as url:
        yield url


@pytest.fixture(scope="module")
def docs(browser: Browser, url: str) -> Watched:
    """The page, drawn: once, since that takes long."""
    watched = Watched(browser.new_page())
    watched.page.goto(f"{url}/docs")
    watched.page.locator(".opblock").first.wait_for()
    return watched


def test_the_policy_names_no_other_host_and_no_script_in_the_page(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]

    sources = {name: set(told) for name, *told in map(str.split, policy.split(";"))}
    assert sources["default-src"] == {"'none'"}
    assert sources["script-src"] == {"'self'"}
    assert set().union(*sources.values()) <= {"'none'", "'self'", "data:"}


def test_every_operation_of_the_api_is_drawn(docs: Watched, url: str) -> None:
    paths = httpx.get(f"{url}/openapi.json", trust_env=False).json()["paths"]
    operations = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    drawn = {
        (block.locator(".opblock-summary-method").inner_text(), block.locator("[data-path]").get_attribute("data-path"))
        for block in docs.page.locator(".opblock").all()
    }

    assert drawn == operations
    assert "999" in docs.page.locator(".info").inner_text()


def test_nothing_is_asked_of_any_other_host_and_the_policy_is_kept(docs: Watched, url: str) -> None:
    docs.page.wait_for_load_state("networkidle")

    assert docs.hosts == {urlsplit(url).netloc}
    assert docs.complaints == []


def test_a_reader_can_try_a_read_and_sees_the_answer(docs: Watched, url: str) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/guides"]'))
    operation.locator(".opblock-summary-control").click()

    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response").first
    answer.wait_for()
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert SLUG in answer.inner_text()
    assert f"{url}/v1/guides" in [url.partition("?")[0] for url in docs.asked]
    assert docs.complaints == []


def test_a_reader_can_check_a_concern_with_the_example_that_is_there(docs: Watched) -> None:
    operation = docs.page.locator(".opblock", has=docs.page.locator('[data-path="/v1/concerns/check"]'))
    operation.locator(".opblock-summary-control").click()

    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response").first
    answer.wait_for()
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert '"kept": false' in answer.inner_text()
