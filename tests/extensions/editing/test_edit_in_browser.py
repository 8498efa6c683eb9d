"""The editor's pages in a real browser: typed words are saved by themselves, and a second person publishes them."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, Route, expect

from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.models.access.roles import Role
from app.pages.guides.change_words import DETAILS
from tests.support.browsing import accessibility_violations, page_faults
from tests.support.drafts import Running, page_of, press, press_and_arrive
from tests.support.publishing import SLUG
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WIDTHS = (320, 1280)
GUIDE = "county-lines"
OTHER_WORDS = "Call the duty team"
SHOTS = os.environ.get("SHOTS")


def expect_well_made(page: Page, name: str) -> None:
    """No fault by axe, and nothing wider than the screen, on a small phone and on a desk."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
    assert accessibility_violations(page) == [], name


def is_post(response: Response) -> bool:
    return response.request.method == "POST"


def status_of(page: Page) -> Locator:
    return page.locator("[data-status]")


def begin(page: Page) -> None:
    page.goto("/edit")
    page.get_by_label("Title").fill("County lines")
    press(page, "Start a new guide")
    page.get_by_role("link", name="About the guide", exact=True).click()
    page.get_by_label("Changes in this edition").fill("First edition.")
    expect(status_of(page)).to_contain_text("Saved")
    expect_well_made(page, "details")


def add_contact_without_scripts(page: Page) -> None:
    page.goto(f"/edit/{GUIDE}/sections/contacts")
    press(page, "Add a contact")
    page.get_by_label("Name").fill("Example Team")
    number = page.locator('[name="contacts.0.phones.0.number"]')
    number.fill("960001")
    press(page, "Save")
    expect(page.locator('[data-fault="contacts.0.phones.0.number"]')).to_contain_text("with its area code")
    number.fill("(01632) 960001")
    press(page, "Save")
    expect(page.get_by_text("Dials +441632960001")).to_be_visible()
    expect(page.get_by_text("Nothing is missing in this section.")).to_be_visible()


def write_through_a_restart(page: Page, running: Running) -> None:
    page.goto(f"/edit/{GUIDE}/sections/responsibilities")
    press(page, "Add a responsibility")
    page.get_by_label("Name").fill("Tell somebody")
    page.get_by_label("Words").fill("Call the team")
    expect(status_of(page)).to_contain_text("Saved")
    running.stop()
    page.get_by_label("Words").fill("Call the team at once")
    expect(status_of(page)).to_contain_text("the server does not answer")
    with page.expect_event("requestfailed"):
        press(page, "Save")
    expect(page.get_by_label("Words")).to_have_value("Call the team at once")
    expect(status_of(page)).to_contain_text("the server does not answer")
    running.start()
    expect(status_of(page)).to_contain_text("Saved")


def write_while_signed_out(page: Page) -> None:
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_label("Words").fill("Call the team now")
    expect(status_of(page)).to_contain_text("you are signed out")
    with page.expect_response(is_post):
        press(page, "Save")
    expect(status_of(page)).to_contain_text("you are signed out")
    expect(page.get_by_label("Words")).to_have_value("Call the team now")
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what `cookies` gives is what this takes
    expect(status_of(page)).to_contain_text("Saved")
    page.get_by_label("Words").fill("Call the team at once")
    press_and_arrive(page, "Save")
    expect(page.get_by_text("Nothing is missing in this section.")).to_be_visible()


def meet_in_one_section(first: Page, later: Page) -> None:
    later.goto(f"/edit/{GUIDE}/sections/responsibilities")
    expect(later.get_by_label("Words")).to_have_value("Call the team at once")
    with first.expect_response(is_post):
        first.get_by_label("Words").fill("Call the team, day and night")
    expect(status_of(first)).to_contain_text("Saved")
    later.get_by_label("Words").fill(OTHER_WORDS)
    expect(status_of(later)).to_contain_text("somebody else saved other words")
    press(later, "Compare both versions")
    expect(later.get_by_role("heading", name="Someone else saved this section")).to_be_visible()
    expect(later.locator("section.box")).to_contain_text("Call the team, day and night")
    expect(later.get_by_label("Words")).to_have_value(OTHER_WORDS)
    expect_well_made(later, "conflict")
    later.get_by_role("link", name="Keep their version and discard mine").click()


def publish(page: Page) -> None:
    page.goto("/edit")
    expect_well_made(page, "guides")
    page.get_by_role("link", name="County lines", exact=True).click()
    expect_well_made(page, "offered")
    page.get_by_role("link", name="Preview the page").click()
    expect(page.get_by_text("DRAFT. Not published")).to_be_visible()
    page.go_back()
    press(page, "I have read it: publish edition 1 now")
    expect(page.get_by_role("heading", name="Edition 1 is published")).to_be_visible()


def reword_next_edition(page: Page) -> None:
    page.goto("/edit")
    page.locator(f'form[action="/edit/{GUIDE}/begin"] button').press("Enter")
    page.wait_for_url(f"**/edit/{GUIDE}")
    page.goto(f"/edit/{GUIDE}/sections/responsibilities")
    page.get_by_label("Words").fill(OTHER_WORDS)
    press_and_arrive(page, "Save")


def test_an_editor_writes_a_guide_and_a_second_person_publishes_it(browser: Browser, tmp_path: Path) -> None:
    running = Running(tmp_path / "data")
    try:
        ann = page_of(browser, running, "Ann Example", Role.EDITOR)
        ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
        begin(ann)
        add_contact_without_scripts(page_of(browser, running, "Cay Example", Role.EDITOR, scripts=False))
        write_through_a_restart(ann, running)
        write_while_signed_out(ann)
        meet_in_one_section(ann, ben)
        ann.goto(f"/edit/{GUIDE}")
        press(ann, "Ask a second person to publish it")
        expect(ann.get_by_text("You wrote part of this draft, so someone else must publish it.")).to_be_visible()
        publish(ben)
        reword_next_edition(ben)

        expect(ben.locator("aside ins")).to_contain_text("duty")
        expect_well_made(ben, "compared")
    finally:
        running.stop()


@pytest.mark.nightly
def test_every_editor_page_is_accessible_and_works_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
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
        page.get_by_label("Changes in this edition").fill("A made-up change.")
        press_and_arrive(page, "Save")
        expect(page.get_by_text("Nothing is missing in this section.")).to_be_visible()
        page.goto(f"/edit/{SLUG}")
        page.get_by_role("link", name="Preview the page").press("Enter")
        expect(page.get_by_text("DRAFT. Not published")).to_be_visible()
        found["preview"] = page_faults(page, walks=True)

        assert {path: faults for path, faults in found.items() if faults} == {}
    finally:
        running.stop()


def test_words_typed_before_the_script_arrives_are_saved(browser: Browser, tmp_path: Path) -> None:
    running = Running(tmp_path / "data")
    held: list[Route] = []
    try:
        page = page_of(browser, running, "Ann Example", Role.EDITOR)
        page.goto("/edit")
        page.locator(f'form[action="/edit/{SLUG}/begin"] button').press("Enter")
        page.wait_for_url(f"**/edit/{SLUG}")
        page.route("**/edit.js*", lambda route: held.append(route))  # noqa: PLW0108  # it marks what it is given
        page.goto(f"/edit/{SLUG}/sections/{DETAILS}", wait_until="commit")
        page.get_by_label("Changes in this edition").fill("A made-up change.")
        wait_until(lambda: page.evaluate("true") and held != [])
        with page.expect_response(is_post) as saved:
            held[0].continue_()

        assert saved.value.ok
        expect(page.get_by_text("Nothing is missing in this section.")).to_be_visible()
        page.unroute("**/edit.js*")
        page.reload()
        expect(page.get_by_label("Changes in this edition")).to_have_value("A made-up change.")
    finally:
        running.stop()
