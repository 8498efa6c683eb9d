"""The form in a real browser, a step at a time: what comes into view, what Back keeps, and what leaving asks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, expect

from tests.support.browsing import (
    NEUTRAL_PAGE,
    accessibility_violations,
    check_unanswered,
    go_on,
    go_to_last_step,
    reach,
    serve_neutral_page,
)
from tests.support.form_answers import FORM, NARRATIVE, check, fill_in, send
from tests.support.loops import first_by_day
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

EXIT_BAR_PX = 48
STEPS = ("Danger now", "What worries you", "The child", "About you", "Anything else")


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 740})
    context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def scriptless(browser: Browser, url: str) -> Iterator[Page]:
    """Yield a page in a browser without scripts."""
    context = browser.new_context(base_url=url, java_script_enabled=False, viewport={"width": 360, "height": 740})
    yield context.new_page()
    context.close()


def heading(page: Page, text: str) -> None:
    """Expect the step with that heading, and the focus on it."""
    expect(page.get_by_role("heading", name=text)).to_be_focused()


def test_one_step_is_shown_at_a_time_and_says_which_it_is(page: Page) -> None:
    page.goto(FORM)

    for number, title in enumerate(STEPS, 1):
        expect(page.locator("[data-step]:visible")).to_have_count(1)
        expect(page.locator("[data-step]:visible h2").first).to_have_text(f"Step {number} of 5: {title}")
        if number > 1:
            heading(page, title)
            expect(page).to_have_title(re.compile(f"^Step {number} of 5: "))
            assert page.evaluate("scrollY") == 0
        if number < len(STEPS):
            go_on(page)

    expect(page.get_by_role("button", name="Check your answers").first).to_be_visible()


def test_without_scripts_every_step_is_on_one_page(scriptless: Page) -> None:
    scriptless.goto(FORM)

    expect(scriptless.locator("[data-step]:visible")).to_have_count(5)
    expect(scriptless.get_by_role("button", name="Continue")).to_have_count(0)
    expect(scriptless.get_by_role("button", name="Back")).to_have_count(0)


def test_back_goes_a_step_back_with_every_answer_and_forward_comes_again(page: Page) -> None:
    page.goto("/")
    page.goto(FORM)
    fill_in(page)
    page.get_by_label("Your name").fill("Robin Example")
    check(page)

    for title in reversed(STEPS):
        page.go_back()
        heading(page, title)

    assert page.locator("[name='immediate_danger'][value='no']").is_checked()
    assert page.locator("[name='concern.narrative']").input_value() == NARRATIVE
    assert page.locator("[name='reporter.name']").input_value() == "Robin Example"
    for title in STEPS[1:]:
        page.go_forward()
        heading(page, title)
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Check your answers")
    expect(page.get_by_text("Robin Example")).to_be_visible()


def test_answers_changed_after_an_error_are_kept_by_back(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    go_to_last_step(page)
    page.locator("[name='concern.narrative']").evaluate("(field) => { field.value = ''; }")
    page.locator("[data-check]").click()
    expect(page.locator(".problem")).to_be_focused()
    page.locator("[name='concern.narrative']").fill(NARRATIVE)

    page.go_back()
    heading(page, STEPS[4])

    expect(page.locator(".problem")).to_be_hidden()
    check(page)
    expect(page.get_by_text(NARRATIVE)).to_be_visible()


MISSING = {
    FORM: {
        "immediate_danger": "Choose yes, no or not sure.",
        "concern.narrative": "Write what you are worried about. One sentence is enough.",
        "reporter.kind": "Select who you are.",
    },
    "/worried-about-yourself": {
        "immediate_danger": "Select whether you are safe now.",
        "concern.narrative": "Write what has happened. One sentence is enough.",
    },
}


@pytest.mark.parametrize("language", first_by_day(["", "/cy"]))
@pytest.mark.parametrize("path", first_by_day(MISSING))
def test_continue_says_what_a_step_lacks_in_the_servers_words(page: Page, path: str, language: str) -> None:
    page.goto(language + path)
    check_unanswered(page)
    expect(page.locator(".problem")).to_be_focused()
    by_server = {name: page.locator(f".problem a[href='#{name}']").inner_text() for name in MISSING[path]}
    faults_by_server = {
        name: page.locator(f".question:has([id='{name}']) .fault").first.text_content() for name in MISSING[path]
    }
    title_by_server = page.title()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(language + path)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))

    for number, (name, words) in enumerate(MISSING[path].items()):
        field = page.locator(f"[id='{name}']")
        while not field.is_visible():
            go_on(page)
        page.locator("[data-continue]:visible").click()

        expect(page.locator(".problem")).to_be_focused()
        expect(page.locator(".problem a")).to_have_text([by_server[name]])
        assert by_server[name] == words or language
        assert page.locator(".fault:visible").text_content() == faults_by_server[name]
        expect(field).to_have_attribute("aria-invalid", "true")
        assert page.title().split()[0] == title_by_server.split()[0]
        assert page.evaluate("scrollY") == 0
        assert accessibility_violations(page) == []
        page.locator(".problem a").click()
        expect(field).to_be_focused()
        go_on(page)
        expect(page.locator(".problem")).to_have_count(0)
        expect(page.locator("[data-step]:visible h2").first).to_contain_text(f"{number + 2}" if number < 2 else "5")
        assert page.title().split()[0] != title_by_server.split()[0]
    assert set(posts) <= {"GET"}


def test_enter_checks_a_step_and_faults_elsewhere_stay(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    page.locator("[name='concern.narrative']").evaluate("(field) => { field.value = ' '; }")
    page.locator("[name='children.0.estimated_age']").evaluate("(field) => { field.value = 'ten'; }")
    check_unanswered(page)
    expect(page.locator(".problem a")).to_have_count(2)
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 2 of 5")

    page.locator("[data-continue]:visible").click()

    expect(page.locator(".problem")).to_be_focused()
    expect(page.locator(".problem a")).to_have_count(2)
    page.locator("[name='concern.narrative']").fill(NARRATIVE)
    page.locator("[data-continue]:visible").click()
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 3 of 5")
    expect(page.locator(".problem:visible a")).to_contain_text("Age: ")
    page.locator("[name='children.0.estimated_age']").fill("10")
    page.locator("[name='children.0.family_name']").press("Enter")
    page.locator("[name='reporter.kind']:checked").evaluate("(field) => { field.checked = false; }")
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 4 of 5")
    page.locator("[data-continue]:visible").click()
    expect(page.locator(".problem")).to_be_focused()
    expect(page.locator(".problem a", has_text="Select who you are.")).to_be_visible()


def test_a_long_text_says_how_many_letters_are_left(page: Page) -> None:
    page.goto(FORM)
    words = reach(page, "[name='informed_and_basis.childs_own_words']")
    question = page.locator(".question:has([name='informed_and_basis.childs_own_words'])")
    count = question.locator("[data-count]")
    expect(question.locator(".limit")).to_be_hidden()

    words.fill("x" * 3000)
    expect(count).to_be_hidden()
    words.fill("😀" * 4880)
    expect(count).to_have_text("You have 120 letters left.")
    expect(page.locator("[role=status].vh", has_text="You have 120 letters left.")).to_have_count(1)
    assert accessibility_violations(page) == []
    words.press("End")
    words.press("x")
    expect(count).to_have_text("You have 119 letters left.")
    words.fill("x" * 4999)
    expect(count).to_have_text("You have 1 letter left.")
    words.fill("x" * 5002)
    expect(count).to_have_text("You have 2 letters too many.")
    go_to_last_step(page)
    page.locator("[data-check]").click()
    expect(page.locator(".problem")).to_be_focused()

    expect(page.locator(".problem a")).to_have_text(
        ["What has the child said? Use at most 5,000 letters. You have written 5,002."]
    )


def test_without_scripts_the_hint_says_the_limit(scriptless: Page) -> None:
    scriptless.goto(FORM)

    expect(scriptless.locator(".question:has([name='concern.narrative']) .limit")).to_have_text("Up to 50,000 letters.")
    expect(scriptless.locator(".question:has([name='children.0.given_names']) .limit")).to_have_count(0)


def leaving_questions(page: Page) -> list[str]:
    """Return a list that grows with each question of the browser whether to leave. Each is answered with no."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def test_leaving_with_answers_asks_first_and_an_empty_form_does_not(page: Page, url: str) -> None:
    asked = leaving_questions(page)
    page.goto(FORM)
    page.locator(".about-form a[href^='/guides/']").click()
    page.wait_for_url("**/guides/**")
    assert asked == []
    page.goto(FORM)
    fill_in(page)

    page.get_by_role("link", name="Privacy").click()

    expect(page.locator("[name='concern.narrative']")).to_have_value(NARRATIVE)
    assert asked == ["beforeunload"]
    assert page.url == url + FORM


def test_exit_from_any_step_leaves_no_entry_of_the_form(page: Page, url: str) -> None:
    for last in ("step", "check", "receipt"):
        page.goto("/health/live")
        page.goto(FORM)
        fill_in(page)
        if last != "step":
            check(page)
        if last == "receipt":
            send(page)
        page.get_by_role("link", name="Exit this page").click()
        page.wait_for_url(NEUTRAL_PAGE)

        page.go_back()

        assert page.url == f"{url}/health/live", last
        page.go_forward()
        page.wait_for_url(NEUTRAL_PAGE)
        page.go_forward()
        page.wait_for_url(NEUTRAL_PAGE)


def test_skipping_to_the_content_keeps_the_step_and_the_history(page: Page) -> None:
    page.goto(FORM)
    go_on(page)
    entries = page.evaluate("history.length")

    page.locator(".skip").press("Enter")

    expect(page.locator("main")).to_be_focused()
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 2 of 5")
    assert page.evaluate("history.length") == entries


TOP = "(element) => element.getBoundingClientRect().top"


def in_view(page: Page, selector: str) -> None:
    """Expect the first such element whole in view, below the bar with the exit."""
    element = page.locator(selector).first
    top = element.evaluate(TOP)
    bottom = element.evaluate("(element) => element.getBoundingClientRect().bottom")
    assert top >= EXIT_BAR_PX, f"{selector} starts above the screen, at {top}"
    assert bottom <= page.viewport_size["height"], f"{selector} ends below the screen, at {bottom}"  # type: ignore[index]  # set by the fixture


ERRORS = ("immediate_danger", "concern.narrative", "reporter.kind")


@pytest.mark.parametrize("name", first_by_day(ERRORS))
def test_an_error_link_shows_the_whole_question_with_its_error(page: Page, name: str) -> None:
    page.goto(FORM)
    check_unanswered(page)
    expect(page.locator(".problem")).to_be_focused()

    page.locator(f".problem a[href='#{name}']").click()

    expect(page.locator(f"[id='{name}']")).to_be_focused()
    for part in ("b", ".fault"):
        in_view(page, f".question:has([id='{name}']) {part}")


@pytest.mark.parametrize("name", first_by_day(ERRORS))
def test_an_error_link_shows_the_label_without_scripts(scriptless: Page, name: str) -> None:
    scriptless.goto(FORM)
    scriptless.locator("[data-check]").click()

    scriptless.locator(f".problem a[href='#{name}']").click()

    in_view(scriptless, f".question:has([id='{name}']) b")


@pytest.mark.nightly
@pytest.mark.parametrize("browser_page", ["page", "scriptless"])
def test_change_goes_to_the_section(request: pytest.FixtureRequest, browser_page: str) -> None:
    page: Page = request.getfixturevalue(browser_page)
    page.goto(FORM)
    fill_in(page)
    check(page)

    page.get_by_role("button", name="Change about you").click()

    heading(page, "About you")
    in_view(page, "#step-you")


@pytest.mark.parametrize("browser_page", first_by_day(["page", "scriptless"]))
def test_after_a_change_one_press_comes_back_to_the_answers(request: pytest.FixtureRequest, browser_page: str) -> None:
    page: Page = request.getfixturevalue(browser_page)
    page.goto(FORM)
    fill_in(page)
    check(page)
    page.get_by_role("button", name="Change what worries you").click()
    expect(page.locator("[name='concern.narrative']")).to_have_value(NARRATIVE)
    page.locator("[name='concern.narrative']").fill("Other words.")

    page.get_by_role("button", name="Save and go back to your answers").click()

    expect(page.locator("h1")).to_have_text("Check your answers")
    expect(page.get_by_text("Other words.")).to_be_visible()


def test_an_age_is_checked_on_its_step(page: Page) -> None:
    page.goto(FORM)
    field = reach(page, "[name='children.0.estimated_age']")

    for age, said in (("abc", "Age: enter a whole number."), ("18", "Age: enter 17 or less.")):
        field.fill(age)
        page.locator("[data-continue]:visible").click()

        expect(page.locator(".problem a")).to_have_text([said])
        expect(page.locator(".problem")).to_be_focused()
        expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 3 of 5")


def test_a_young_persons_title_stays_the_same_at_each_step(page: Page) -> None:
    page.goto("/worried-about-yourself")
    title = page.title()
    go_on(page)

    assert page.title() == title
    expect(page.locator("main [href='tel:+448001111']").locator("visible=true")).to_have_count(1)


def test_another_child_comes_into_view(page: Page) -> None:
    page.goto(FORM)
    reach(page, "[name='children.0.given_names']").fill("Alex")

    page.get_by_role("button", name="Add another child").click()

    expect(page.locator("[id='children.1']")).to_be_focused()
    in_view(page, "[id='children.1'] legend")
    assert page.locator("[name='children.0.given_names']").input_value() == "Alex"


def test_capital_letters_never_exit_and_two_shift_presses_only_warn(page: Page, url: str) -> None:
    page.goto(FORM)
    said = page.locator("[data-exit-status]")
    narrative = reach(page, "[name='concern.narrative']")
    narrative.focus()
    page.keyboard.down("Shift")
    page.keyboard.press("A")
    page.keyboard.up("Shift")
    page.keyboard.type("Alex Example and Billie")
    for letter in "AB":
        page.keyboard.press(f"Shift+{letter}")

    assert said.text_content() == ""
    page.keyboard.press("Shift")
    expect(said).to_have_text("Shift: press 2 more times to exit.")
    page.keyboard.press("Shift")
    page.keyboard.type("Alex")
    page.keyboard.press("Shift")
    assert page.url == url + FORM
    expect(narrative).to_have_value("AAlex Example and BillieABAlex")


def test_a_send_that_fails_twice_shows_one_message_with_the_focus(page: Page, context: BrowserContext) -> None:
    page.goto(FORM)
    fill_in(page)
    check(page)
    context.set_offline(True)
    for _ in range(2):
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("[data-alert]")).to_be_focused()

    expect(page.locator(".problem")).to_have_count(1)
    context.set_offline(False)
    send(page)


def test_the_page_says_that_a_form_is_being_sent(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    check(page)
    held: list[Route] = []
    page.route(f"**{FORM}", lambda route: held.append(route))  # noqa: PLW0108  # Playwright refuses a built-in

    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator(".sending")).to_have_text("Sending…")
    assert float(page.locator("main").evaluate("(main) => getComputedStyle(main).opacity")) < 1
    wait_until(lambda: page.evaluate("true") and held)  # each look lets the browser's events in
    held[0].continue_()
    expect(page.locator(".reference").first).to_be_visible()
    expect(page.locator(".sending")).to_have_text("")


def test_a_page_that_comes_is_at_its_place_at_once(page: Page) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.goto(FORM)
    page.evaluate("window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")

    check_unanswered(page)

    expect(page.locator(".problem")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize("width", first_by_day([320, 768, 1280]))
def test_a_label_is_above_its_field_and_errors_mark_whole_questions(browser: Browser, url: str, width: int) -> None:
    context = browser.new_context(base_url=url, viewport={"width": width, "height": 740})
    page = context.new_page()
    page.goto(FORM)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    reach(page, "[name='children.0.ethnicity']")
    label, field = (
        page.locator(f".question:has([id='children.0.ethnicity']) {part}").bounding_box() for part in ("b", "select")
    )
    check_unanswered(page)
    expect(page.locator(".problem")).to_be_focused()
    wrong = page.locator(".wrong:visible")
    legend = wrong.locator("legend")

    assert label is not None
    assert field is not None
    assert field["y"] >= label["y"] + label["height"]
    expect(wrong).to_have_count(1)
    assert abs(wrong.evaluate(TOP) - legend.evaluate(TOP)) <= 1
    assert wrong.evaluate("(element) => element.tagName") == "DIV"
    context.close()


TOO_WIDE = """[...document.querySelectorAll('main *')]
    .filter((each) => each.getBoundingClientRect().right > 320 && !each.matches('.vh'))
    .map((each) => `${each.outerHTML.slice(0, 80)} ends at ${each.getBoundingClientRect().right} px`)"""


@pytest.mark.parametrize("scheme", first_by_day(["light", "dark"]))
@pytest.mark.parametrize("path", first_by_day([FORM, "/worried-about-yourself"]))
def test_every_step_is_accessible_and_fits_a_phone_with_large_text(
    browser: Browser, url: str, path: str, scheme: str
) -> None:
    context = browser.new_context(base_url=url, viewport={"width": 320, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    page = context.new_page()
    page.goto(path)
    faults: list[str] = []
    while True:
        faults += accessibility_violations(page)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        faults += page.evaluate(TOO_WIDE)
        page.evaluate("document.documentElement.style.fontSize = ''")
        if not page.locator("[data-continue]:visible").count():
            break
        go_on(page)

    assert faults == []
    context.close()


@pytest.mark.parametrize("status", first_by_day([413, 429, 500]))
def test_an_error_of_the_server_takes_nothing_typed_away(page: Page, status: int) -> None:
    page.goto(FORM)
    fill_in(page)
    check(page)
    answer = "<title>x</title><main><h1>Please wait a moment</h1><p>Please try again.</p></main>"
    page.route(f"**{FORM}", lambda route: route.fulfill(status=status, content_type="text/html", body=answer))

    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator("[data-alert]")).to_have_text("Please wait a moment. Please try again.")
    expect(page.get_by_text(NARRATIVE)).to_be_visible()
    page.unroute(f"**{FORM}")
    send(page)


def test_a_form_that_is_too_long_says_so_and_stays(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    go_to_last_step(page)
    page.locator("[name='concern.narrative']").evaluate("(field) => { field.value = 'x'.repeat(1100000); }")

    page.locator("[data-check]").click()

    expect(page.locator("[data-alert]")).to_contain_text("This is too long")
    assert len(page.locator("[name='concern.narrative']").input_value()) == 1_100_000


def test_an_unnamed_reporter_can_see_and_remove_a_typed_name(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    page.get_by_label("Your name").fill("Robin Example")
    page.get_by_label("I would rather not say").check()
    expect(page.get_by_label("Your name")).to_be_hidden()
    check(page)
    expect(page.get_by_text("Robin Example")).to_be_visible()

    page.get_by_role("button", name="Change about you").click()

    expect(page.get_by_label("Your name")).to_be_visible()
    page.get_by_label("Your name").fill("")
    check(page)
    expect(page.get_by_text("Robin Example")).to_have_count(0)
