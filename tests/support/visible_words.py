"""How many words a page shows before anything on it is opened, and whether it has 999 and Childline to press."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.support.publishing import SLUG

LOOK = """(council) => {
  const isHidden = (element) => {
    for (let each = element; each; each = each.parentElement) {
      if (each.matches("script, style, template, noscript, option, textarea")) return true;
      const fold = each.parentElement?.closest("details:not([open])");
      if (fold && !each.closest("summary")) return true;
      if (getComputedStyle(each).clipPath === "inset(50%)") return true;
    }
    return !element.checkVisibility();
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let words = 0;
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!data.trim() || isHidden(parentElement)) continue;
    let text = data.replace(/\\s+/g, " ");
    for (const each of council) {
      if (text.trim() === each) text = "";
      else if (each.length > 12) text = text.replaceAll(each, " ");
    }
    words += text.split(/\\s+/).filter((each) => /[\\p{L}\\p{N}]/u.test(each)).length;
  }
  const has = (selector) => [...document.querySelectorAll(selector)].some((each) => !isHidden(each));
  return [words, has("main [href='tel:999']"), has("main [href='tel:+448001111']")];
}"""
"""Counts words on the screen. Neither closed folds count, nor what only screen readers say, nor the council's words."""
COUNCIL = (
    f"/v1/guides/{SLUG}/editions/1",
    f"/v1/guides/{SLUG}/editions/2",
    f"/v1/guides/{SLUG}/renditions/en-GB-simple",
)
"""The words of a guide are not the pages' own."""


class Shown(NamedTuple):
    words: int
    has_999: bool
    """In the main part: the bar has it always."""
    has_childline: bool


def council_words(page: Page) -> list[str]:
    """Return every text of the guide's editions and of its version in simple words, longest first."""
    waiting: list[Any] = [page.request.get(path).json() for path in COUNCIL]
    return sorted(set(_texts(waiting)), key=len, reverse=True)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and len(value) > 3:
            yield " ".join(value.split())
        elif isinstance(value, dict | list):
            yield from _texts(value.values() if isinstance(value, dict) else value)


def look_at(page: Page, council: list[str]) -> Shown:
    return Shown(*page.evaluate(LOOK, council))
