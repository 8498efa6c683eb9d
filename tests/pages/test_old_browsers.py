"""The pages on a phone of 2021, which lacks what newer browsers have: it never says danger to a person who is safe."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages.page import STATIC_DIR, STYLESHEETS
from tests.support.browsing import go_to_last_step
from tests.support.form_answers import FORM, check, fill_in, send
from tests.support.loops import some_by_day
from tests.support.old_browser import old_phone

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

FORMS = {
    "/raise-a-concern": "A child is in danger: call now",
    "/worried-about-yourself": "You are in danger: call now",
    "/worried-about-a-friend": "Your friend is in danger: call now",
}
ANSWERS = ("yes", "no", "not_sure")
SCRIPTS = ("pages.js", "copy.js", "danger.js", "leaving.js", "form.js")
NEWER = {
    r"\.at\(": "Safari 15.4",
    r"\.(findLast|findLastIndex)\(": "Safari 15.4",
    r"\.(toSorted|toReversed|with)\(": "Safari 16",
    r"\bstructuredClone\(": "Safari 15.4",
    r"\bObject\.(hasOwn|groupBy)\(": "Safari 15.4",
    r"\.(replaceAll|matchAll)\(": "Chrome 85",
    r"\.replaceChildren\(": "Safari 14",
    r"\.requestSubmit\(": "Safari 16",
    r"\.(showModal|showPopover)\(": "Safari 15.4",
    r"\.checkVisibility\(": "Safari 17.4",
    r"\bcrypto\.randomUUID\(": "Safari 15.4",
    r"\bPromise\.(any|withResolvers)\(": "Safari 14",
    r"\bAbortSignal\.(timeout|any)\(": "Safari 16",
    r"\bnew URLSearchParams\(.*FormData": "Safari 14, which alone takes a form",
    r"\bnew FormData\([^()]*,": "Safari 15.4: the button of a form",
    r"\bpreventScroll\b": "Safari 15: scroll after the focus was set",
    r"\bbehavior:": "Safari 15.4",
    r"(\?\?|\|\||&&)=": "Chrome 85",
    r"\(\?<[=!]": "Safari 16.4",
    r"\bstatic \{|\.#\w": "Safari 14.1",
    r":has\(|:is\(|:focus-visible": "Safari 14 and later: a selector that is not known ends the script",
}
"""What came after the oldest browsers that run the scripts (Safari 13.1, Chrome 80, Firefox 74), and with which one."""


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[Page]:
    with old_phone(browser, url) as page:
        yield page


@pytest.fixture
def scriptless(browser: Browser, url: str) -> Iterator[Page]:
    with old_phone(browser, url, has_scripts=False) as page:
        yield page


@some_by_day(form=FORMS, answer=ANSWERS)
def test_an_old_phone_opens_the_band_and_the_step_of_the_answer(phone: Page, form: str, answer: str) -> None:
    errors: list[str] = []
    phone.on("pageerror", lambda error: errors.append(str(error)))
    phone.goto(form)
    expect(phone.locator(".alarm:visible")).to_have_count(0)
    phone.locator("[data-continue]:visible").click()
    expect(phone.locator(".problem")).to_be_focused()

    phone.locator(f"[name='immediate_danger'][value='{answer}']").click()

    expect(phone.locator(".alarm:visible h2")).to_have_text([FORMS[form]] if answer == "yes" else [])
    if answer == "yes":
        expect(phone.locator(".alarm h2")).to_be_focused()
    else:
        expect(phone.locator(f"[name='immediate_danger'][value='{answer}']")).to_be_focused()
    phone.locator("[data-continue]:visible").click()
    expect(phone.locator("[data-step]:visible h2").first).to_contain_text("Step 2 of")
    expect(phone.locator("[data-step]:visible h2").first).to_be_focused()
    expect(phone.locator(".alarm:visible")).to_have_count(0)
    expect(phone.locator(".step > [data-danger]:visible")).to_have_count(1 if answer == "yes" else 0)
    assert phone.evaluate("scrollY") == 0
    assert errors == []


@some_by_day(form=FORMS, answer=ANSWERS)
def test_without_scripts_an_old_phone_says_danger_only_after_that_answer(
    scriptless: Page, form: str, answer: str
) -> None:
    scriptless.goto(form)
    expect(scriptless.locator("main a[href='tel:999']:visible").first).to_be_visible()

    scriptless.locator(f"[name='immediate_danger'][value='{answer}']").check()

    expect(scriptless.locator(".alarm:visible")).to_have_count(0)
    scriptless.locator("[name='concern.narrative']").fill("A neighbour scares the child.")
    for kind in scriptless.locator("[name='reporter.kind'][value='family']").all():
        kind.check()
    scriptless.locator("[name=do][value=check]:visible").first.click()
    expect(scriptless.locator("h1")).to_have_text("Check your answers")
    expect(scriptless.locator(".alarm:visible h2")).to_have_text([FORMS[form]] if answer == "yes" else [])


def test_a_concern_is_sent_and_added_to_from_an_old_phone(phone: Page) -> None:
    phone.goto(FORM)
    fill_in(phone)
    check(phone)
    send(phone)
    expect(phone.locator("h1")).to_have_text("We have your concern")
    phone.get_by_role("button", name="Check what is happening, or add more").click()
    expect(phone.locator("h1")).to_have_text("What is happening with your concern")
    expect(phone.locator(".alarm:visible")).to_have_count(0)

    phone.locator("[name='immediate_danger'][value='yes']").click()

    expect(phone.locator(".alarm h2")).to_be_focused()
    phone.get_by_label("What do you want to add?").fill("The car was red.")
    phone.get_by_role("button", name="Send what you added").click()
    expect(phone.locator("h1")).to_have_text("We have what you added")


def test_a_browser_without_fetch_sends_the_form_itself(phone: Page) -> None:
    phone.add_init_script("delete window.fetch")
    phone.goto(FORM)
    assert phone.evaluate("typeof fetch") == "undefined"
    fill_in(phone)
    check(phone)

    send(phone)

    expect(phone.locator("h1")).to_have_text("We have your concern")


def test_an_old_phone_adds_a_child_and_changes_an_answer(phone: Page) -> None:
    phone.goto(FORM)
    fill_in(phone)
    phone.locator("[data-back]:visible").click()
    phone.get_by_role("button", name="Add another child").click()
    expect(phone.locator("[id='children.1']")).to_be_focused()
    go_to_last_step(phone)
    check(phone)

    phone.get_by_role("button", name="Change what worries you").click()

    expect(phone.get_by_role("heading", name="What worries you")).to_be_focused()


CONTRAST = """(link) => [getComputedStyle(link).color, getComputedStyle(link.closest('.alarm')).color]"""


def test_an_old_phone_shows_each_way_to_call_in_the_band(phone: Page) -> None:
    phone.goto("/worried-about-yourself")
    phone.locator("[name='immediate_danger'][value='yes']").click()

    for link in phone.locator(".alarm:visible li a").all():
        own, words = link.evaluate(CONTRAST)
        assert own == words


def test_the_scripts_use_nothing_newer_than_their_oldest_browser() -> None:
    found = [
        f"{name}, line {number}: {line.strip()} ({since})"
        for name in SCRIPTS
        for number, line in enumerate((STATIC_DIR / name).read_text().splitlines(), 1)
        for newer, since in NEWER.items()
        if re.search(newer, line.partition("//")[0]) and "CSS.supports(" not in line
    ]

    assert found == []


def parts_of(selectors: str) -> Iterator[str]:
    """Yield each selector of a list. A comma within brackets is no end."""
    depth, part = 0, ""
    for letter in selectors:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield part
            part = ""
        else:
            part += letter
    yield part


def test_no_rule_of_style_is_half_unknown_to_an_old_browser() -> None:
    """A selector that is not known takes its whole rule away: none may be half of a rule for all browsers."""
    found = []
    for name in STYLESHEETS:
        for selectors in re.findall(r"(?<=[}\n])([^{}@/]+)\{", (STATIC_DIR / name).read_text()):
            parts = list(parts_of(selectors))
            newer = [each for each in parts if ":has(" in each or ":focus-visible" in each]
            if newer and (len(newer) < len(parts) or ":not(:focus-visible)" in selectors):
                found.append(f"{name}: {selectors.strip()}")

    assert found == []


def test_the_documents_name_the_oldest_browsers() -> None:
    words = (Path(__file__).parents[2] / "docs" / "reference" / "pages.md").read_text()

    for browser in ("Safari 13.1", "Chrome 80", "Firefox 74"):
        assert browser in words
