"""Answers to the form that are enough to send it, and what the receipt of the page says."""

import re

from playwright.sync_api import Page, expect

from tests.support.browsing import go_to_last_step, reach
from tests.support.publishing import SLUG

FORM = f"/raise-a-concern/{SLUG}"
NARRATIVE = "Alex Example was collected from school by an adult the staff do not know."
KEY = "5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"
REQUIRED_ANSWERS = {
    "immediate_danger": "no",
    "concern.narrative": NARRATIVE,
    "reporter.kind": "professional",
    "key": KEY,
    "edition": "1",
}


def reference_in(page: str) -> str:
    """Return the reference that the receipt shows."""
    return str(re.findall(r'<p class="reference">([^<]*)</p>', page)[0])


def fill_in(page: Page, narrative: str = NARRATIVE) -> None:
    """Answer the required questions, and stay in the step about the reporter."""
    page.locator("[name='immediate_danger'][value='no']").check()
    reach(page, "[name='concern.narrative']").fill(narrative)
    reach(page, "[name='reporter.kind'][value='professional']").check()


def check(page: Page) -> None:
    """Go on to the answers."""
    go_to_last_step(page)
    page.locator("[data-check]").click()
    expect(page.locator("h1")).to_have_text("Check your answers")


def send(page: Page) -> None:
    """Send them, and wait for the receipt."""
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".reference").first).to_be_visible()
