"""The journey of each person from the home page to a sent concern, in the conditions in which people make it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from app.config import Settings
from app.main import create_app
from app.models.concerns.tables import ConcernRow
from tests.support.browsing import accessibility_violations, run_server
from tests.support.clock import SettableClock
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

GENERAL, YOURSELF, FORM = "/raise-a-concern", "/worried-about-yourself", f"/raise-a-concern/{SLUG}"
CANARY = "Alex Example was collected from school."
PEOPLE = {
    "a teaching assistant": (FORM, {"immediate_danger": "no", "reporter.kind": "professional"}),
    "a neighbour": (GENERAL, {"immediate_danger": "not_sure", "reporter.kind": "member_of_public"}),
    "a child": (YOURSELF, {"immediate_danger": "no"}),
}
MAX_SCREENS, MAX_QUESTIONS = 8, 12
KILOBIT = 1000 / 8


@dataclass(frozen=True)
class Condition:
    """A browser: its options, whether it runs scripts, and how fast its network is."""

    width: int
    height: int
    options: dict[str, Any] = field(default_factory=dict)
    has_scripts: bool = True
    kilobits: int | None = None


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
IN_VIEW = """
() => ["a[href='tel:999']", "[data-exit]"].every((selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
})
"""
HAS_EDGE = """
(element) => {
  const style = getComputedStyle(element);
  return style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) >= 1;
}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("journeys") / "data", deliver=False)
    with run_server(create_app(settings, SettableClock())) as address:
        yield address


def open_page(browser: Browser, url: str, condition: Condition) -> Page:
    viewport: Any = {"width": condition.width, "height": condition.height}
    context = browser.new_context(
        base_url=url, viewport=viewport, java_script_enabled=condition.has_scripts, **condition.options
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    if condition.kilobits:
        speed = condition.kilobits * KILOBIT
        network = {"offline": False, "latency": 300, "downloadThroughput": speed, "uploadThroughput": speed}
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)
    return page


def answer(page: Page, answers: dict[str, str]) -> None:
    """Answer what is in view and required."""
    for name, value in answers.items():
        choice = page.locator(f"[name='{name}'][value='{value}']")
        if choice.count() and choice.is_visible():
            choice.check()
    narrative = page.locator("[name='concern.narrative']")
    if narrative.is_visible():
        narrative.fill(CANARY)


def views(page: Page, start: str, answers: dict[str, str]) -> Iterator[str]:
    """Go from the home page to the receipt, and yield at each view the button or the link that comes next."""
    page.goto("/")
    yield f"a[href='{start if start == YOURSELF else FORM}']"
    page.goto(start)
    answer(page, answers)
    while page.locator("[data-continue]:visible").count():
        yield "[data-continue]:visible"
        page.locator("[data-continue]:visible").click()
        answer(page, answers)
    yield "[data-check]"
    page.locator("[data-check]").click()
    expect(page.locator("h1")).to_have_text("Check your answers")
    yield "#send"
    page.locator("#send").click()
    expect(page.locator("h1")).to_have_text("We have your concern")


@pytest.mark.parametrize("name", CONDITIONS)
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
        if condition.has_scripts and not condition.kilobits:
            found += [(person, fault, 0) for fault in accessibility_violations(page)]
        page.context.close()

    assert found == []


@pytest.mark.parametrize("person", PEOPLE)
def test_it_takes_at_most_eight_screens_of_a_phone_and_twelve_questions(
    browser: Browser, url: str, person: str
) -> None:
    start, answers = PEOPLE[person]
    page = open_page(browser, url, Condition(360, 740))
    screens, questions = 0.0, 0
    for place in views(page, start, answers):
        end = page.locator(place).first.evaluate("(element) => element.getBoundingClientRect().bottom + scrollY")
        screens += end / 740
        questions += page.locator(".question:visible").count()
    page.context.close()

    assert questions <= MAX_QUESTIONS
    assert screens <= MAX_SCREENS


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
