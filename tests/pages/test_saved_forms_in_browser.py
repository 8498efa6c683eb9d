"""Saving a form and going on with it in a real browser: what comes back, what hides from a child, and what stays."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.browsing import (
    NEUTRAL_PAGE,
    accessibility_violations,
    browser_with_profile,
    places_in_profile,
    press,
    reach,
    serve_neutral_page,
)
from tests.support.form_answers import FORM, check, fill_in, send
from tests.support.loops import first_by_day

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CANARY = "QuetzalDraft"
SAVED = "/concerns/saved"


def save(page: Page) -> str:
    """Save the form, and return the code."""
    press(page, "Save and finish later")
    expect(page.locator("h1")).to_have_text("Your answers are saved")
    return page.locator(".code-words").inner_text()


def resume(page: Page, code: str) -> None:
    page.goto(SAVED)
    page.get_by_label("Code").fill(code)
    press(page, "Go on")
    expect(page.locator("h1")).to_have_text("Tell us about a child")


@pytest.mark.parametrize("has_scripts", first_by_day([True, False]), ids=["with scripts", "without scripts"])
def test_a_form_is_saved_at_any_step_and_finished_later(browser: Browser, url: str, *, has_scripts: bool) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=has_scripts, viewport={"width": 320, "height": 640})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(FORM)
    page.locator("[name='immediate_danger'][value='no']").check()
    reach(page, "[name='concern.narrative']").fill(CANARY)
    code = save(page)
    faults = accessibility_violations(page) if has_scripts else []

    resume(page, code)

    expect(page.locator("[name='immediate_danger']:checked")).to_have_value("no")
    expect(page.locator("[data-step]:visible")).to_have_count(1 if has_scripts else 5)
    expect(reach(page, "[name='concern.narrative']")).to_have_value(CANARY)
    reach(page, "[name='reporter.kind'][value='professional']").check()
    page = context.new_page()  # the telephone closed the first one
    page.on("dialog", lambda dialog: dialog.accept())
    resume(page, code)
    expect(reach(page, "[name='concern.narrative']")).to_have_value(CANARY)
    reach(page, "[name='reporter.kind'][value='professional']").check()
    check(page)
    expect(page.get_by_role("button", name="Save and finish later")).to_be_visible()
    send(page)
    page.goto(SAVED)
    page.get_by_label("Code").fill(code)
    press(page, "Go on")
    expect(page.get_by_text("No saved form has this code.").first).to_be_visible()
    if has_scripts:
        expect(page.locator(".problem")).to_be_focused()
        faults += accessibility_violations(page)
    assert page.url == url + SAVED
    assert faults == []
    context.close()


def test_the_save_button_hides_from_a_child_on_every_form(browser: Browser, url: str) -> None:
    page = browser.new_page(base_url=url)
    page.goto(FORM)
    expect(page.get_by_role("button", name="Save and finish later")).to_be_visible()

    reach(page, "[name='reporter.kind'][value='child']").check()

    expect(page.get_by_role("button", name="Save and finish later")).to_be_hidden()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/worried-about-yourself")
    expect(page.get_by_role("button", name="Save and finish later")).to_have_count(0)
    page.close()


def test_leaving_asks_until_the_code_was_copied(browser: Browser, url: str) -> None:
    context = browser.new_context(base_url=url, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(FORM)
    fill_in(page)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    code = save(page)
    page.evaluate("location.reload()")
    expect(page.locator("h1")).to_have_text("Your answers are saved")
    assert asked == ["beforeunload"]

    press(page, "Copy the code")

    expect(page.locator("[data-copied]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.goto("/")
    assert asked == ["beforeunload"]
    context.close()


def test_only_the_page_asks_at_a_link_from_a_saved_form(browser: Browser, url: str) -> None:
    page = browser.new_page(base_url=url, viewport={"width": 360, "height": 740})
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(FORM)
    fill_in(page)
    code = save(page)

    page.get_by_role("link", name="Check your concern").last.click()

    expect(page.locator("[data-question] h2")).to_be_focused()
    expect(page.locator("[data-question] .code")).to_have_text(code)
    page.get_by_role("button", name="Leave this page").click()
    page.wait_for_url("**/concerns")
    assert asked == []
    page.close()


def test_the_browser_keeps_neither_words_nor_code_after_leaving(url: str, tmp_path: Path, browser: Browser) -> None:
    addresses: list[str] = []
    with browser_with_profile(browser, tmp_path / "profile", base_url=url) as context:
        context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("request", lambda request: addresses.append(request.url + str(request.headers)))
        page.goto(FORM)
        fill_in(page, f"{CANARY} was here.")
        page.get_by_label("Your name").fill(CANARY)
        code = save(page)
        press(page, "Copy the code")
        expect(page.locator("[data-copied]")).to_have_text("Copied.")
        resume(page, code)
        check(page)
        page.go_back()
        expect(page.get_by_role("heading", name="Anything else")).to_be_focused()
        stored = page.evaluate(
            "async () => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, "
            "JSON.stringify(window.caches ? await caches.keys() : [])]"
        )
        page.get_by_role("link", name="Exit this page").click()
        page.wait_for_url(NEUTRAL_PAGE)

    assert stored == ["{}", "{}", "", "[]"]
    assert [text for text in addresses if CANARY in text or code in text] == []
    words = [each.encode(encoding) for each in (CANARY, code) for encoding in ("utf-8", "utf-16-le")]
    assert places_in_profile(tmp_path / "profile", *words) == []
