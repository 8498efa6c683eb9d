"""A page of another origin reads the indicators and raises a concern, with types from the document, in a browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.command import ROOT
from tests.support.live import LiveServer
from tests.support.node import installed_copy, run_node

EXAMPLE = ROOT / "examples" / "javascript"
pytestmark = [pytest.mark.slow, pytest.mark.any_database]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_copy(EXAMPLE, tmp_path_factory.mktemp("javascript") / "example")


@pytest.fixture(scope="module")
def origin(folder: Path) -> Iterator[str]:
    """Serve the example on an origin of its own, and return that."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, origin: str, folder: Path) -> Iterator[LiveServer]:
    """Start a service that takes concerns from that origin, and build the example with the types of its document."""
    with LiveServer(tmp_path_factory.mktemp("service") / "data", allowed_origins=origin) as server:
        with server.client() as client:
            (folder / "openapi.json").write_bytes(client.get("/openapi.json").content)
        run_node(folder, "npm", "run", "types")
        run_node(folder, "npm", "run", "build")
        yield server


@pytest.fixture
def page(browser: Browser, server: LiveServer, origin: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{origin}/index.html?service={server.url}")
    yield page
    page.close()


@pytest.mark.nightly
def test_the_page_of_another_origin_shows_the_indicators_with_their_cautions(page: Page) -> None:
    page.locator("#indicators li").nth(9).wait_for()

    assert page.locator("#indicators li").count() == 10
    assert page.locator("#cautions li").count() == 2


@pytest.mark.nightly
def test_the_page_of_another_origin_raises_a_concern_once_however_often_it_is_sent(page: Page) -> None:
    page.get_by_label("No", exact=True).check()
    page.get_by_label("What are you worried about?").fill("An invented account of what was seen.")
    references = set()
    for _ in range(2):
        page.get_by_role("button", name="Send").click()
        page.locator("#result", has_text="999").wait_for()
        references.add((page.locator("#result").text_content() or "").partition(":")[0])

    assert len(references) == 1


def test_the_page_of_another_origin_says_what_is_missing(page: Page) -> None:
    page.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="Send").click()

    page.locator("#result", has_text="#/concern/narrative").wait_for()
