"""The reading age of the pages' own sentences, by the formula of Flesch and Kincaid, as textstat has it.

Other text is taken out first: the words of the guide and the signposts, and the signed receipt.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import markupsafe
import pytest
import textstat  # type: ignore[import-untyped]  # the package carries no types
from starlette.requests import Request
from starlette.testclient import TestClient

from app.pages.error_pages import ERROR_TEXTS, error_page
from app.pages.page import Site
from app.pages.text_format import SPELLING_WORDS
from tests.support.publishing import SLUG, publish_next
from tests.support.service import a_service

pytestmark = pytest.mark.slow

MAX_READING_AGE = 9
MAX_READING_AGE_OF_FORMS = 7
"""Of the forms, and of all that a child or a friend under 18 reads."""
BEFORE_FIRST_GRADE = 5
MAX_AGE_OF_A_SENTENCE = 14
MOST_WORDS = 24
"""Of a sentence whose words the council may choose."""
COUNTED_FROM_WORDS = 8
"""The formula says little about a sentence of a few words."""
DRAWN = r"(?:(?:[\w-]+, ){3}[\w-]+(?:; )?){2,}|\b(?:[0-9A-Z]{4}-){2,3}[0-9A-Z]{4}\b"
"""A reference or a code, in words, four and four, or as it is written: they are other ones in every run."""
ALPHABET = set(SPELLING_WORDS.values())
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
"""Names that the law gives. A sentence with one has words that the council may not choose."""
PAGES = (
    "/",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1/changes?since=2",
    "/concerns",
    "/concerns/saved",
    "/guides",
    "/search",
    "/who-can-help",
    "/covering-your-tracks",
    "/accessibility",
    "/privacy",
    "/no-such-page",
)
REFERENCE = r'class="reference">(?:<span class="code-words">)?([^<]*)<'
FORMS = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend")
ANSWERS = {"immediate_danger": "no", "concern.narrative": "No.", "reporter.kind": "professional", "do": "check"}


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


def is_for_the_young(name: str) -> bool:
    """Return whether the page is a form, or one that a person under 18 reads."""
    return name.startswith(FORMS) or name.endswith(("of a child", "of a friend"))


def is_own(sentence: str) -> bool:
    """Return whether the council chose the words of the sentence."""
    return not any(name in sentence for name in LAW)


def words(sentence: str) -> list[str]:
    return re.findall(r"[A-Za-z’]+", sentence)


def reading_age(*texts: str) -> float:
    """Return the age at which a child reads this in school."""
    sentences = (" ".join(words(text)) for text in texts)
    return float(textstat.flesch_kincaid_grade(". ".join(sentences).replace("’", "'"))) + BEFORE_FIRST_GRADE


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
    return {name: list(sentences(without(re.sub(DRAWN, "", text), taken_out))) for name, text in texts.items()}


def states(client: TestClient) -> dict[str, str]:
    """Return the pages after sending and saving, and those of errors."""
    sent = client.post(FORMS[0], data=ANSWERS | {"do": "send"}).text
    reference, code = re.findall(REFERENCE, sent)
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
    for path, own in zip(FORMS[1:], ("child", "friend"), strict=True):
        page = client.post(path, data=ANSWERS | {"do": "send"}).text
        of_young = dict(zip(("reference", "code"), re.findall(REFERENCE, page), strict=True))
        texts |= {
            f"receipt of a {own}": page,
            f"status of a {own}": client.post("/concerns", data=of_young | {"voice": own}).text,
        }
    site = Site.of(Request({"type": "http", "method": "GET", "app": client.app}))
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
    ages = {name: reading_age(*filter(is_own, found)) for name, found in pages.items()}

    assert {name: age for name, age in ages.items() if age > MAX_READING_AGE} == {}
    assert {name: age for name, age in ages.items() if is_for_the_young(name) and age > MAX_READING_AGE_OF_FORMS} == {}
    assert len(pages) > 30
    spelled = {each for found in pages.values() for each in found if len(ALPHABET.intersection(words(each))) > 2}
    assert spelled == set()
    assert {name: len(found) for name, found in pages.items() if len(found) < 5} == {}


def test_no_sentence_is_long_or_much_harder_than_its_page(pages: dict[str, list[str]]) -> None:
    hard = [
        sentence
        for found in pages.values()
        for sentence in found
        if (len(words(sentence)) >= COUNTED_FROM_WORDS and reading_age(sentence) > MAX_AGE_OF_A_SENTENCE)
        or len(words(sentence)) > MOST_WORDS
        if is_own(sentence)
    ]

    assert hard == []


def test_each_sentence_is_apart_from_the_next(pages: dict[str, list[str]]) -> None:
    assert [each for found in pages.values() for each in found if re.search(r"[a-z0-9][.?!][A-Z]", each)] == []


HOURS = (
    r"\d ?(?:am|pm)\b|office hours|24 hours a day|working hours|every day|Monday to|at weekends"
    r"|day (?:or|and) night|open (?:at|from|until)"
)


def test_no_sentence_of_the_pages_own_says_when_anybody_answers(pages: dict[str, list[str]]) -> None:
    """Hours are data: of a contact, of a signpost, or of a setting."""
    assert re.search(HOURS, "Open Monday to Friday, 9am to 5pm.")
    assert [each for found in pages.values() for each in found if re.search(HOURS, each, re.IGNORECASE)] == []
