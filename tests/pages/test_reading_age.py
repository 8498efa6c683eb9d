"""How hard the pages of the form are to read, by the formula of Flesch and Kincaid (US Navy, 1975)."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pyphen  # type: ignore[import-untyped]  # the package carries no types
import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import SettableClock

MAX_READING_AGE = 9
AGE_IN_FIRST_GRADE = 6
MAX_AGE_OF_A_SENTENCE = 14
COUNTED_FROM_WORDS = 8
"""The formula says little about a sentence of a few words."""
RUNS_ON = {"b", "strong", "a", "span", "em"}
"""Elements that do not end a sentence."""
FORMS = ("/raise-a-concern", "/worried-about-yourself")
ANSWERS = {"immediate_danger": "no", "concern.narrative": "No.", "reporter.kind": "professional", "do": "check"}

_hyphenation = pyphen.Pyphen(lang="en_GB", left=1, right=1)


class MainText(HTMLParser):
    """Collects the text of the main part of a page, a piece for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = [""]
        self._is_main = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the name in the base class
        """Begin a piece at a block."""
        self._is_main |= tag == "main"
        if tag not in RUNS_ON:
            self.pieces.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a piece at the end of a block."""
        self._is_main &= tag != "main"
        if tag not in RUNS_ON:
            self.pieces.append("")

    def handle_data(self, data: str) -> None:
        """Add the text to the piece."""
        if self._is_main:
            self.pieces[-1] += data


def sentences(page: str) -> Iterator[str]:
    """Yield each sentence of the page once, without labels of a word or two."""
    text = MainText()
    text.feed(page)
    found = (each for piece in text.pieces for each in re.split(r"(?<=[.?!:])\s+", " ".join(piece.split())))
    yield from dict.fromkeys(each for each in found if len(words(each)) > 2)


def words(sentence: str) -> list[str]:
    return re.findall(r"[A-Za-z’]+", sentence)


def reading_age(*texts: str) -> float:
    """Return the age at which a child reads this in school."""
    all_words = [word for text in texts for word in words(text)]
    syllables = sum(len(_hyphenation.positions(word.lower())) + 1 for word in all_words)
    grade = 0.39 * len(all_words) / len(texts) + 11.8 * syllables / len(all_words) - 15.59
    return grade - 1 + AGE_IN_FIRST_GRADE


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the sentences of each page of the forms. The guide's own words are in none of them."""
    settings = Settings(data_dir=Path(tmp_path_factory.mktemp("reading")) / "data", deliver=False)
    with TestClient(create_app(settings, SettableClock())) as client:
        texts = {path: client.get(path).text for path in FORMS}
        texts |= {f"{path} checked": client.post(path, data=ANSWERS).text for path in FORMS}
        texts["errors"] = client.post(FORMS[0], data={"do": "check"}).text
    return {name: list(sentences(text)) for name, text in texts.items()}


def test_the_measure_tells_an_easy_sentence_from_a_hard_one() -> None:
    assert reading_age("The cat sat on the mat.") < 6
    assert reading_age("Practitioners should consider multidisciplinary intervention opportunities.") > 20


def test_a_child_of_nine_can_read_every_page_of_the_form(pages: dict[str, list[str]]) -> None:
    assert {name: reading_age(*found) for name, found in pages.items() if reading_age(*found) > MAX_READING_AGE} == {}
    assert all(len(found) > 5 for found in pages.values())


def test_no_sentence_is_much_harder_than_its_page(pages: dict[str, list[str]]) -> None:
    hard = [
        sentence
        for found in pages.values()
        for sentence in found
        if len(words(sentence)) >= COUNTED_FROM_WORDS and reading_age(sentence) > MAX_AGE_OF_A_SENTENCE
    ]

    assert hard == []
