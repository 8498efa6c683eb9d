"""Parsers as data: what reads a stranger's text, the runs of characters that could slow it, and how long it takes."""

import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from docx import Document
from starlette.exceptions import HTTPException

from app.errors import GuidanceError
from app.extensions.editing.pages.edit_posts import EDIT_PAGES, do_act, with_ids, with_section
from app.extensions.editing.services.documents import Block, BlockKind
from app.extensions.editing.services.exported_markdown import read_export
from app.extensions.editing.services.importing import draft_of
from app.extensions.editing.services.placing import find_missing
from app.extensions.editing.services.translation_tables import TableRefused, fill_draft, read_table
from app.models.base import EXAMPLE_DIGEST
from app.models.guides.editions import EDITION_EXAMPLE, EditionContent
from app.models.guides.sections import Section
from app.models.guides.written_checks import parse_written
from app.pages.posted_forms import SubmittedForm

KILOBYTE = 1_024
OF_A_FIELD = (KILOBYTE, 8 * KILOBYTE - 100)
"""A field of a head has at most 8 KB."""
OF_A_HEAD = (7 * KILOBYTE, 56 * KILOBYTE)
"""A head has at most 64 KB."""
OF_A_BODY = (8 * KILOBYTE, 64 * KILOBYTE)
FACTOR = 24
"""How many times as long eight times the text may take. A parser that takes the square needs 64 times as long."""
FLOOR = 0.08
"""Less of the processor's time, in seconds, says nothing: others use the machine too."""
CHARACTERS = ["a", "7", " ", "-", ".", "_", "é", "e\u0301", "\ufb03", "\U0001f600", "a ", "a-"]
SEPARATORS = list(",;=:/\"\\%&+*([{<?@'\t")
LINES = ["\n", "a\n", "a\n\n", "\r", "\r\n", "\u2028"]
TEXT = [*CHARACTERS, *SEPARATORS, *LINES]
IN_A_FIELD = [*'a7 -.,;=:/"\\%*([{<@~', "a,", "a;", "a=", "a;q=1,", '"a", ', 'W/"a",', "1.1.1.1,", "[::1],", "a b "]
JSON_RUNS = ["[", "[[],", '{"a":', '{"a":[', '"a",', "1,", "1e", "\\\\", "\\u0000", "\\ud800", "{},"]
YAML_RUNS = [
    "- ",
    "- a\n",
    "a: ",
    "[a, ",
    "{a: ",
    "? a\n",
    "|\n",
    "&a ",
    "*a ",
    "!a ",
    "# a\n",
    "---\n",
    "'a' ",
    "<<: ",
]
MARKDOWN_RUNS = [
    "**a ",
    "**a** ",
    "*a_ ",
    "`a",
    "![",
    "[a](",
    "[a]: b\n",
    "<!--",
    "<?",
    "<a b",
    "&#",
    "> ",
    "- a\n  - ",
]
GUIDE_RUNS = [
    "Absence of a. ",
    "signs: a; ",
    "01632 960001, ",
    "a@b.example ",
    "www.a.example ",
    "call the a ",
    "# a\n\n",
]
PDF_RUNS = ["1 0 obj\n", "<<", "<</A ", "(", "(\\", "xref\n", "%PDF-1.7\n", "endobj\n", "stream\n", "startxref\n1\n"]
FORM_RUNS = ["a=1&", "&", "=", "a", "+", "%41", "%", "%c3%a9", "a%0D%0A", "children.0.other_names=a&"]


@dataclass(frozen=True)
class Parser:
    """What reads a stranger's text. The text is made of one of the runs, between `before` and `after`."""

    name: str
    parse: Callable[[str], object]
    runs: list[str]
    before: str = ""
    after: str = ""
    sizes: tuple[int, int] = OF_A_BODY

    def slow_runs(self) -> Iterator[str]:
        """Yield each run of which a long text takes too long, twice."""
        for run in self.runs:
            if all(self._takes_too_long(run) for _ in range(2)):
                yield run

    def _takes_too_long(self, run: str) -> bool:
        short, long = (self._seconds(run, size) for size in self.sizes)
        return long > max(FLOOR, FACTOR * short)

    def _seconds(self, run: str, size: int) -> float:
        """Return the processor's time for so many characters of the run."""
        text = self.before + run * (size // len(run)) + self.after
        began = time.process_time()
        with suppress(GuidanceError, HTTPException, ValueError):
            self.parse(text)
        return time.process_time() - began


def of_a_field(name: str, parse: Callable[[str], object]) -> Parser:
    """Return the parser of a field of a head."""
    return Parser(name, parse, IN_A_FIELD, sizes=OF_A_FIELD)


def draft_with(page: str, **changes: str) -> Callable[[str], object]:
    """Return a check of a draft whose first item on that page has the text in these members, after those beginnings."""

    def check(text: str) -> object:
        item = {**EDITION_EXAMPLE[page][0], **{name: before + text for name, before in changes.items()}}
        return parse_written({**EDITION_EXAMPLE, page: [item]})

    return check


def check_short_lists(text: str) -> object:
    """Check a draft with an entry for each part of the text, whose own lists are too short."""
    hours = [{"days": [], "opens": "08:00", "closes": "17:00"}] * (len(text) // 40)
    return parse_written({**EDITION_EXAMPLE, "contacts": [{"opening_hours": hours}] * 2})


def read_page_back(text: str) -> object:
    """Read a page that this service exported, with an item for each part of the text, and each item changed."""
    numbers = range(len(text) // 27)
    blocks = [Block(BlockKind.HEADING, Section.INDICATORS.entry.title, level=2)]
    blocks += [Block(BlockKind.ITEM, f"Words {number}.", level=1) for number in numbers]
    return read_export(blocks, {"indicators": [{"id": f"former-{number}", "words": "changed"} for number in numbers]})


def find_words_without_place(text: str) -> object:
    """Look for the words of a document that its draft does not have: half of its paragraphs, each different."""
    numbers = range(len(text) // 54)
    blocks = [Block(BlockKind.ITEM, f"A sign {number}.") for number in numbers]
    blocks += [Block(BlockKind.PARAGRAPH, f"Words {number}.") for number in numbers]
    return find_missing(blocks, {"indicators": [{"text": each.text} for each in blocks[: len(numbers)]]})


def save_section(text: str) -> object:
    """Read the form of each page of a draft in which the text was typed everywhere, and press a button of that name."""
    content = dict(EDITION_EXAMPLE)
    for page in EDIT_PAGES:
        keys = ("id", "text", "name", "email", "opening_hours", "verified_on", "phones.0.number")
        names = [f"{page}.0.{each}" for each in keys]
        counts = {f"count:{page}": ["1"], f"count:{page}.0.phones": ["1"]}
        posted = SubmittedForm({name: [text] for name in [*names, "title"]} | counts)
        content = with_ids(with_section(content, page, posted), page, content, None)
        do_act(content, text)
        do_act(content, f"add:{text}")
        do_act(content, f"split:{page}.0")
    return content


def save_entries(text: str) -> object:
    """Read the form of contacts, one for each part of the text, with telephones."""
    count = min(500, len(text) // 128)
    fields = {f"count:contacts.{place}.{each}": ["1"] for place in range(count) for each in ("phones",)}
    return with_section({}, "contacts", SubmittedForm(fields | {"count:contacts": [str(count)]}))


def fill_a_table(text: str) -> None:
    """Fill the draft of a rendition from a table with that text, without and with the names of its columns before."""
    draft = {"language": "pl", "form": "translation", "of": {"edition": 1, "digest": EXAMPLE_DIGEST}}
    with suppress(TableRefused):
        read_table(text.encode(), "pl")
    with suppress(TableRefused):  # a table of blank rows
        table = read_table(f"Key,English text,Translation,Version\n{text}".encode(), "pl")
        fill_draft(draft, EditionContent.model_validate(EDITION_EXAMPLE), table)


def from_file(path: Path, read: Callable[[Path], object]) -> Callable[[str], object]:
    """Return a reading of that file with a text in it."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def write_and_read(text: str) -> object:
        path.write_text(text, encoding="utf-8", newline="")
        return read(path)

    return write_and_read


def from_word(path: Path, paragraphs: Callable[[str], list[str]] = str.splitlines) -> Callable[[str], object]:
    """Return an import of that file, a Word document with those paragraphs of a text."""

    def write_and_read(text: str) -> object:
        path.write_bytes(word_document(paragraphs(text)))
        return draft_of(path)

    return write_and_read


def word_document(paragraphs: list[str]) -> bytes:
    """Return a Word document. python-docx writes all but the paragraphs: it takes a millisecond for each."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(_empty_document())) as empty, zipfile.ZipFile(made, "w") as package:
        for name in empty.namelist():
            data = empty.read(name)
            if name == "word/document.xml":
                words = [each.replace("&", "&amp;").replace("<", "&lt;") for each in paragraphs]
                body = "".join(f'<w:p><w:r><w:t xml:space="preserve">{each}</w:t></w:r></w:p>' for each in words)
                data = data.replace(b"<w:body>", b"<w:body>" + body.encode())
            package.writestr(name, data)
    return made.getvalue()


@cache
def _empty_document() -> bytes:
    made = BytesIO()
    Document().save(made)
    return made.getvalue()
