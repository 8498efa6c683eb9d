"""How hard the pages' own sentences are to read, by the formula of Flesch and Kincaid (US Navy, 1975).

What is not the pages' own is taken out first: the words of the guide and the signposts, and the signed receipt.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import markupsafe
import pyphen  # type: ignore[import-untyped]  # the package carries no types
import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from app.pages.error_pages import ERROR_TEXTS, error_page
from app.pages.page import Site
from tests.support.publishing import SLUG, publish_next
from tests.support.service import a_service

pytestmark = pytest.mark.slow

MAX_READING_AGE = 9
AGE_IN_FIRST_GRADE = 6
MAX_AGE_OF_A_SENTENCE = 14
COUNTED_FROM_WORDS = 8
"""The formula says little about a sentence of a few words."""
SPELLED = "Read (?:the (?:code|reference) )?aloud: [^<]*"
"""A reference or a code in words, which are other ones in every run."""
RUNS_ON = {"b", "strong", "a", "span", "em"}
"""Elements that do not end a sentence."""
LAW = (
    "Web Content Accessibility Guidelines",
    "Equality and Human Rights Commission",
    "Equality Advisory and Support Service",
    "Information Commissioner",
    "substantial public interest",
    "Data Protection Act",
)
"""Names that the law gives. A sentence with one may be harder than the others."""
PAGES = (
    "/",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1/changes?since=2",
    "/concerns",
    "/concerns/saved",
    "/guides",
    "/search",
    "/covering-your-tracks",
    "/accessibility",
    "/privacy",
    "/no-such-page",
)
FORMS = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend")
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
    """Return the sentences of each page and state, without the words of guide and signposts."""
    service = a_service(data_dir=Path(tmp_path_factory.mktemp("reading")) / "data")
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        publish_next(service)
        texts = {path: client.get(path).text for path in (*PAGES, *FORMS)}
        texts |= states(client)
        texts |= {f"{path} checked": client.post(path, data=ANSWERS).text for path in FORMS}
        texts["errors"] = client.post(FORMS[0], data={"do": "check"}).text
        taken_out = sorted(foreign(client), key=len, reverse=True)
    return {name: list(sentences(without(re.sub(SPELLED, "", text), taken_out))) for name, text in texts.items()}


def states(client: TestClient) -> dict[str, str]:
    """Return the pages after sending and saving, and those of errors."""
    sent = client.post(FORMS[0], data=ANSWERS | {"do": "send"}).text
    reference, code = re.findall(r'class="reference">(?:<span class="code-words">)?([^<]*)<', sent)
    known = {"reference": reference, "code": code}
    texts = {
        "receipt": re.sub(r'<p class="code">.*?</p>', "", sent),
        "saved": client.post(FORMS[0], data=ANSWERS | {"do": "save"}).text,
        "status": client.post("/concerns", data=known).text,
        "nothing added": client.post("/concerns/additions", data=known).text,
        "added": client.post("/concerns/additions", data=known | {"narrative": "No."}).text,
        "found": re.sub("</?mark>", "", client.post("/search", data={"q": "missing"}).text),
        "not found": client.post("/search", data={"q": "0"}).text,
        "unknown": client.post("/concerns", data={"reference": "x", "code": "x"}).text,
        "unknown draft": client.post("/concerns/saved", data={"code": "x"}).text,
        "young": client.post(FORMS[0], data=ANSWERS | {"reporter.kind": "child", "do": "save"}).text,
    }
    site = Site.of(Request({"type": "http", "app": client.app}))
    for status in ERROR_TEXTS:
        texts[str(status)] = bytes(error_page(site, status).body).decode()
    return texts


def foreign(client: TestClient) -> Iterator[str]:
    """Yield every text of the guide and of the signposts, as a page has it, in whole and by the sentence."""
    waiting = [client.get(path, headers={"Accept": "*/*"}).json() for path in (f"/v1/guides/{SLUG}", "/v1/signposts")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and len(value) > 3:
            yield from (str(markupsafe.escape(value)), value)
            yield from (markupsafe.escape(each) for each in re.split(r"(?<=[.?!:])\s+", value) if len(each) > 12)
        elif isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


def without(page: str, texts: list[str]) -> str:
    """Return the page without those texts."""
    head, main = page[: page.index("<main")], page[page.index("<main") :]
    for text in texts:
        main = main.replace(f">{text}", ">").replace(f" {text}", " ").replace(f"‘{text}", "‘")
    return head + main


def test_the_measure_tells_an_easy_sentence_from_a_hard_one() -> None:
    assert reading_age("The cat sat on the mat.") < 6
    assert reading_age("Practitioners should consider multidisciplinary intervention opportunities.") > 20


def test_a_child_of_nine_can_read_every_page(pages: dict[str, list[str]]) -> None:
    assert {name: reading_age(*found) for name, found in pages.items() if reading_age(*found) > MAX_READING_AGE} == {}
    assert len(pages) > 30
    assert {name: len(found) for name, found in pages.items() if len(found) < 5} == {}


def test_no_sentence_is_much_harder_than_its_page(pages: dict[str, list[str]]) -> None:
    hard = [
        sentence
        for found in pages.values()
        for sentence in found
        if len(words(sentence)) >= COUNTED_FROM_WORDS and reading_age(sentence) > MAX_AGE_OF_A_SENTENCE
        if not any(name in sentence for name in LAW)
    ]

    assert hard == []
