"""The inbox and the page of a concern on a desktop, on a phone and by keyboard, in a browser."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.main import create_app
from app.models.concerns.examples import FULL_EXAMPLE
from tests.support.browsing import accessibility_violations
from tests.support.clock import SettableClock
from tests.support.concerns import add
from tests.support.desk_states import raised, sign_in
from tests.support.loops import first_by_day
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MANY = 52
ANSWERS = ("no", "no", "not_sure", "no", "yes")
DESKTOP: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 390, "height": 844}
ZOOMED: Any = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %
ROWS = "[data-row]"
FOCUSED_ROW = "document.activeElement.closest('[data-row]')?.dataset.row"
CLOSE_AND_PRESS = """(key) => {
  document.querySelector("dialog").close();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}"""


@contextmanager
def desk_of(data_dir: Any, **changes: Any) -> Iterator[tuple[FastAPI, str, httpx.Client, SettableClock]]:
    """Serve a desk, and yield its service, its address, a client and its clock."""
    clock = SettableClock()
    service = create_app(Settings(data_dir=data_dir, deliver=False, **changes), clock)
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            yield service, url, http, clock


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str, httpx.Client]]:
    """A desk with more concerns than a page shows, which the tests of this module share."""
    with desk_of(tmp_path_factory.mktemp("desk")) as (service, url, http, clock):
        for number in range(MANY):
            clock.time += dt.timedelta(minutes=7)
            raised(http, immediate_danger=ANSWERS[number % len(ANSWERS)])
        yield service, url, http


@contextmanager
def tab_of(browser: Browser, service: FastAPI, url: str, viewport: Any = DESKTOP, **options: Any) -> Iterator[Page]:
    """Open a tab in which Jo is signed in."""
    with browser.new_context(base_url=url, viewport=viewport, **options) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, service)
        yield page


@pytest.fixture
def page(browser: Browser, desk: tuple[FastAPI, str, httpx.Client]) -> Iterator[Page]:
    with tab_of(browser, *desk[:2]) as page:
        page.goto("/desk")
        yield page


def tops(page: Page) -> list[tuple[float, float]]:
    """Return where each row begins and ends in the window."""
    found: list[tuple[float, float]] = page.evaluate(
        "[...document.querySelectorAll('[data-row]')].map((row) => row.getBoundingClientRect())"
        ".map((at) => [at.top, at.bottom])"
    )
    return found


def test_twenty_rows_stand_below_a_head_of_120_pixels(page: Page) -> None:
    table = page.locator("#concerns").bounding_box()

    assert table is not None
    assert table["y"] <= 122
    assert sum(bottom <= 800 for _, bottom in tops(page)) >= 20
    header = page.locator("header").bounding_box()
    assert header is not None
    assert header["height"] == 56


def test_the_head_of_the_table_stays_while_the_rows_move(page: Page) -> None:
    page.locator(ROWS).nth(40).scroll_into_view_if_needed()

    head = page.locator("thead th").first.bounding_box()
    assert head is not None
    assert head["y"] == 0


def test_the_first_concern_is_reached_with_five_tabs_at_most(page: Page) -> None:
    pressed = 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    while page.evaluate(FOCUSED_ROW) is None:
        page.keyboard.press("Tab")
        pressed += 1

    assert pressed <= 5


def test_twenty_rows_are_walked_by_keyboard_and_back(page: Page) -> None:
    references = [row.get_attribute("data-row") for row in page.locator(ROWS).all()]
    walked = []
    for _ in range(20):
        page.keyboard.press("j")
        walked.append(page.evaluate(FOCUSED_ROW))
        row, head = page.locator(":focus").bounding_box(), page.locator("thead th").first.bounding_box()
        assert row is not None
        assert head is not None
        assert head["y"] + head["height"] <= row["y"]
        assert row["y"] + row["height"] <= 800
    page.keyboard.press("k")

    assert walked == references[:20]
    assert page.evaluate(FOCUSED_ROW) == references[18]


def test_back_leads_to_the_row_that_was_opened(page: Page) -> None:
    for _ in range(5):
        page.keyboard.press("j")
    opened = page.evaluate(FOCUSED_ROW)

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Concern {opened}")).to_be_visible()
    page.go_back()

    page.wait_for_function(f"{FOCUSED_ROW} === '{opened}'")
    page.go_forward()
    expect(page.get_by_role("heading", name=f"Concern {opened}")).to_be_visible()


def test_a_assigns_the_row_to_me_and_the_walk_goes_on(page: Page) -> None:
    page.goto("/desk?show=received&who=nobody&order=newest")
    for _ in range(3):
        page.keyboard.press("j")
    taken = page.evaluate(FOCUSED_ROW)

    page.keyboard.press("a")

    expect(page.get_by_role("status")).to_have_text(f"Assigned to you: {taken}")
    following = page.locator(ROWS).nth(2).get_attribute("data-row")
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED_ROW) == following
    page.goto("/desk?who=me")
    expect(page.locator(f"[data-row='{taken}']")).to_be_visible()


def test_n_slash_and_question_mark_do_what_the_list_of_keys_says(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the desk")).to_be_visible()
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED_ROW) is None  # an open window keeps the keys
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jank/?")

    expect(page.get_by_role("searchbox")).to_have_value("jank/?")
    page.locator("main").focus()
    page.keyboard.press("n")
    expect(page.get_by_role("link", name="Back to the first page")).to_be_visible()


def test_a_window_that_closes_leaves_the_next_key_to_the_page(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the desk")).to_be_visible()

    page.evaluate(CLOSE_AND_PRESS, "/")  # what is in the window has the focus until the browser paints again

    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_keys_can_be_turned_off(page: Page) -> None:
    page.goto("/desk/key")
    page.get_by_role("button", name="Keys of the desk").click()
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.goto("/desk")

    page.keyboard.press("j")

    assert page.evaluate(FOCUSED_ROW) is None


@pytest.mark.nightly
def test_the_filters_of_the_address_come_back_with_back_and_forward(page: Page) -> None:
    more = page.locator("summary", has_text="More")
    more.click()
    page.get_by_role("link", name="In danger now").click()
    more.click()
    page.get_by_label("Assigned to").select_option("Nobody")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("/desk[?]show=danger&who=nobody"))
    expect(more).to_contain_text("filtered")
    page.go_back()
    expect(more).to_contain_text("In danger now")
    page.go_forward()

    expect(more).to_contain_text("filtered")


@pytest.mark.parametrize("viewport", first_by_day([PHONE, ZOOMED]), ids=["phone", "zoomed to 400 %"])
def test_on_a_phone_the_rows_are_cards_without_sideways_scrolling(
    browser: Browser, desk: tuple[FastAPI, str, httpx.Client], viewport: Any
) -> None:
    with tab_of(browser, *desk[:2], viewport) as page:
        page.goto("/desk")

        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        if viewport is PHONE:
            assert tops(page)[0][0] <= 150
        assert accessibility_violations(page) == []


def test_on_a_phone_a_row_is_two_lines_with_the_wait_and_the_name(
    browser: Browser, desk: tuple[FastAPI, str, httpx.Client]
) -> None:
    with tab_of(browser, *desk[:2], {"width": 360, "height": 740}) as page:
        page.goto("/desk")
        name = "cells => cells.forEach(each => { each.textContent = 'Invented Name, 12 years'.repeat(4); })"
        page.locator("[data-card]").evaluate_all(name)
        heights = page.locator(ROWS).evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
        first = page.locator(ROWS).first

        assert max(heights) < 70
        expect(first.locator("td").first).to_contain_text("late by")
        expect(first.locator("[data-card]")).to_be_in_viewport()


@pytest.mark.parametrize("options", first_by_day([{"color_scheme": "dark"}, {"forced_colors": "active"}]), ids=str)
def test_the_desk_has_no_fault_for_axe_in_other_colours(
    browser: Browser, desk: tuple[FastAPI, str, httpx.Client], options: Any
) -> None:
    with tab_of(browser, *desk[:2], **options) as page:
        for path in ("/desk", page_of_first(page)):
            page.goto(path)
            assert accessibility_violations(page) == []


def page_of_first(page: Page) -> str:
    """Return the address of the first concern of the inbox."""
    page.goto("/desk")
    return page.locator(".row-link").first.get_attribute("href") or ""


def test_what_to_do_stays_beside_the_words(page: Page) -> None:
    page.locator(".row-link").first.click()
    page.locator("#notes").scroll_into_view_if_needed()

    button = page.get_by_role("button", name="Acknowledge", exact=True).bounding_box()
    assert button is not None
    assert 0 <= button["y"] <= 700
    assert button["x"] > 850


def test_on_a_phone_acknowledge_stays_in_reach_and_covers_no_focus(
    browser: Browser, desk: tuple[FastAPI, str, httpx.Client]
) -> None:
    with tab_of(browser, *desk[:2], PHONE) as page:
        page.goto(page_of_first(page))
        bar = page.locator(".acknowledge").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] == 844
        links = page.locator("main :is(a, button, textarea, select, summary):visible").all()
        for _ in range(len(links)):
            page.keyboard.press("Tab")
            at = page.evaluate(
                "document.activeElement.closest('.acknowledge') ? null"
                " : document.activeElement.getBoundingClientRect().bottom"
            )
            assert at is None or at <= bar["y"] + 1


def test_numbers_and_addresses_of_a_concern_can_be_pressed(page: Page) -> None:
    page.locator(".row-link").first.click()
    expect(page.get_by_role("article")).to_be_visible()

    shown = {link.get_attribute("href") for link in page.get_by_role("article").get_by_role("link").all()}
    phone, email = FULL_EXAMPLE["reporter"]["phone"], FULL_EXAMPLE["reporter"]["email"]
    assert {f"tel:{phone.replace(' ', '')}", f"mailto:{email}"} <= shown


def test_the_deadline_counts_while_the_page_is_open(browser: Browser, tmp_path: Any) -> None:
    with desk_of(tmp_path / "data") as (service, url, http, _), tab_of(browser, service, url) as page:
        page.clock.install()
        raised(http)
        raised(http, immediate_danger="yes")
        page.goto("/desk")
        clocks = page.locator("[data-clock=short]")
        before = clocks.all_text_contents()

        page.clock.run_for(61 * 60 * 1000)

        expect(clocks.first).to_have_text("late by 1 min")
        assert before == ["waiting under 1 min", "1 day left"]
        expect(clocks.nth(1)).to_have_text("22 h 59 min left")


def test_an_addition_in_danger_stands_above_and_says_why_it_is_due(browser: Browser, tmp_path: Any) -> None:
    with desk_of(tmp_path / "data") as (service, url, http, clock), tab_of(browser, service, url) as page:
        receipt = raised(http)
        clock.time += dt.timedelta(minutes=10)
        assert add(http, receipt, "Alex Example is in the car park.", "yes").is_success
        page.goto(f"/desk/concerns/{receipt['reference']}")

        expect(page.locator(".in-line")).to_contain_text("addition 1 says immediate danger")
        added, report = page.locator("#addition-1").bounding_box(), page.get_by_role("article").bounding_box()
        assert added is not None
        assert report is not None
        assert added["y"] < report["y"]


def test_a_concern_is_printed_on_two_pages(page: Page) -> None:
    page.goto(page_of_first(page))

    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) <= 2
