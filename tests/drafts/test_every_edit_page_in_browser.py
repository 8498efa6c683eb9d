"""Every page of an editor, with the longest guide there is: without fault for axe, at every width, and by Tab alone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.models.people import Role
from app.pages.drafts import DETAILS, EDIT_PAGES
from tests.support.browsing import page_faults
from tests.support.drafts import Running, page_of, press_and_arrive
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


def test_every_page_of_an_editor_is_without_fault_and_in_reach_of_the_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    running = Running(tmp_path / "data")
    try:
        page = page_of(browser, running, "Ann Example", Role.EDITOR)
        page.goto("/edit")
        found = {"/edit": page_faults(page, walks=True)}
        page.locator(f'form[action="/edit/{SLUG}/begin"] button').press("Enter")
        page.wait_for_url(f"**/edit/{SLUG}")
        for path in (f"/edit/{SLUG}", *(f"/edit/{SLUG}/sections/{each}" for each in EDIT_PAGES)):
            page.goto(path)
            found[path] = page_faults(page, walks=True)
        page.goto(f"/edit/{SLUG}/sections/{DETAILS}")
        page.get_by_label("What this edition changes").fill("A made-up change.")
        press_and_arrive(page, "Save")
        expect(page.get_by_text("Nothing is missing in this section.")).to_be_visible()
        page.goto(f"/edit/{SLUG}")
        page.get_by_role("link", name="Preview the page").press("Enter")
        expect(page.get_by_text("DRAFT. This is not published")).to_be_visible()
        found["preview"] = page_faults(page, walks=True)

        assert {path: faults for path, faults in found.items() if faults} == {}
    finally:
        running.stop()


def test_an_item_is_moved_by_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    running = Running(tmp_path / "data")
    try:
        page = page_of(browser, running, "Ann Example", Role.EDITOR)
        page.goto("/edit")
        page.locator(f'form[action="/edit/{SLUG}/begin"] button').press("Enter")
        page.wait_for_url(f"**/edit/{SLUG}")
        page.goto(f"/edit/{SLUG}/sections/indicators")
        words = page.get_by_label("Words")
        first, second = words.nth(0).input_value(), words.nth(1).input_value()
        page.locator('button[value^="down:"]').first.press("Enter")

        expect(words.nth(0)).to_have_value(second)
        expect(words.nth(1)).to_have_value(first)
    finally:
        running.stop()
