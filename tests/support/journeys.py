"""The journey of each person from the home page to a sent concern, in a browser of given conditions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.support.publishing import SLUG
from tests.support.waiting import wait_until

GENERAL, YOURSELF, FRIEND = "/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"
FORM = f"/raise-a-concern/{SLUG}"
SENT = re.compile("We have your concern|Thank you. You did the right thing.")
CANARY = "Alex Example was collected from school."
PEOPLE = {
    "a teaching assistant": (FORM, {"immediate_danger": "no", "reporter.kind": "professional"}),
    "a neighbour": (GENERAL, {"immediate_danger": "not_sure", "reporter.kind": "member_of_public"}),
    "a child": (YOURSELF, {"immediate_danger": "no"}),
    "a friend": (FRIEND, {"immediate_danger": "no"}),
}
KILOBIT = 1000 / 8


@dataclass(frozen=True)
class Condition:
    """A browser: its options, whether it runs scripts, and how fast its network and how slow its processor is."""

    width: int
    height: int
    options: dict[str, Any] = field(default_factory=dict)
    has_scripts: bool = True
    kilobits: int | None = None
    slowdown: int = 1


IN_VIEW = """
() => ["a[href='tel:999']", "[data-exit]"].every((selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
})
"""
HAS_EDGE = """
(element) => {
  const style = getComputedStyle(element);
  return style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) >= 1;
}
"""


def open_page(browser: Browser, url: str, condition: Condition) -> Page:
    viewport: Any = {"width": condition.width, "height": condition.height}
    context = browser.new_context(
        base_url=url, viewport=viewport, java_script_enabled=condition.has_scripts, **condition.options
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    if condition.kilobits:
        speed = condition.kilobits * KILOBIT
        network = {"offline": False, "latency": 300, "downloadThroughput": speed, "uploadThroughput": speed}
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)
    if condition.slowdown > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": condition.slowdown})
    return page


def answer(page: Page, answers: dict[str, str]) -> None:
    """Answer what is in view and required."""
    for name, value in answers.items():
        choice = page.locator(f"[name='{name}'][value='{value}']")
        if choice.count() and choice.is_visible():
            choice.check()
    narrative = page.locator("[name='concern.narrative']")
    if narrative.is_visible():
        narrative.fill(CANARY)


def views(page: Page, start: str, answers: dict[str, str]) -> Iterator[str]:
    """Go from the home page to the receipt, and yield at each view the button or the link that comes next."""
    page.goto("/")
    yield f"a[href='{start if start in (YOURSELF, FRIEND) else GENERAL}']"
    page.goto(start)
    answer(page, answers)
    while page.locator("[data-continue]:visible").count():
        yield "[data-continue]:visible"
        page.locator("[data-continue]:visible").click()
        answer(page, answers)
    yield "[data-check]"
    page.locator("[data-check]").click()
    expect(page.locator("h1")).to_have_text("Check your answers")
    yield "#send"
    page.locator("#send").click()
    expect(page.locator("h1")).to_have_text(SENT)
    wait_until(lambda: page.evaluate("history.state") in (None, 1))  # the script goes back over the steps, but for one
