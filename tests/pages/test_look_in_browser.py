"""What the look of the pages says, measured on a wide screen: where to start, who to call, that it is done."""

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.main import create_app
from tests.support.browsing import go_to_last_step, run_server
from tests.support.clock import SettableClock
from tests.support.journeys import FORM, PEOPLE, Condition, open_page, views
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WIDE = Condition(1280, 800)
BACKGROUND = "(element) => getComputedStyle(element).backgroundColor"


def card_is_on_the_right(page: Page) -> bool:
    """Whether the card of who to call is in the first screen, right of the text and of the middle."""
    card = page.locator("aside[aria-label='Who to call']").bounding_box()
    text = page.locator(".beside > div").bounding_box()
    return bool(card and text and text["x"] + text["width"] <= card["x"] >= WIDE.width / 2 and card["y"] < WIDE.height)


def test_one_button_starts_the_card_to_call_is_on_the_right_and_the_end_looks_like_success(
    browser: Browser, settings: Settings
) -> None:
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
        expect(part.locator("[data-state]")).to_have_text("Optional")
        part.locator("summary").first.click()
        part.locator("input[type='radio']:visible, input[type='checkbox']:visible").first.check()
        expect(part.locator("[data-state]")).to_have_text("Started")
        page.context.close()
