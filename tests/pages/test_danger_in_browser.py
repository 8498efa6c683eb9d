"""Danger in a real browser, on a phone, with and without scripts: 999 is there at once, and four presses send."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect

from tests.support.browsing import Keyboard, accessibility_violations
from tests.support.journeys import SENT
from tests.support.loops import first_by_day

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PHONE = ViewportSize(width=360, height=740)
HELP = {
    "/raise-a-concern": "A child is in danger: call now",
    "/worried-about-yourself": "You are in danger: call now",
    "/worried-about-a-friend": "Your friend is in danger: call now",
}
TO_FORM = {
    "/raise-a-concern": "Tell us about a child",
    "/worried-about-yourself": "I am under 18",
    "/worried-about-a-friend": "Tell us about your friend",
}
YES = {
    "/raise-a-concern": "Yes",
    "/worried-about-yourself": "No, I am in danger now",
    "/worried-about-a-friend": "No, my friend is in danger now",
}
SENTENCE = "Canary: he is at the door."
Look = tuple[str, Literal["light", "dark"]]
LOOKS = [
    ("with scripts", "light"),
    ("without", "dark"),
    pytest.param(("with scripts", "dark"), marks=pytest.mark.nightly),
    pytest.param(("without", "light"), marks=pytest.mark.nightly),
]


@pytest.fixture(params=LOOKS, ids=" ".join)
def look(request: pytest.FixtureRequest) -> Look:
    look: Look = request.param
    return look


@pytest.fixture
def scripts(look: Look) -> bool:
    return look[0] == "with scripts"


@pytest.fixture
def page(browser: Browser, url: str, look: Look, scripts: bool) -> Iterator[Page]:
    context = browser.new_context(base_url=url, viewport=PHONE, color_scheme=look[1], has_touch=True)
    if not scripts:  # those of the pages: axe needs its own
        context.route("**/looks/*.js", lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.fixture
def scripted(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(base_url=url, viewport=PHONE)
    page = context.new_page()
    page.goto("/raise-a-concern")
    yield page
    context.close()


def choice(page: Page, danger: str) -> Locator:
    """Return the answer about danger."""
    return page.locator(f"[name='immediate_danger'][value='{danger}']")


def expect_help(page: Page, heading: str) -> None:
    """Expect what helps in danger, with the number to press on the screen as it is, and without a fault of axe."""
    expect(page.locator(".alarm:visible")).to_have_count(1)
    expect(page.locator(".alarm:visible h2")).to_have_text(heading)
    expect(page.locator(".alarm:visible a[href='tel:999']")).to_be_in_viewport()
    page.evaluate("window.scrollTo(0, 0)")  # what is half beneath the bar is too small for axe
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("form", first_by_day(HELP))
def test_sending_in_danger_takes_four_presses_with_999_on_every_page(page: Page, scripts: bool, form: str) -> None:
    presses = []

    def press(role: str, name: str) -> None:
        presses.append(name)
        page.get_by_role(role, name=name, exact=True).locator("visible=true").first.tap()  # type: ignore[arg-type]  # a role

    page.goto("/")
    expect(page.locator("a[href='tel:999']").first).to_be_in_viewport()
    press("link", TO_FORM[form])
    expect(page).to_have_url(re.compile(re.escape(form)))
    expect(page.locator("a[href='tel:999']").first).to_be_in_viewport()
    presses.append(YES[form])
    page.get_by_label(YES[form], exact=True).first.tap()
    if scripts:
        expect(page.locator(".alarm:visible h2")).to_be_focused()
    else:
        page.locator(".alarm:visible").scroll_into_view_if_needed()
    expect_help(page, HELP[form])
    press("button", "Send what you have now")
    expect(page.locator("h1")).to_have_text("Send what you have now")
    expect_help(page, HELP[form])
    page.locator("textarea").fill(SENTENCE)
    press("button", "Send")

    expect(page.locator("h1")).to_have_text(SENT)
    expect_help(page, HELP[form])
    assert len(presses) <= 4


def test_without_answering_more_the_check_page_begins_with_help(page: Page, scripts: bool) -> None:
    page.goto("/worried-about-yourself")
    page.get_by_label("No, I am in danger now").check()
    if scripts:
        page.locator("[data-continue]:visible").tap()
    page.locator("[name='concern.narrative']").fill(SENTENCE)
    if scripts:
        page.locator("[data-continue]:visible").tap()
    page.locator("[data-check]").first.tap()

    expect(page.locator("h1")).to_have_text("Check your answers")
    expect_help(page, "You are in danger: call now")
    if scripts:
        expect(page.locator(".alarm h2")).to_be_focused()
    page.get_by_role("button", name="Send now").tap()
    expect(page.locator("h1")).to_have_text(SENT)


def test_a_keyboard_choice_keeps_focus_and_continue_shows_the_help_first(
    scripted: Page,
) -> None:
    choice(scripted, "no").focus()
    scripted.keyboard.press("Space")
    scripted.keyboard.press("ArrowUp")

    expect(choice(scripted, "yes")).to_be_checked()
    expect(choice(scripted, "yes")).to_be_focused()
    expect(scripted.locator(".alarm:visible")).to_have_count(1)
    Keyboard(scripted).press("button", "Continue")
    expect(scripted.locator(".alarm h2")).to_be_focused()
    expect(scripted.locator("[data-step]:visible h2").first).to_contain_text("Step 1 of 5")
    Keyboard(scripted).press("button", "Continue")
    expect(scripted.locator("[data-step]:visible h2").first).to_contain_text("Step 2 of 5")


@pytest.mark.parametrize("is_tap", [True, False], ids=["a tap", "a key"])
def test_an_answer_given_before_the_script_is_not_lost(browser: Browser, url: str, *, is_tap: bool) -> None:
    context = browser.new_context(base_url=url, viewport=PHONE, has_touch=True)
    page = context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    context.route("**/looks/danger.js", hold)
    page.goto("/raise-a-concern", wait_until="commit")
    if is_tap:
        page.get_by_label("Yes", exact=True).first.tap()
    else:
        choice(page, "no").focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowUp")
    expect(choice(page, "yes")).to_be_checked()
    assert held  # the script has been asked for, and has not come

    held[0].continue_()
    page.wait_for_load_state()

    if not is_tap:  # the key may be on its way to another answer
        expect(choice(page, "yes")).to_be_focused()
        Keyboard(page).press("button", "Continue")
    expect(page.locator(".alarm h2")).to_be_focused()
    expect(page.locator(".alarm:visible a[href='tel:999']")).to_be_in_viewport()
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 1 of 5")
    context.close()


SAID_ON_STEPS = {
    "/raise-a-concern": "A child is in danger: call 999. Send what you have now",
    "/worried-about-yourself": "You are in danger: call 999. Send what you have now",
    "/worried-about-a-friend": "Your friend is in danger: call 999. Send what you have now",
    "/cy/raise-a-concern": "Mae plentyn mewn perygl: ffoniwch 999. Anfon yr hyn sydd gennych nawr",
}


@pytest.mark.parametrize("form", SAID_ON_STEPS)
def test_each_step_after_danger_says_so_and_can_send(page: Page, scripts: bool, form: str) -> None:
    page.goto(form)
    reminders = page.locator(".step > [data-danger]")
    steps = page.locator("[data-step]").count()
    expect(page.locator(".step > [data-danger]:visible")).to_have_count(0)
    choice(page, "yes").check()
    assert reminders.count() == steps - 1 > 1
    for number in range(1, steps):
        if scripts:
            if number > 1 and page.locator("[data-missing]:visible textarea").count():
                page.locator("[data-missing]:visible textarea").fill(SENTENCE)
            for last in page.locator("[data-missing]:visible input[type='radio']:not([name='immediate_danger'])").all()[
                -1:
            ]:
                last.check()
            page.locator("[data-continue]:visible").click()
            expect(page.locator("[data-step]:visible")).to_have_count(1)
        reminder = page.locator("[data-step]").nth(number).locator("> [data-danger]")
        expect(reminder).to_be_visible()
        expect(reminder).to_have_text(SAID_ON_STEPS[form])
        if scripts:
            expect(reminder.locator("a[href='tel:999']")).to_be_in_viewport()
            expect(reminder.locator("button")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    reminders.last.locator("button").click()
    expect(page.locator(".alarm:visible a[href='tel:999']")).to_be_in_viewport()


def test_no_step_speaks_of_danger_once_the_answer_is_another(page: Page, scripts: bool) -> None:
    page.goto("/raise-a-concern")
    choice(page, "yes").check()
    choice(page, "no").check()
    if scripts:
        page.locator("[data-continue]:visible").click()
        expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 2 of 5")

    expect(page.locator(".step > [data-danger]:visible")).to_have_count(0)


def test_the_help_is_shown_only_while_the_answer_is_danger(scripted: Page) -> None:
    choice(scripted, "yes").click()
    expect(scripted.locator(".alarm h2")).to_be_focused()
    assert accessibility_violations(scripted) == []  # a target under the bar would be too small

    choice(scripted, "no").click()
    expect(scripted.locator(".alarm:visible")).to_have_count(0)
    choice(scripted, "yes").click()

    expect(scripted.locator(".alarm h2")).to_be_focused()


def test_somebody_not_sure_is_shown_whom_to_call_and_keeps_the_focus(scripted: Page) -> None:
    box = scripted.locator("[data-unsure]")
    expect(box).to_be_hidden()

    choice(scripted, "not_sure").click()

    expect(box).to_be_visible()
    expect(choice(scripted, "not_sure")).to_be_focused()
    assert accessibility_violations(scripted) == []
    choice(scripted, "no").click()
    expect(box).to_be_hidden()
