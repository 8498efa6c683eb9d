"""The needs of a worried person, measured in a real browser: 999, the way out, and the code to keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsing import accessibility_violations, go_to_last_step, press
from tests.support.form_answers import FORM, NARRATIVE, fill_in
from tests.support.loops import first_by_day
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PATHS = (
    "/",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1",
    FORM,
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/concerns",
    "/concerns/saved",
    "/guides",
    "/search",
    "/covering-your-tracks",
    "/who-can-help",
    "/accessibility",
    "/privacy",
    "/docs/getting-started",
    "/status",
    "/docs",
    "/no-such-page",
)
POSITIONS = 10
TARGET = 44
LARGE_TEXT = "html { font-size: 200% !important; }"
OUT_OF_REACH = """
async ([positions, target]) => {
  const root = document.documentElement;
  const found = [];
  for (let step = 0; step < positions; step += 1) {
    const top = (step / (positions - 1)) * (root.scrollHeight - innerHeight);
    window.scrollTo({top, behavior: "instant"});
    await new Promise(requestAnimationFrame); // what listens to scrolling has been called
    for (const selector of ["a[href='tel:999']", "[data-exit]"]) {
      const element = document.querySelector(selector);
      const box = element.getBoundingClientRect();
      const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      const inside = box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
      const seen = inside && element.contains(hit);
      if (!seen || Math.min(box.width, box.height) < target) found.push([step, selector, seen, box.width, box.height]);
    }
  }
  return found;
}
"""
SCREENS = {"a phone": (320, 640, False), "large text on a phone": (320, 640, True), "a desk": (1280, 800, True)}


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport={"width": 320, "height": 640})
    yield context
    context.close()


def check_answers(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    go_to_last_step(page)
    press(page, "Check your answers")


def send_concern(page: Page) -> None:
    check_answers(page)
    press(page, "Send")
    expect(page.locator("h1")).to_have_text("We have your concern")


def out_of_reach(page: Page) -> list[Any]:
    """Return where 999 or the exit is hidden, cut off or too small, at ten scroll positions from top to end."""
    return [(page.url, *each) for each in page.evaluate(OUT_OF_REACH, [POSITIONS, TARGET])]


@pytest.mark.parametrize("screen", first_by_day(SCREENS))
def test_999_and_the_exit_are_always_in_reach_while_scrolling(browser: Browser, url: str, screen: str) -> None:
    width, height, is_large = SCREENS[screen]
    context = browser.new_context(base_url=url, viewport={"width": width, "height": height}, bypass_csp=True)
    page = context.new_page()
    found = []
    for path in PATHS:
        page.goto(path)
        if is_large:
            page.add_style_tag(content=LARGE_TEXT)
        found += out_of_reach(page)
    for button in ("Check your answers", "Save and finish later"):  # errors, then a page with a code
        page.goto(FORM)
        page.get_by_role("button", name=button, include_hidden=True).first.dispatch_event("click")
        expect(page.locator("main[aria-busy]")).to_have_count(0)
        found += out_of_reach(page)
    page.on("dialog", lambda dialog: dialog.accept())
    check_answers(page)
    found += out_of_reach(page)
    press(page, "Send")
    found += out_of_reach(page)
    press(page, "Check what is happening, or add more")
    found += out_of_reach(page)

    assert found == []
    context.close()


def test_large_text_on_a_phone_cuts_nothing_off(browser: Browser, url: str) -> None:
    context = browser.new_context(base_url=url, viewport={"width": 320, "height": 640}, bypass_csp=True)
    page = context.new_page()
    wide = {}
    for path in (path for path in PATHS if path not in (FORM, "/docs")):
        page.goto(path)
        page.add_style_tag(content=LARGE_TEXT)
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    check_answers(page)
    page.add_style_tag(content=LARGE_TEXT)
    wide["answers to check"] = page.evaluate("document.documentElement.scrollWidth")

    assert {path: width for path, width in wide.items() if width > 320} == {}
    context.close()


def test_the_bar_hides_no_heading_that_a_link_leads_to(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"/guides/{SLUG}#edition")

    tops = page.evaluate(
        "[document.querySelector('#edition').getBoundingClientRect().top, "
        "document.querySelector('[data-bar]').getBoundingClientRect().bottom]"
    )
    assert tops[0] >= tops[1]


FIRST_SCREEN = {
    "/": ("h1", ".dial", ".button.start", "main [href='/worried-about-yourself']", ".call .number:first-of-type a"),
    "/worried-about-yourself": ("h1", "main [href='tel:+448001111']", "[name='immediate_danger'][value='not_sure']"),
    "/worried-about-a-friend": ("h1", "main [href='tel:+448001111']", "[name='immediate_danger'][value='not_sure']"),
    "/no-such-page": ("h1", "main .button.second", ".dial", "main p [href='tel:+448001111']", ".call .number a"),
    "/search": ("h1", "main [href='tel:999']", "main [href='tel:+448001111']"),
}
BOTTOMS = (
    """(selectors) => selectors.map((selector) => document.querySelector(selector).getBoundingClientRect().bottom)"""
)


@pytest.mark.parametrize("path", FIRST_SCREEN)
def test_the_first_screen_of_a_phone_has_what_matters(browser: Browser, url: str, path: str) -> None:
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(path)
    if path == "/search":
        page.get_by_label("Search the guides").fill("missing")
        press(page, "Search")

    bottoms = page.evaluate(BOTTOMS, list(FIRST_SCREEN[path]))

    assert bottoms == sorted(bottoms)
    assert bottoms[-1] < 740
    for number in page.locator(".dial:visible, .call .number a:visible").all():
        assert (number.bounding_box() or {"height": 0})["height"] >= TARGET
    context.close()


def test_without_scripts_a_receipt_is_saved_and_no_copying_is_offered(browser: Browser, url: str) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page = context.new_page()
    send_concern(page)
    reference, code = page.locator(".reference").all_inner_texts()
    expect(page.locator("summary", has_text="Other ways to keep it")).to_be_hidden()

    with page.expect_download() as download:
        page.get_by_role("button", name="Keep a copy").click()

    assert download.value.suggested_filename == f"receipt-{reference}.txt"
    saved = Path(download.value.path()).read_text()
    assert reference in saved
    assert code in saved
    assert NARRATIVE not in saved
    context.close()


@pytest.mark.nightly
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [768, 1280])
def test_the_pages_have_no_barrier_on_wide_screens_light_and_dark(
    browser: Browser, url: str, width: int, scheme: Any
) -> None:
    context = browser.new_context(
        base_url=url, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    found = {}
    for path in PATHS[:11]:
        page.goto(path)
        found[path] = accessibility_violations(page)
    send_concern(page)
    found["receipt"] = accessibility_violations(page)
    press(page, "Check what is happening, or add more")
    found["status"] = accessibility_violations(page)

    assert {path: faults for path, faults in found.items() if faults} == {}
    context.close()


def test_with_forced_colours_the_panel_and_the_call_card_keep_their_edges(browser: Browser, url: str) -> None:
    context = browser.new_context(base_url=url, forced_colors="active")
    page = context.new_page()
    send_concern(page)

    for selector in (".panel", ".call"):
        assert page.locator(selector).first.evaluate("(box) => getComputedStyle(box).borderTopWidth") != "0px"
    context.close()
