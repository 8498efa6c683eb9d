"""The public pages on an old phone: their size, the time to first paint, and the time to send a form.

Chromium runs on a processor that is slowed down four times. Each request takes 400 ms longer, at 400 kbit/s in both
directions, like a slow 3G mobile network. New connections are not slowed down: on a real phone, connecting takes up to
three round trips more.
"""

import argparse
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, CDPSession, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bench.browser import is_browser_installed, running_browser
from bench.content import GUIDE
from bench.report import FIRST_PAINT, HEAVIEST, SENDING, WITH_ALL
from bench.rounds import Results, Say
from bench.servers import UNLIMITED, guidance

SLOWER = 4
LATENCY_MILLISECONDS, KILOBITS = 400, 400
SCREEN: Any = {"width": 360, "height": 640}
SCRIPTS = {", with scripts": True, ", without scripts": False}
FORMS = {
    f"/raise-a-concern/{GUIDE}": {"immediate_danger": "no", "reporter.kind": "professional"},
    "/raise-a-concern": {"immediate_danger": "not_sure", "reporter.kind": "member_of_public"},
    "/worried-about-yourself": {"immediate_danger": "no"},
    "/worried-about-a-friend": {"immediate_danger": "no"},
}
NARRATIVE = "Alex Example was collected from school by an adult that staff do not know."
STARTS = ("/", "/cy/", "/concerns/saved", *FORMS)
LINK = re.compile(r"""href=["'](/[^"'#?]*)""")
OTHERS = ("/cy/", "/docs", "/looks/", "/v1/")
"""Beginnings of paths that are not measured: of the Welsh pages, only the home page is."""
LOADED = """
() => {
  const [page] = performance.getEntriesByType("navigation");
  const parts = performance.getEntriesByType("resource");
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime / 1000,
    page: page.encodedBodySize / 1000,
    all: [page, ...parts].reduce((sum, each) => sum + each.encodedBodySize, 0) / 1000,
  };
}
"""
ATTEMPTS = 3
PAINT_MILLISECONDS = 15_000
POLL_MILLISECONDS = 50  # a fixed interval, because a page that does not change draws no frames
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"


def measure_pages(results: Results, work: Path, arguments: argparse.Namespace, say: Say) -> None:
    """Open each page and send each form several times, with JavaScript and without. Add the figures to `results`."""
    if not is_browser_installed():
        results.skipped["the pages on an old phone"] = "chromium is not installed"
        return
    with guidance("pages", work / "pages", **UNLIMITED) as server, running_browser() as browser:
        paths = find_pages(server.url)
        for how, has_scripts in SCRIPTS.items():
            _open(browser, server.url, has_scripts, say)  # not measured: the first page of a browser takes longer
            paints: dict[str, float] = {}
            loaded: dict[str, dict[str, float]] = {}
            sent: defaultdict[str, list[float]] = defaultdict(list)
            for path in paths:
                say(f"{path}{how}")
                rounds = [_open(browser, server.url + path, has_scripts, say) for _ in range(arguments.rounds)]
                paints[path] = statistics.median(each["paint"] for each in rounds)
                loaded[path] = rounds[-1]
            for path, answers in FORMS.items():
                for number in range(arguments.rounds):
                    say(f"sending {path}{how}: {number + 1} of {arguments.rounds}")
                    sent[path].append(_send(browser, server.url + path, answers, has_scripts))
            results.figures |= {
                HEAVIEST: max(each["page"] for each in loaded.values()),
                WITH_ALL + how: max(each["all"] for each in loaded.values()),
                FIRST_PAINT + how: max(paints.values()),
                SENDING + how: max(map(statistics.median, sent.values())),
            }
            for path, each in loaded.items():
                results.figures[f"kilobytes of {path}"] = each["page"]
                results.figures[f"kilobytes of {path} with all that it loads{how}"] = each["all"]
                results.figures[f"seconds to the first paint of {path}{how}"] = paints[path]
            for path, times in sent.items():
                results.figures[f"seconds to send {path}{how}"] = statistics.median(times)


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


def _open(browser: Browser, url: str, has_scripts: bool, say: Say) -> dict[str, float]:
    """Open the page, and return its measurements. If Chromium reports no paint, say so and open the page again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _open_once(browser, url, has_scripts)
        except PlaywrightTimeout:
            say(f"opened again, as Chromium did not say when it painted: {url}")
    return _open_once(browser, url, has_scripts)


def _open_once(browser: Browser, url: str, has_scripts: bool) -> dict[str, float]:
    with _phone(browser, has_scripts) as page:
        _slow_down(page)
        page.goto(url)
        page.wait_for_function(PAINTED, polling=POLL_MILLISECONDS, timeout=PAINT_MILLISECONDS)
        measured: dict[str, float] = page.evaluate(LOADED)
        return measured


def _send(browser: Browser, url: str, answers: dict[str, str], has_scripts: bool) -> float:
    """Fill in the form at `url`, and send it. Return the seconds from pressing Send until the receipt appears."""
    with _phone(browser, has_scripts) as page:
        page.goto(url)
        _answer(page, answers)
        while page.locator("[data-continue]:visible").count():
            page.locator("[data-continue]:visible").click()
            _answer(page, answers)
        page.locator("[data-check]").click()
        page.locator("#send").wait_for()
        _slow_down(page)
        began = time.perf_counter()
        page.locator("#send").click(no_wait_after=True)
        page.locator("p.reference").first.wait_for()
        return time.perf_counter() - began


def _answer(page: Page, answers: dict[str, str]) -> None:
    """Answer the required questions that are visible."""
    for name, value in answers.items():
        choice = page.locator(f"[name='{name}'][value='{value}']")
        if choice.count() and choice.is_visible():
            choice.check()
    narrative = page.locator("[name='concern.narrative']")
    if narrative.is_visible():
        narrative.fill(NARRATIVE)
