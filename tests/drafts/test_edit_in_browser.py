"""The editor's pages in a real browser: typed words are saved by themselves, and a second person publishes them."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.main import create_app
from app.models.roles import Role
from app.web.people import SESSION_COOKIE
from tests.support.browsing import accessibility_violations, run_server
from tests.support.clock import SettableClock
from tests.support.people import context_of_service, invited

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WIDTHS = (320, 1280)
GUIDE = "county-lines"
SHOTS = os.environ.get("SHOTS")


class Running:
    """A service that can be stopped and started again, on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.clock = Settings(data_dir=folder, deliver=False), SettableClock()
        self.address, self._stack = "", ExitStack()
        self.start()

    def start(self) -> None:
        self.service = create_app(self.settings, self.clock)
        port = int(self.address.rpartition(":")[2] or 0)
        self.address = self._stack.enter_context(run_server(self.service, port=port))

    def stop(self) -> None:
        self._stack.close()

    def session_of(self, name: str, role: Role) -> str:
        invited(self.service, name, role)
        context = context_of_service(self.service)
        return context.desk_sign_in.begin_with_passkey(name, at=context.clock(), former=None)


def page_of(browser: Browser, running: Running, name: str, role: Role, *, scripts: bool = True) -> Page:
    context = browser.new_context(base_url=running.address, java_script_enabled=scripts)
    context.set_default_timeout(30_000)
    token = running.session_of(name, role)
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": running.address}])
    return context.new_page()


def expect_well_made(page: Page, name: str) -> None:
    """No fault by axe, and nothing wider than the screen, on a small phone and on a desk."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
    assert accessibility_violations(page) == [], name


def press(page: Page, name: str) -> None:
    """Press the button by the keyboard alone."""
    page.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def test_an_editor_writes_a_guide_and_a_second_person_publishes_it(browser: Browser, tmp_path: Path) -> None:
    running = Running(tmp_path / "data")
    ann = page_of(browser, running, "Ann Example", Role.EDITOR)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    cay = page_of(browser, running, "Cay Example", Role.EDITOR, scripts=False)
    status = ann.locator("[data-status]")

    ann.goto("/edit")
    ann.get_by_label("Its title").fill("County lines")
    press(ann, "Begin a new guide")
    expect_well_made(ann, "begun")
    ann.get_by_role("link", name="About the guide", exact=True).click()
    ann.get_by_label("What this edition changes").fill("First edition.")
    expect(status).to_contain_text("Saved")
    expect_well_made(ann, "details")

    cay.goto(f"/edit/{GUIDE}/sections/contacts")
    press(cay, "Add a contact")
    cay.get_by_label("Name").fill("Example Team")
    cay.get_by_label("Kind").select_option("telephone")
    press(cay, "Add a phone to contacts 0 phones")
    cay.get_by_label("Number to dial").fill("+441632960001")
    cay.get_by_label("Number as people read it").fill("01632 960001")
    press(cay, "Save")
    expect(cay.get_by_text("Nothing is missing in this section.")).to_be_visible()

    ann.goto(f"/edit/{GUIDE}/sections/responsibilities")
    press(ann, "Add a responsibility")
    ann.get_by_label("Name").fill("Tell somebody")
    words = ann.get_by_label("Words")
    words.fill("Call the team")
    expect(status).to_contain_text("Saved")
    running.stop()
    words.fill("Call the team at once")
    expect(status).to_contain_text("the server does not answer")
    running.start()
    expect(status).to_contain_text("Saved")

    ben.goto(f"/edit/{GUIDE}/sections/responsibilities")
    expect(ben.get_by_label("Words")).to_have_value("Call the team at once")
    ben_words = "Call the duty team"
    words.fill("Call the team, day and night")
    expect(status).to_contain_text("Saved")
    ben.get_by_label("Words").fill(ben_words)
    expect(ben.locator("[data-status]")).to_contain_text("somebody else saved other words")
    press(ben, "Compare both, and decide")
    expect(ben.get_by_role("heading", name="Somebody else saved this section")).to_be_visible()
    expect(ben.locator("section.box")).to_contain_text("Call the team, day and night")
    expect(ben.get_by_label("Words")).to_have_value(ben_words)
    expect_well_made(ben, "conflict")
    ben.get_by_role("link", name="Leave theirs, and drop mine").click()

    ann.goto(f"/edit/{GUIDE}")
    press(ann, "Ask a second person to publish it")
    expect(ann.get_by_text("It waits for a second person.")).to_be_visible()
    expect(ann.get_by_text("You wrote words of this draft, so another person publishes it.")).to_be_visible()
    ben.goto("/edit")
    expect_well_made(ben, "guides")
    ben.get_by_role("link", name="County lines", exact=True).click()
    expect_well_made(ben, "offered")
    ben.get_by_role("link", name="Preview the page").click()
    expect(ben.get_by_text("DRAFT. This is not published")).to_be_visible()
    expect_well_made(ben, "preview")
    ben.go_back()
    ben.get_by_label("I have read it").focus()
    ben.keyboard.press("Space")
    press(ben, "Publish edition 1")
    expect(ben.get_by_role("heading", name="Edition 1 is published")).to_be_visible()
    expect_well_made(ben, "published")

    ben.goto("/edit")
    press(ben, "Write its next edition: County lines")
    ben.goto(f"/edit/{GUIDE}/sections/responsibilities")
    ben.get_by_label("Words").fill(ben_words)
    press(ben, "Save")
    expect(ben.locator("aside ins")).to_contain_text("duty")
    expect_well_made(ben, "compared")
    running.stop()
