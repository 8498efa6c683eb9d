"""From a document to a published guide in a real browser: with few presses, no command, and no sentence lost."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.models.access.roles import Role
from tests.extensions.editing.test_draft_review_in_browser import running as running  # noqa: PLC0414  # a fixture
from tests.support.browsing import accessibility_violations
from tests.support.drafts import Running, page_of
from tests.support.word_guides import CONTACTS, GUIDE, READING, SENTENCES, as_text, as_word

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MOST_FROM_A_DOCUMENT, MOST_FROM_PASTE = 25, 40
UNPLACED = ("Version 4", "September 2026", "Further reading", READING)
UNPLACED_IN_WORD = (*UNPLACED[:2], "What is fabricated illness?", "Team Telephone When", *UNPLACED[2:])


class Presses:
    """The presses of two people, counted: each click, and each choice from a list."""

    def __init__(self) -> None:
        self.count = 0

    def press(self, found: Locator) -> None:
        self.count += 1
        found.first.click()

    def button(self, page: Page, name: str | re.Pattern[str]) -> None:
        self.press(page.get_by_role("button", name=name))

    def choose(self, found: Locator, label: str) -> None:
        self.count += 1
        found.select_option(label=label)


def place_the_rest(page: Page, presses: Presses, unplaced: Sequence[str]) -> None:
    """Leave out what has no place in a guide."""
    expect(page.get_by_role("heading", name="Not placed yet")).to_be_visible()
    assert page.locator(".unplaced label").all_inner_texts() == [*unplaced]
    for each in page.locator(".unplaced select").all():
        presses.choose(each, "Leave it out")
    presses.button(page, "Put them there")


def publish_by_two(ann: Page, ben: Page, presses: Presses) -> None:
    presses.button(ann, "Ask a second person to publish it")
    ben.goto("/edit")
    presses.press(ben.get_by_role("link", name="Fabricated illness in one minute", exact=True))
    presses.button(ben, "I have read it: publish edition 1 now")
    expect(ben.get_by_role("heading", name="Edition 1 is published")).to_be_visible()


def expect_published(page: Page) -> None:
    page.goto(f"/guides/{GUIDE}")
    words = page.locator("main").inner_text()
    assert [each for each in SENTENCES if each not in words] == []
    assert [number for _, number, _ in CONTACTS if number.partition(" (")[0] not in words] == []


def test_a_word_guide_is_published_with_at_most_25_presses(browser: Browser, running: Running) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    presses = Presses()
    ann.goto("/edit")
    presses.count += 1
    ann.get_by_label("Word document").set_input_files(
        {"name": "guide.docx", "mimeType": "application/octet-stream", "buffer": as_word()}
    )
    presses.button(ann, "Begin from the document")
    ann.wait_for_url("**/unplaced")
    assert accessibility_violations(ann) == []
    place_the_rest(ann, presses, UNPLACED_IN_WORD)
    publish_by_two(ann, ben, presses)

    assert presses.count <= MOST_FROM_A_DOCUMENT
    expect_published(ben)


@pytest.mark.nightly
def test_pasted_text_is_published_with_at_most_40_presses(browser: Browser, running: Running) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR, scripts=False)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER, scripts=False)
    presses = Presses()
    ann.goto("/edit")
    presses.press(ann.get_by_text("Paste the text instead"))
    ann.get_by_label("Text of the guide").fill(as_text())
    presses.button(ann, "Begin from the document")
    place_the_rest(ann, presses, UNPLACED)
    publish_by_two(ann, ben, presses)

    assert presses.count <= MOST_FROM_PASTE
    expect_published(ben)


def texts(page: Page) -> list[str]:
    return [each.input_value() for each in page.get_by_label("Words").all()]


def test_pasted_lines_become_entries_and_entries_are_dragged(browser: Browser, running: Running) -> None:
    page = page_of(browser, running, "Ann Example", Role.EDITOR)
    page.goto("/edit")
    page.get_by_label("Title").fill("County lines")
    page.get_by_role("button", name="Start a new guide").click()
    page.goto("/edit/county-lines/sections/indicators")
    page.get_by_role("button", name="Add an indicator").click()
    signs = [f"A sign with the number {number}" for number in range(10)]
    page.get_by_label("Words").fill("\n".join(f"- {each}" for each in signs))
    with page.expect_navigation():
        page.get_by_role("button", name="Make an entry of each line").click()
    assert texts(page) == signs
    page.set_viewport_size({"width": 1280, "height": 800})
    tenth = page.locator("[data-entry]").nth(9).bounding_box()
    assert tenth is not None
    assert tenth["y"] + tenth["height"] <= 2 * 800
    assert accessibility_violations(page) == []

    with page.expect_navigation():
        page.locator("[data-drag]").nth(3).drag_to(page.locator("[data-entry]").first, target_position={"x": 5, "y": 1})

    assert texts(page) == [signs[3], *signs[:3], *signs[4:]]
