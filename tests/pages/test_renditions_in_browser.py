"""The page of a rendition in a browser: each language and form, current and behind, in each kind of window."""

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.main import create_app
from tests.support.browsing import accessibility_violations
from tests.support.clock import SettableClock
from tests.support.journeys import IN_VIEW, Condition, open_page
from tests.support.publishing import SLUG, an_edition, publish_next
from tests.support.renditions import ARABIC, URDU, a_whole_rendition, publish_a_rendition, seed_rendition
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PAGE = f"/guides/{SLUG}/renditions"
WELSH, EASY, ARABIC_PAGE, FILM = f"/cy{PAGE}/cy", f"{PAGE}/en-GB-simple", f"{PAGE}/ar", f"{PAGE}/bfi"
URDU_PAGE = f"{PAGE}/ur"
MACHINE = {"made_by": "machine", "tool": "A made-up tool", "checked_by": None, "checked_on": None}
A_FILM = {
    "language": "bfi",
    "form": "bsl_video",
    "link": {"url": "https://council.example/bsl", "title": "In sign", "text_alternative": "A film of four minutes."},
} | dict.fromkeys(("cautions", "indicators", "contacts"), ())
CONDITIONS = {
    "narrow": Condition(320, 640),
    "dark": Condition(768, 1024, {"color_scheme": "dark"}),
    "wide": Condition(1280, 800),
    "without scripts": Condition(414, 800, has_scripts=False),
}
UNCHECKED = {"cy": "Cyfrifiadur a wnaeth y fersiwn hon", "en": "This version was made by a computer"}
BEHIND = {"cy": "Mae’r canllaw wedi newid", "en": "The guide has changed since"}
LANGUAGE_OF = "(element) => [element.closest('[lang]').lang, getComputedStyle(element).direction]"
FROM_THE_RIGHT = """
(element) => {
  const words = document.createRange();
  words.selectNodeContents(element);
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const furthest = Math.max(...[...words.getClientRects()].map((run) => run.right));
  const edge = box.right - parseFloat(style.paddingRight) - parseFloat(style.borderRightWidth);
  return [edge - furthest, style.direction];
}
"""
"""How far the words of an element begin from its right edge, and their direction."""
MARKER_IN_VIEW = """
(list) => [...list.children].every((item) => {
  const box = item.getBoundingClientRect(), edge = list.getBoundingClientRect(), room = 16;
  return box.left >= edge.left + room && box.right <= edge.right - room && edge.left >= 0 && edge.right <= innerWidth;
})
"""


def check_any(page: Page, path: str, condition: Condition) -> None:
    """Open the page, and check what holds of each in every state."""
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == condition.width, path
    assert page.evaluate(IN_VIEW), path
    assert page.locator("main a[href='tel:999']").first.is_visible()
    assert page.locator("aside a[href^='tel:']").first.is_visible()
    assert page.locator("aside h2").first.evaluate("(element) => element.closest('[lang]').lang") in ("en-GB", "cy")
    if condition.has_scripts:
        assert accessibility_violations(page) == [], path


def language_of(page: Page, words: str) -> list[str]:
    """The language and the direction of the innermost element with the words."""
    found: list[str] = page.get_by_text(words).first.evaluate(LANGUAGE_OF)
    return found


def check_each_language(page: Page) -> None:
    """Check the language and direction of the words, those that are missing, and what a machine made."""
    edition, welsh = an_edition(), seed_rendition("cy")
    page.goto(WELSH)
    assert language_of(page, welsh.indicators[1].text) == ["cy", "ltr"]  # type: ignore[attr-defined]  # of the registry
    assert language_of(page, edition.cautions[0].text) == ["en", "ltr"]
    expect(page.locator(".box", has_text=UNCHECKED["cy"])).to_be_visible()
    page.goto(EASY)
    expect(page.locator(".box", has_text=UNCHECKED["en"])).to_be_visible()
    page.goto(ARABIC_PAGE)
    assert language_of(page, "نص مخترع للاختبار") == ["ar", "rtl"]
    assert language_of(page, edition.indicators[0].text) == ["en", "ltr"]
    assert language_of(page, edition.cautions[0].text) == ["en", "ltr"]
    assert page.locator("ul.mixed").first.evaluate(MARKER_IN_VIEW)
    expect(page.get_by_text("Parts of this version are missing.")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en-GB"
    page.goto(FILM)
    assert page.locator("a[href='https://council.example/bsl']").is_visible()
    assert page.get_by_text("A film of four minutes.").is_visible()


def check_from_right_to_left(page: Page) -> None:
    """Check that every word of the guide is from the right, and that numbers and who to call are not."""
    page.goto(URDU_PAGE)
    assert page.get_by_text("Parts of this version are missing").count() == 0
    for place in ("h1", ".box p[lang=ur]", "ul.mixed > li", "blockquote", "ul.phones strong"):
        gap, direction = page.locator(place).first.evaluate(FROM_THE_RIGHT)
        assert direction == "rtl", place
        assert page.locator(place).first.evaluate("(element) => element.lang") == "ur", place
        assert gap < 1, place
    assert page.locator("ul.mixed").first.evaluate(MARKER_IN_VIEW)
    numbers = page.locator("a[href^='tel:']").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).direction)"
    )
    assert set(numbers) == {"ltr"}


@pytest.mark.nightly
@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_page_of_a_rendition_is_right_in_each_state(browser: Browser, settings: Settings, condition: str) -> None:
    service, chosen = create_app(settings, SettableClock()), CONDITIONS[condition]
    with run_server(service) as url:
        publish_a_rendition(service, **ARABIC, title=None, **MACHINE)
        publish_a_rendition(service, **A_FILM, title=None)
        publish_a_rendition(service, **a_whole_rendition("ur", URDU))
        page = open_page(browser, url, chosen)
        for path in (WELSH, EASY, ARABIC_PAGE, URDU_PAGE, FILM):
            check_any(page, path, chosen)
            assert page.get_by_text(BEHIND["cy" if path == WELSH else "en"]).count() == 0
        check_each_language(page)
        check_from_right_to_left(page)

        publish_next(service, change_note="A second edition.")
        for path in (WELSH, ARABIC_PAGE):
            check_any(page, path, chosen)
            expect(page.locator(".box", has_text=BEHIND["cy" if path == WELSH else "en"])).to_be_visible()
        page.context.close()
