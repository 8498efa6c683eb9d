"""Who reads no English comes from the home page to 'sent' in their own language, on a narrow phone."""

import pytest
from playwright.sync_api import Browser, expect

from app.pages.languages import SHORT_LANGUAGES, read_catalogue
from tests.support.browsing import accessibility_violations
from tests.support.loops import by_day

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

NARROW = {"width": 320, "height": 640}
WORDS = {"pl": "Martwię się o Alex.", "ur": "مجھے Alex کی فکر ہے۔"}
TEXT_IN = """(code) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (parentElement.closest("[lang]").lang === code && parentElement.checkVisibility()) found.push(data.trim());
  }
  return found.filter(Boolean);
}"""
"""Returns the visible texts that the page says are in the language."""


@pytest.mark.parametrize("code", by_day(WORDS, ["ur"]))
def test_a_speaker_of_the_language_reaches_sent_without_an_english_sentence(
    browser: Browser, url: str, code: str
) -> None:
    language = next(each for each in SHORT_LANGUAGES if each.code == code)
    catalogue = read_catalogue(language)
    english = {str(each.id) for each in catalogue if each.id and each.id != each.string}
    shown: set[str] = set()
    faults: list[str] = []
    context = browser.new_context(base_url=url, viewport=NARROW)  # type: ignore[arg-type]  # a size
    page = context.new_page()

    def look() -> None:
        shown.update(page.evaluate(TEXT_IN, code))
        faults.extend(accessibility_violations(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

    page.goto("/")
    page.get_by_role("link", name=language.name, exact=True).click()
    look()
    page.locator("[name='do'][value='send']").click()
    expect(page.locator(".problem")).to_be_focused()
    look()
    page.locator("[name='immediate_danger'][value='not_sure']").check()
    page.locator("[name='concern.narrative']").fill(WORDS[code])
    page.locator("[name='reporter.kind'][value='family']").check()
    direction = page.locator("[name='concern.narrative']").evaluate("(field) => getComputedStyle(field).direction")
    of_the_call = page.locator(".call-now").evaluate("(link) => getComputedStyle(link).direction")
    look()
    page.locator("[name='do'][value='send']").click()
    expect(page.locator(".reference").first).to_be_visible()
    look()
    page.locator("main form button").last.click()
    expect(page.locator("#narrative")).to_be_visible()
    look()

    assert direction == of_the_call == ("rtl" if code == "ur" else "ltr")
    assert len(shown) > 50
    assert shown & english == set()
    assert faults == []
    context.close()
