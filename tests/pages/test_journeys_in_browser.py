"""The journey of each person from the home page to a sent concern, in the conditions in which people make it."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from app.config import Settings
from app.main import create_app
from app.models.concerns.rows import ConcernRow
from tests.support.browsing import accessibility_violations, go_to_last_step
from tests.support.clock import SettableClock
from tests.support.journeys import CANARY, FORM, HAS_EDGE, IN_VIEW, PEOPLE, Condition, open_page, views
from tests.support.loops import by_day
from tests.support.publishing import SLUG
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MAX_PAGES = 8
MOST = {"a teaching assistant": (8.5, 16), "a neighbour": (8, 14), "a child": (6, 6), "a friend": (6, 7)}
"""The screens and the questions. A professional has role, organisation and email in view, a neighbour email alone."""
CONDITIONS = {
    "a phone": Condition(320, 640),
    "a phone, dark, without scripts": Condition(320, 640, {"color_scheme": "dark"}, has_scripts=False),
    "a tablet, dark": Condition(768, 1024, {"color_scheme": "dark"}),
    "a tablet without scripts": Condition(768, 1024, has_scripts=False),
    "a desk": Condition(1280, 800),
    "a desk, dark, without scripts": Condition(1280, 800, {"color_scheme": "dark"}, has_scripts=False),
    "forced colours": Condition(1280, 800, {"forced_colors": "active"}),
    "400 % zoom": Condition(320, 256, {"device_scale_factor": 4}),
    "50 kbit/s": Condition(320, 640, kilobits=50),
}


@pytest.mark.parametrize("name", by_day(CONDITIONS, ["a phone, dark, without scripts"]))
def test_each_person_sends_a_concern_with_999_and_the_exit_in_view(browser: Browser, url: str, name: str) -> None:
    condition = CONDITIONS[name]
    found = []
    for person, (start, answers) in PEOPLE.items():
        page = open_page(browser, url, condition)
        for place in views(page, start, answers):
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > condition.width or not page.evaluate(IN_VIEW):
                found.append((person, place, width))
            if name == "forced colours":
                assert page.locator(place).first.evaluate(HAS_EDGE) or place.startswith("a["), place
        if page.evaluate("scrollY"):
            found.append((person, "the top of the receipt is out of view", 0))
        if condition.has_scripts and not condition.kilobits:
            found += [(person, fault, 0) for fault in accessibility_violations(page)]
        page.context.close()

    assert found == []


@pytest.mark.parametrize("person", by_day(PEOPLE, ["a teaching assistant", "a child"]))
def test_the_form_takes_few_pages_screens_of_a_phone_and_questions(browser: Browser, url: str, person: str) -> None:
    start, answers = PEOPLE[person]
    page = open_page(browser, url, Condition(360, 740))
    pages, screens, questions = 0, 0.0, 0
    for place in views(page, start, answers):
        page.evaluate("document.querySelector('.trial')?.remove()")  # a real service has no such line
        end = page.locator(place).first.evaluate("(element) => element.getBoundingClientRect().bottom + scrollY")
        pages += 1
        screens += end / 740
        questions += page.locator(".question:visible").count()
    page.context.close()

    assert screens <= MOST[person][0]
    assert questions <= MOST[person][1]
    assert pages <= MAX_PAGES


def test_nothing_typed_is_lost_by_a_restart_of_the_server(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("restart") / "data", deliver=False)
    start, answers = PEOPLE["a teaching assistant"]
    with run_server(create_app(settings, SettableClock())) as address:
        page = open_page(browser, address, Condition(320, 640))
        steps = views(page, start, answers)
        while next(steps) != "#send":
            pass
    page.locator("#send").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is lost")
    expect(page.get_by_text(CANARY)).to_be_visible()

    service = create_app(settings, SettableClock())
    with run_server(service, port=int(address.rpartition(":")[2])):
        page.locator("#send").click()

        expect(page.locator("h1")).to_have_text("We have your concern")
        reference = page.locator(".reference").first.inner_text()
        with Session(service.state.context.engine) as session:
            assert session.get(ConcernRow, reference) is not None
    page.context.close()


WIDE = Condition(1280, 800)
BACKGROUND = "(element) => getComputedStyle(element).backgroundColor"


def card_is_on_the_right(page: Page) -> bool:
    """Whether the card of who to call is in the first screen, right of the text and of the middle."""
    card = page.locator("aside[aria-label='Who to call']").bounding_box()
    text = page.locator(".beside > div").first.bounding_box()
    return bool(card and text and text["x"] + text["width"] <= card["x"] >= WIDE.width / 2 and card["y"] < WIDE.height)


def test_a_journey_has_one_start_a_call_card_and_a_success_panel(browser: Browser, settings: Settings) -> None:
    with run_server(create_app(settings, SettableClock())) as url:
        page = open_page(browser, url, WIDE)
        for path in ("/", f"/guides/{SLUG}"):
            page.goto(path)
            assert page.locator(".button.start").count() == 1
            assert card_is_on_the_right(page)
        for _ in views(page, *PEOPLE["a teaching assistant"]):
            pass
        panel = page.locator(".panel").first
        assert panel.locator("h1").is_visible()
        assert panel.evaluate(BACKGROUND) not in ("rgba(0, 0, 0, 0)", page.locator("body").evaluate(BACKGROUND))
        assert card_is_on_the_right(page)
        page.context.close()

        page = open_page(browser, url, WIDE)
        page.goto(FORM)
        go_to_last_step(page)
        part = page.locator("[data-part]").first
        expect(part.locator("[data-state]")).to_have_text("")
        part.locator("summary").first.click()
        part.locator("details > summary").first.click()
        part.locator("input[type='radio']:visible, input[type='checkbox']:visible").first.check()
        expect(part.locator("[data-state]")).to_have_text("Started")
        page.context.close()
