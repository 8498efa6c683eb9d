"""Less to read: every page and state of the public against the table of what it showed before, on a phone."""

from collections.abc import Iterator
from itertools import chain

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.test_pages_in_browser import second_edition, states
from tests.support.browsing import go_on
from tests.support.publishing import publish_next
from tests.support.screens import PHONE, welsh_states
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.visible_words import BEFORE, NOT_COUNTED, Shown, council_words, look_at

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MOST = 0.75
"""Of the words before."""
CHILDLINE = 12
"""Words of its line, which came to pages that had none."""
HEIGHT = 740
FORMS = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend")
BOTTOM_OF_ANSWERS = "Math.max(...[...document.querySelectorAll('[name=immediate_danger]')].map(bottom))"
COLOUR_OF_ALARM = """() => {
  const made = document.body.appendChild(document.createElement("i"));
  made.style.background = "var(--alarm)";
  return getComputedStyle(made).backgroundColor;
}"""
BOTTOM = "const bottom = (input) => input.closest('label').getBoundingClientRect().bottom; "
FIRST_OF_STEP = """() => {
  const step = document.querySelector("[data-step]:not([hidden])");
  const before = [...document.querySelectorAll("main :is(p, h1, h2, section, ul, details, label, legend)")].filter(
    (each) => each.checkVisibility() && getComputedStyle(each).clipPath === "none" && !step.contains(each)
      && each.compareDocumentPosition(step) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  const inside = [...step.children].filter((each) => each.checkVisibility());
  return [before.map((each) => each.textContent.trim()), inside.slice(0, 2).map((each) => each.localName)];
}"""
"""What stands before the step in view, and the kinds of its first two elements."""


@pytest.fixture(scope="module")
def council_pages(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Yield a page of a phone, at an invented council, which is a trial: its mark takes a line of the header."""
    service = a_service(data_dir=tmp_path_factory.mktemp("words") / "data", council_name="Example Council")
    with run_server(service) as url:
        publish_next(service, **dict(second_edition()))
        page = browser.new_page(base_url=url, viewport=PHONE, reduced_motion="reduce")
        yield page
        page.close()


@pytest.fixture(scope="module")
def shown(council_pages: Page) -> dict[str, Shown]:
    council = council_words(council_pages)
    return {each: look_at(council_pages, council) for each in chain(states(council_pages), welsh_states(council_pages))}


def test_each_page_of_the_public_has_at_most_three_quarters_of_its_words(shown: dict[str, Shown]) -> None:
    assert BEFORE.keys() == shown.keys() - NOT_COUNTED
    assert {
        name: (before.words, shown[name].words)
        for name, before in BEFORE.items()
        if shown[name].words > before.words * MOST + CHILDLINE * (shown[name].has_childline - before.has_childline)
    } == {}


def test_no_page_loses_999_or_childline(shown: dict[str, Shown]) -> None:
    assert [name for name, before in BEFORE.items() if before.has_999 and not shown[name].has_999] == []
    assert [name for name, before in BEFORE.items() if before.has_childline and not shown[name].has_childline] == []


def test_the_page_of_helpers_has_every_number_that_left_the_others(council_pages: Page) -> None:
    council_pages.goto("/")
    council_pages.get_by_role("link", name="More people who can help").click()

    signposts = council_pages.request.get("/v1/signposts").json()["signposts"]
    numbers = {phone["number"] for each in signposts for phone in each.get("phones", ())}
    dialled = council_pages.locator("main a[href^='tel:']").evaluate_all("(links) => links.map(({ href }) => href)")
    assert len(numbers) > 5
    assert {f"tel:{number}" for number in numbers} - set(dialled) == set()


@pytest.mark.parametrize("path", [*FORMS, *(f"/cy{each}" for each in FORMS)])
def test_the_first_question_and_its_answers_are_in_view(council_pages: Page, path: str) -> None:
    council_pages.goto(path)

    assert council_pages.evaluate(f"{BOTTOM}{BOTTOM_OF_ANSWERS}") < HEIGHT
    assert council_pages.evaluate("scrollY") == 0


@pytest.mark.parametrize("path", FORMS)
def test_each_later_step_begins_with_its_heading_and_its_question(council_pages: Page, path: str) -> None:
    council_pages.goto(path)
    begins = []
    while council_pages.locator("[data-continue]:visible").count():
        go_on(council_pages)
        begins.append(council_pages.evaluate(FIRST_OF_STEP))

    assert len(begins) >= 2
    assert [before for before, _ in begins] == [[]] * len(begins)
    assert {tags[0] for _, tags in begins} == {"h2"}


def test_the_first_screen_has_one_red_button_and_it_is_999_in_the_bar(council_pages: Page) -> None:
    for path in ("/", "/raise-a-concern"):
        council_pages.goto(path)

        alarm = council_pages.evaluate(COLOUR_OF_ALARM)
        red = council_pages.locator(".call-now, .exit, .button, .dial, button:visible").evaluate_all(
            "(all) => all.map((each) => [each.className, getComputedStyle(each).backgroundColor])"
        )
        assert [name for name, colour in red if colour == alarm] == ["call-now"]
