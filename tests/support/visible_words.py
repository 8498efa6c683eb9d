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


BEFORE = {
    "/": Shown(589, True, True),
    "/guides/child-sexual-exploitation": Shown(660, True, True),
    "/raise-a-concern/child-sexual-exploitation": Shown(234, True, False),
    "/concerns": Shown(220, False, False),
    "/guides": Shown(126, False, False),
    "/search": Shown(172, True, True),
    "/covering-your-tracks": Shown(837, False, True),
    "/accessibility": Shown(531, False, False),
    "/privacy": Shown(617, False, False),
    "/status": Shown(128, True, False),
    "/draft-preview": Shown(124, False, False),
    "/guides/child-sexual-exploitation/editions/1": Shown(664, True, True),
    "/guides/child-sexual-exploitation/editions/2/changes?since=1": Shown(143, False, False),
    "/guides/child-sexual-exploitation/renditions/en-GB-simple": Shown(303, True, False),
    "/guides/child-sexual-exploitation/renditions/en-GB-simple/1": Shown(303, True, False),
    "/guides/no-such": Shown(158, True, True),
    "/subjects/other": Shown(158, True, True),
    "/raise-a-concern": Shown(223, True, False),
    "/worried-about-yourself": Shown(212, True, True),
    "/worried-about-a-friend": Shown(216, True, True),
    "/concerns/saved": Shown(163, False, False),
    "/concerns/4F7K-926W-0X3R": Shown(220, False, False),
    "/in-your-language": Shown(158, True, True),
    "/pl": Shown(254, True, False),
    "/ro": Shown(280, True, False),
    "/pt": Shown(268, True, False),
    "/es": Shown(284, True, False),
    "/so": Shown(267, True, False),
    "/uk": Shown(244, True, False),
    "/pa": Shown(321, True, False),
    "/bn": Shown(263, True, False),
    "/ur": Shown(333, True, False),
    "/ar": Shown(240, True, False),
    "/bsl": Shown(271, True, False),
    "/pl/concerns": Shown(98, False, False),
    "in danger": Shown(302, True, True),
    "send what you have now": Shown(158, True, False),
    "receipt of a child": Shown(310, True, True),
    "errors": Shown(269, True, False),
    "you": Shown(226, False, False),
    "answers to check": Shown(215, False, False),
    "receipt": Shown(250, False, False),
    "status": Shown(280, True, True),
    "nothing added": Shown(296, True, True),
    "added": Shown(338, True, True),
    "unknown concern": Shown(246, False, False),
    "nothing to look for": Shown(188, True, True),
    "results for 'missing'": Shown(270, True, True),
    # the other searches were not measured then: each is held to what that page showed
    "results for 'i want to die'": Shown(270, True, True),
    "results for 'she hides her phone'": Shown(270, True, True),
    "results for 'vunerable'": Shown(270, True, True),
    "results for 'universal credit'": Shown(270, True, True),
    "errors in Urdu": Shown(390, True, False),
    "receipt in Urdu": Shown(217, True, False),
    "status in Urdu": Shown(235, True, True),
    "/cy/": Shown(603, True, True),
    "/cy/raise-a-concern": Shown(247, True, False),
    "danger in Welsh": Shown(318, True, False),
}
"""What each page and state showed on a phone on 2 December 2026, when there was too much of most."""
NOT_COUNTED = {
    "/docs/getting-started",  # for developers
    "/who-can-help",  # what it has was on other pages
    "everything open",  # every fold was opened by hand
    "danger in Urdu",  # the errors of a whole form, and danger at once
}
