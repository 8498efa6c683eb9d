"""A real browser."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect, sync_playwright
from playwright.sync_api import TimeoutError as OutOfTime

from tests.support.waiting import LONG_ENOUGH, wait_until

expect.set_options(timeout=LONG_ENOUGH * 1000)
NEUTRAL_PAGE = "https://neutral.example/weather"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
VIOLATIONS = """(rules) => axe.run(rules).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)))"""
"""Names the faults alone: all that axe tells of what it looked at takes a quarter of its time."""


@contextmanager
def launch_browser() -> Iterator[Browser]:
    """Start the system's Chromium. Skip the test if there is none; in continuous integration, fail.

    Its headless shell has the same engine and takes 40% less processor. Tests of a profile start all of it.
    """
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None and os.environ.get("CI") == "true":
        pytest.fail("chromium is not installed, and continuous integration must have it")
    if program is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def browser_that_keeps_left_pages(browser: Browser) -> Iterator[Browser]:
    """Start a browser that restores a left page from memory, as browsers of people do. That of other tests does not."""
    off = ["--disable-back-forward-cache"]
    program = shutil.which("chromium")
    kept = browser.browser_type.launch(executable_path=program, args=FLAGS, ignore_default_args=off)
    yield kept
    kept.close()


def serve_neutral_page(route: Route) -> None:
    """Serve a plain page in place of the neutral site."""
    route.fulfill(status=200, content_type="text/html", body="<title>Weather</title><h1>Weather</h1>")


@contextmanager
def browser_with_profile(browser: Browser, profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Use a profile on disk, so that everything that the browser stores can be read after leaving."""
    with browser.browser_type.launch_persistent_context(
        str(profile), executable_path=shutil.which("chromium"), args=FLAGS, **options
    ) as context:
        yield context


def places_in_profile(profile: Path, *words: bytes) -> list[Path]:
    """Return the files of a profile in which one of the words stands."""
    files = {path: path.read_bytes() for path in profile.rglob("*") if path.is_file()}
    assert len(files) > 10
    return [path for path, content in files.items() if any(word in content for word in words)]


def press(page: Page, name: str) -> None:
    """Press the first button with that name, and wait for the next page."""
    page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()
    expect(page.locator("main[aria-busy]")).to_have_count(0)


def sign_out(page: Page, name: str = "Sign out") -> None:
    """Press the button of the desk's menu, or of the page of one's own key."""
    page.locator(".to-desk-menu").press("Enter")
    if name != "Sign out":
        page.get_by_role("link", name="Your key and passkeys").press("Enter")
    page.get_by_role("button", name=name, exact=True).press("Enter")


ANSWERED_ON_THE_WAY = "Alex Example was collected from school."
MOST_STEPS = 10
"""More than a form has: a step that refuses to go on ends the test."""


def go_on(page: Page) -> None:
    """Answer what the step in view needs and lacks, and go on to the next one."""
    for question in page.locator("[data-missing]:visible").all():
        choices, text = question.locator("input[type='radio']"), question.locator("textarea")
        if choices.count() and not question.locator("input:checked").count():
            choices.last.check()
        elif text.count() and not text.input_value().strip():
            text.fill(ANSWERED_ON_THE_WAY)
    page.locator("[data-continue]:visible").click()


def reach(page: Page, field: str) -> Locator:
    """Go on, a step at a time, until the field is in view. Return it. Without scripts every field is in view."""
    found = page.locator(field).first
    for _ in range(MOST_STEPS):
        if found.is_visible():
            return found
        go_on(page)
    raise AssertionError(f"no step leads to {field}")


def go_to_last_step(page: Page) -> None:
    """Go on, a step at a time, as far as there are steps. Without scripts there are none."""
    for _ in range(MOST_STEPS):
        if not page.locator("[data-continue]:visible").count():
            return
        go_on(page)
    raise AssertionError("a step does not go on")


def open_part(page: Page, part: str) -> None:
    """Go to the last step, and open the part of that id and the group around it, unless they are open."""
    go_to_last_step(page)
    for each in (page.locator(f".group:has(#{part})"), page.locator(f"#{part}")):
        if each.get_attribute("open") is None:
            each.locator("> summary").click()


def check_unanswered(page: Page) -> None:
    """Press 'Check your answers' from wherever the form is, with or without what it needs."""
    page.locator("[data-check]").dispatch_event("click")


def accessibility_violations(page: Page) -> list[str]:
    """Return the rule and the place of each fault that axe finds by WCAG 2.2 AA and its best practices."""
    page.evaluate(Axe().axe_script)
    found: list[str] = page.evaluate(VIOLATIONS, RULES)
    return found


WIDTHS = (320, 1280, 2560)
REACHABLE = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const shown = all.filter((each) => each.checkVisibility() && !each.disabled && each.type !== "hidden");
  const nameOf = (each) => each.outerHTML.slice(0, 90);
  window.unmet = new Map(shown.map((each) => [each, nameOf(each)]));
  window.unseen = [];
  document.addEventListener("focusin", ({ target }) => {
    for (const each of target.type === "radio" ? document.getElementsByName(target.name) : [target]) unmet.delete(each);
    if (getComputedStyle(target).outlineStyle === "none") unseen.push(nameOf(target));
  });
  document.activeElement.blur();
  const parts = 4 * shown.filter((each) => ["date", "month"].includes(each.type)).length; // each is a stop of its own
  return shown.length + parts;
}"""


def page_faults(page: Page, *, walks: bool) -> list[str]:
    """Return what is wrong with the page, at every width; `walks`: also what Tab does not reach, or shows no focus."""
    found = accessibility_violations(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"wider than {width}")
    return found + (_not_in_reach(page) if walks else [])


def _not_in_reach(page: Page) -> list[str]:
    for _ in range(page.evaluate(REACHABLE) + 2):
        page.keyboard.press("Tab")
    unmet, unseen = page.evaluate("[[...unmet.values()], unseen]")
    return [f"not reached by Tab: {each}" for each in unmet] + [f"focus not seen: {each}" for each in unseen]


FOLDED = """xpath=self::summary/parent::details/ancestor::details[not(@open)]
  | self::*[not(self::summary)]/ancestor::details[not(@open)]"""


def unfold(target: Locator) -> int:
    """Open what is folded around the element, from the outside in. Return how many presses that took."""
    folds, presses = target.locator(FOLDED), 0
    while folds.count():
        with suppress(OutOfTime):  # the page may open one itself
            folds.first.locator("> summary").press("Enter", timeout=1_000)
            presses += 1
    return presses


class Keyboard:
    """Reaches what is on a page, and presses it. `presses` counts what a person decides: a link, a button, a file."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, role: str, name: str) -> None:
        """Reach the first element of that role and name, and press it."""
        target = self.page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]  # a role
        self._press(target, "Enter")

    def open_up(self, summary: str) -> None:
        """Open what is folded."""
        whole = re.compile(rf"^\s*{re.escape(summary)}\s*$")
        target = self.page.locator("summary", has_text=whole).first
        before = self.presses
        wait_until(lambda: self._opens(target))  # again where a new page took the focus just then
        self.presses = before + 1

    def choose(self, label: str) -> None:
        """Choose one of several answers."""
        self._press(self.page.get_by_label(label).first, "Space")

    def choose_file(self, label: str, file: Path) -> None:
        """Choose a file: the press opens the browser's own window, which the test answers."""
        self._choose_file(self.page.get_by_label(label).first, file)

    def unlock(self, file: Path) -> None:
        """Press the lock in the header, and choose the key file."""
        self._choose_file(self.page.locator("[data-lock]"), file)

    def _choose_file(self, target: Locator, file: Path) -> None:
        with self.page.expect_file_chooser() as window:
            self._press(target, "Enter")
        window.value.set_files(file)

    def write(self, label: str, words: str) -> None:
        """Reach the field, and type."""
        wait_until(lambda: self._reach(self.page.get_by_label(label).first))
        self.page.keyboard.type(words)

    def _reach(self, target: Locator) -> bool:
        self.presses += unfold(target)
        target.focus()
        return bool(target.evaluate("it => it === document.activeElement"))

    def _opens(self, target: Locator) -> bool:
        self._press(target, "Enter")
        return bool(target.evaluate("it => it.closest('details').open"))

    def _press(self, target: Locator, key: str) -> None:
        wait_until(lambda: self._reach(target))  # again where a new page came just then
        self.page.keyboard.press(key)
        self.presses += 1
