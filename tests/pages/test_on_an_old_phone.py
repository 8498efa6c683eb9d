"""The public pages on an old phone: their size, the time to first paint, and the time to send a form.

Chromium runs on a processor that is slowed down four times. Each request takes 400 ms longer, at 400 kbit/s in both
directions, like a slow 3G mobile network. New connections are not slowed down: on a real phone, connecting takes up to
three round trips more.
"""

import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bench.content import GUIDE
from bench.servers import UNLIMITED, guidance
from tests.support.browsing import launch_browser
from tests.support.journeys import answer

pytestmark = [pytest.mark.nightly, pytest.mark.slow]

SLOWER = 4
LATENCY_MILLISECONDS, KILOBITS = 400, 400
SCREEN: Any = {"width": 360, "height": 640}
FORMS = {
    f"/raise-a-concern/{GUIDE}": {"immediate_danger": "no", "reporter.kind": "professional"},
    "/raise-a-concern": {"immediate_danger": "not_sure", "reporter.kind": "member_of_public"},
    "/worried-about-yourself": {"immediate_danger": "no"},
    "/worried-about-a-friend": {"immediate_danger": "no"},
}
STARTS = ("/", "/cy/", "/concerns/saved", *FORMS)
LINK = re.compile(r"""href=["'](/[^"'#?]*)""")
OTHERS = ("/cy/", "/docs", "/looks/", "/v1/")
"""Beginnings of paths that are not measured: of the Welsh pages, only the home page is."""
LOADED = """
() => {
  const [page] = performance.getEntriesByType("navigation");
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime / 1000,
    page: page.encodedBodySize / 1000,
  };
}
"""
MOST_KILOBYTES, MOST_SECONDS_TO_PAINT, MOST_SECONDS_TO_SEND = 30, 1, 3
ROUNDS, ATTEMPTS = 3, 3
PAINT_MILLISECONDS = 15_000
POLL_MILLISECONDS = 50  # a fixed interval, because a page that does not change draws no frames
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"


def find_pages(url: str) -> list[str]:
    """Return the paths of the public pages: those in `STARTS`, and all pages that they lead to by links."""
    found: dict[str, bool] = {}
    waiting = list(STARTS)
    with httpx.Client(base_url=url, trust_env=False, headers={"Accept": "text/html"}) as client:
        while waiting:
            path = waiting.pop(0)
            answer = client.get(path).raise_for_status()
            found[path] = answer.headers["Content-Type"].startswith("text/html")
            if found[path]:
                links = dict.fromkeys(LINK.findall(answer.text))
                waiting += [each for each in links if each not in {*found, *waiting} and not each.startswith(OTHERS)]
    return [path for path, is_page in found.items() if is_page]


@contextmanager
def _phone(browser: Browser, has_scripts: bool) -> Iterator[Page]:
    """Yield a page in a browser with an empty cache and the screen of a phone."""
    context = browser.new_context(viewport=SCREEN, is_mobile=True, has_touch=True, java_script_enabled=has_scripts)
    try:
        yield context.new_page()
    finally:
        context.close()


def _slow_down(page: Page) -> CDPSession:
    """Slow down the processor and the network of the page, until the returned session ends."""
    session = page.context.new_cdp_session(page)
    speed = KILOBITS * 1000 / 8
    network = {"latency": LATENCY_MILLISECONDS, "downloadThroughput": speed, "uploadThroughput": speed}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", network | {"offline": False})
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return session


def open_page(browser: Browser, url: str, has_scripts: bool) -> dict[str, float]:
    """Open the page, and return its measurements. If Chromium reports no paint, open the page again."""
    for _ in range(ATTEMPTS - 1):
        with suppress(PlaywrightTimeout):
            return _open_once(browser, url, has_scripts)
    return _open_once(browser, url, has_scripts)


def _open_once(browser: Browser, url: str, has_scripts: bool) -> dict[str, float]:
    with _phone(browser, has_scripts) as page:
        _slow_down(page)
        page.goto(url)
        page.wait_for_function(PAINTED, polling=POLL_MILLISECONDS, timeout=PAINT_MILLISECONDS)
        measured: dict[str, float] = page.evaluate(LOADED)
        return measured


def send(browser: Browser, url: str, answers: dict[str, str], has_scripts: bool) -> float:
    """Fill in the form at `url`, and send it. Return the seconds from pressing Send until the receipt appears."""
    with _phone(browser, has_scripts) as page:
        page.goto(url)
        answer(page, answers)
        while page.locator("[data-continue]:visible").count():
            page.locator("[data-continue]:visible").click()
            answer(page, answers)
        page.locator("[data-check]").click()
        page.locator("#send").wait_for()
        _slow_down(page)
        began = time.perf_counter()
        page.locator("#send").click(no_wait_after=True)
        page.locator("p.reference").first.wait_for()
        return time.perf_counter() - began


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without scripts"])
def test_every_public_page_is_light_and_soon_there_on_an_old_phone(tmp_path: Path, has_scripts: bool) -> None:
    with guidance("pages", tmp_path, **UNLIMITED) as server, launch_browser() as browser:
        open_page(browser, server.url, has_scripts)  # not measured: the first page of a browser takes longer
        opened = {
            path: [open_page(browser, server.url + path, has_scripts) for _ in range(ROUNDS)]
            for path in find_pages(server.url)
        }
        sent = {
            path: statistics.median(send(browser, server.url + path, FORMS[path], has_scripts) for _ in range(ROUNDS))
            for path in FORMS
        }
    weights = {path: rounds[0]["page"] for path, rounds in opened.items()}
    paints = {path: statistics.median(each["paint"] for each in rounds) for path, rounds in opened.items()}
    for what, figures in (("kB", weights), ("s to paint", paints), ("s to send", sent)):
        slowest = max(figures, key=lambda path: figures[path])
        print(f"at most {figures[slowest]:.2f} {what}: {slowest}")  # noqa: T201  # for the documents, with -s

    assert len(opened) > len(STARTS)
    assert {path: weight for path, weight in weights.items() if weight > MOST_KILOBYTES} == {}
    assert {path: paint for path, paint in paints.items() if paint > MOST_SECONDS_TO_PAINT} == {}
    assert {path: seconds for path, seconds in sent.items() if seconds > MOST_SECONDS_TO_SEND} == {}
