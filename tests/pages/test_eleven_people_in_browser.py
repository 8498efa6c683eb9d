"""Each of eleven people on a slow phone and network, to the end of their way: pages and presses are counted."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages.languages import SHORT_LANGUAGES
from tests.pages.test_short_pages_in_browser import TEXT_IN, WORDS
from tests.support.browsing import NEUTRAL_PAGE, serve_neutral_page
from tests.support.concerns import raise_at
from tests.support.journeys import CANARY, IN_VIEW, PEOPLE, Condition, open_page, views

pytestmark = [pytest.mark.nightly, pytest.mark.any_database, pytest.mark.slow]

PHONE = Condition(360, 740, kilobits=400, slowdown=4)
CHILDREN = ("Alex", "Billie", "Charlie")
NAMES_AND_TIMES = re.compile(
    r"^English$|^One Minute Guide$|^I speak \w+\. Interpreter, please\.$|Team$|^(?:Open )?\w+day|^At night"
)
"""Matches the English that stays on a short page: names, opening hours, and what to say on the phone."""


class Walk:
    """The way of one person. Each page has 999 and the exit in view, and is as wide as the screen."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.pages = 0
        self.presses = 0
        self.faults: list[str] = []

    def see(self, words: str | re.Pattern[str] = "") -> None:
        """Look at the next page or step, which has a heading with `words`, and count it."""
        expect(self.page.locator("main h1, main h2").filter(has_text=words, visible=True).first).to_be_visible()
        self.pages += 1
        if not self.page.evaluate(IN_VIEW):
            self.faults.append(f"page {self.pages}: 999 or the exit is out of view")
        if self.page.evaluate("document.documentElement.scrollWidth") > PHONE.width:
            self.faults.append(f"page {self.pages}: wider than the screen")

    def press(self, role: Any, name: str) -> None:
        """Press the first link or button in view that has the name."""
        self.page.get_by_role(role, name=name, exact=True).locator("visible=true").first.click()
        self.presses += 1

    def choose(self, question: str, answer: str) -> None:
        self.page.locator(f"[name='{question}'][value='{answer}']").check()
        self.presses += 1

    def write(self, question: str, words: str) -> None:
        self.page.locator(f"[name='{question}']").fill(words)

    def arrive(self) -> None:
        """Expect the receipt."""
        expect(self.page.locator(".reference").first).to_be_visible()


def by_the_form(walk: Walk, person: str) -> None:
    start, answers = PEOPLE[person]
    walk.presses = len(answers)
    for _ in views(walk.page, start, answers):
        walk.see()
        walk.presses += 1
    walk.arrive()


def in_danger(walk: Walk, way: str, answers: int) -> None:
    """Say danger, and send one sentence: with scripts on its own page, without in the form."""
    walk.page.goto("/")
    walk.see("Worried about a child?")
    walk.press("link", way)
    walk.see()
    walk.choose("immediate_danger", "yes")
    if answers:
        walk.write("concern.narrative", CANARY)
    walk.press("button", "Send what you have now")
    if not answers:
        walk.see("Send what you have now")
        walk.write("concern.narrative", CANARY)
        walk.press("button", "Send")
    walk.arrive()


def of_three_children(walk: Walk) -> None:
    walk.page.goto(PEOPLE["a teaching assistant"][0])
    walk.see("Danger now")
    walk.choose("immediate_danger", "no")
    walk.press("button", "Continue")
    walk.see("What worries you")
    walk.write("concern.narrative", CANARY)
    walk.press("button", "Continue")
    walk.see("The child")
    for number, name in enumerate(CHILDREN):
        if number:
            walk.press("button", "Add another child")
        walk.write(f"children.{number}.given_names", name)
    walk.press("button", "Continue")
    walk.see("About you")
    walk.choose("reporter.kind", "professional")
    walk.press("button", "Continue")
    walk.see("Anything else")
    walk.press("button", "Check your answers")
    walk.see("Check your answers")
    for name in CHILDREN:
        expect(walk.page.get_by_text(name).first).to_be_visible()
    walk.press("button", "Send")
    walk.arrive()
    with walk.page.expect_download():
        walk.press("button", "Save a copy of what you sent (PDF)")


def back_again(walk: Walk) -> None:
    receipt = raise_at(walk.url)
    walk.page.goto("/concerns")
    walk.see("Check what is happening")
    walk.write("reference", receipt["reference"])
    walk.write("code", receipt["status_token"])
    walk.press("button", "Check")
    walk.see("What is happening")
    walk.write("narrative", "The car was red.")
    walk.press("button", "Send what you added")
    expect(walk.page.locator("h1")).to_have_text("We have what you added")


def at_the_wrong_door(walk: Walk) -> None:
    walk.page.goto("/")
    walk.see()
    walk.page.locator("summary", has_text="Is it about something else?").click()
    walk.presses += 1
    reasons = walk.page.locator("details:has(summary:text('Is it about something else?')) li")
    expect(reasons).to_have_count(3)
    for reason in reasons.all():
        expect(reason.locator("a[href^='tel:']").first).to_be_visible()


def watched(walk: Walk) -> None:
    walk.page.context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
    walk.page.goto("/worried-about-yourself")
    walk.see()
    walk.press("link", "Exit this page")
    walk.page.wait_for_url(NEUTRAL_PAGE)


def in_their_language(walk: Walk, code: str) -> None:
    language = next(each for each in SHORT_LANGUAGES if each.code == code)
    english: set[str] = set()
    walk.page.goto("/")
    walk.see()
    walk.press("link", language.name)
    expect(walk.page.locator("html")).to_have_attribute("lang", code)
    walk.see()
    english.update(walk.page.evaluate(TEXT_IN, "en"))
    walk.choose("immediate_danger", "no")
    walk.write("concern.narrative", WORDS[code])
    walk.choose("reporter.kind", "family")
    walk.page.locator("[name='do'][value='send']").click()
    walk.presses += 1
    walk.arrive()
    english.update(walk.page.evaluate(TEXT_IN, "en"))
    walk.faults += [each for each in english if not NAMES_AND_TIMES.search(each)]


class Way(NamedTuple):
    """What a person does, and the most pages before the end and presses that it may take."""

    walk: Callable[[Walk], None]
    pages: int
    presses: int
    has_scripts: bool = True


PERSONS = {
    "a grandmother": Way(partial(by_the_form, person="a neighbour"), 7, 9),
    "a child of 13": Way(partial(by_the_form, person="a child"), 5, 6),
    "a friend of 13": Way(partial(by_the_form, person="a friend"), 5, 6),
    "a child in danger": Way(partial(in_danger, way="I am under 18", answers=0), 3, 4),
    "an adult in danger without scripts": Way(partial(in_danger, way="Tell us about a child", answers=1), 3, 3, False),
    "a teacher of three children": Way(of_three_children, 6, 21),
    "somebody who comes back": Way(back_again, 2, 3),
    "somebody at the wrong door": Way(at_the_wrong_door, 1, 1),
    "somebody who is watched": Way(watched, 1, 1),
    "a Polish speaker": Way(partial(in_their_language, code="pl"), 2, 4),
    "an Urdu speaker": Way(partial(in_their_language, code="ur"), 2, 4),
}


@pytest.mark.parametrize("person", PERSONS)
def test_each_person_needs_no_more_pages_and_presses_than_before(browser: Browser, url: str, person: str) -> None:
    way = PERSONS[person]
    page = open_page(browser, url, replace(PHONE, has_scripts=way.has_scripts))
    walk = Walk(page, url)

    way.walk(walk)

    assert walk.faults == []
    assert walk.pages <= way.pages
    assert walk.presses <= way.presses
    page.context.close()
