"""Translated pages: whether a sentence came past the catalogue, or lost what it must have."""

import re
from html.parser import HTMLParser
from itertools import product

import pytest

from app.pages import languages
from app.pages.languages import Catalogue, Language, read_catalogue
from tests.support.form_answers import NARRATIVE

PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\w*\}")
TAG = re.compile(r"<[^>]*>")
KEPT = re.compile(
    r"\d{2,}|Childline|Relay UK|Report Remove|NSPCC|CEOP|LADO|EHRC|EASS|BSL"
    r"|PDF|CSV|JSON|JavaScript|OpenAPI|Chromium|Shift"
)
"""Matches numbers and names that every translation keeps as they are."""
DATE = re.compile(r"[Dd]ydd \w+ \d+ \w+ \d{4}|\d+ (Tachwedd) \d{4}")
NOT_SENTENCES = {"One", "Minute", "Guide", "One Minute Guide", "English", "CSV", "child-sexual-exploitation"}


class Outside(HTMLParser):
    """Collects the text that is neither in brackets nor marked as English."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._english: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where English begins."""
        if tag in ("br", "input", "img", "link", "meta"):
            return
        named = dict(attrs)
        is_english = "lang" in named and tag != "html"
        is_code = tag in ("script", "style", "code", "title") or bool(
            {"code", "reference"} & set((named.get("class") or "").split())
        )
        if self._english or is_english or is_code:
            self._english.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note where it ends."""
        if self._english and self._english[-1] == tag:
            self._english.pop()

    def handle_data(self, data: str) -> None:
        """Add what is outside."""
        for part in re.split("([⟦⟧])", data):
            self._depth += {"⟦": 1, "⟧": -1}.get(part, 0)
            if self._depth == 0 and part != "⟧" and not self._english:
                self.text.append(part)


def unmarked_words(page: str) -> list[str]:
    """Return the texts of the page that are neither of the catalogue nor marked as English."""
    reader = Outside()
    reader.feed(page)
    words = [each for each in reader.text if re.search("[A-Za-z]{3}", each)]
    texts = [DATE.sub("", each).replace(NARRATIVE, "") for each in words]
    return sorted({each.strip(" -.,:()\n") for each in texts if re.search("[A-Za-z]{3}", each)} - NOT_SENTENCES)


def mark_translations(monkeypatch: pytest.MonkeyPatch, language: Language) -> None:
    """Mark each sentence of the language's catalogue in place of its translation."""
    marked = {str(each.id): f"⟦{each.id}⟧" for each in read_catalogue(language) if each.string}
    monkeypatch.setattr(languages, "_catalogue", lambda _: Catalogue(marked, languages.UNSIGNED))


def assert_same_marks(translated: dict[str, str]) -> None:
    """Assert that each translation has the placeholders, tags, numbers and names of its sentence."""
    for pattern, (sentence, words) in product((PLACEHOLDER, TAG, KEPT), translated.items()):
        assert sorted(pattern.findall(sentence)) == sorted(pattern.findall(words)), sentence
