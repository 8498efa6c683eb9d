"""No word of a document is lost, whatever its shape: each is in the draft, or in what is listed as not placed."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from docx import Document
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.cli.imports import draft_page
from app.services.guidance.importing.documents import GuideDraft, draft_of

pytestmark = pytest.mark.any_database

WORD = re.compile(r"\w+")
WORDS = st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=60)
HEADINGS = [
    "Signs to look for",
    "What it is",
    "Who to contact",
    "What you should do",
    "Families may be more vulnerable where",
]
HEADING, BULLET, NUMBER, PLAIN, ROW = "Heading 1", "List Bullet", "List Number", "Normal", "row"
PARAGRAPHS = st.tuples(st.sampled_from([BULLET, NUMBER, PLAIN, ROW]), WORDS)
BLOCKS = st.lists(st.tuples(st.just(HEADING), st.sampled_from(HEADINGS) | WORDS) | PARAGRAPHS, max_size=12)
GUIDE = [
    (HEADING, "What it is"),
    (PLAIN, "Gangs make children carry drugs, and call it a debt."),
    (HEADING, "Signs to look for"),
    (BULLET, "Missing: goes missing, and is found far away"),
    (PLAIN, "Remember: a child who carries drugs is a victim first."),
    (HEADING, "Words that nobody foresaw"),
    (NUMBER, "Count the cars in the street."),
    (HEADING, "Who to contact"),
    (ROW, "Exploitation Team, 01632 960021 (option 2)"),
]


def word_document(title: str, blocks: list[tuple[str, str]]) -> GuideDraft:
    document = Document()
    document.add_heading(title, level=0)
    for style, words in blocks:
        if style == ROW:
            document.add_table(rows=1, cols=1).cell(0, 0).text = words
        else:
            document.add_paragraph(words, style=style)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "guide.docx"
        document.save(str(path))
        return draft_of(path, draft_page)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text but the ids, which are made from words."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name != "id":
                yield from texts_in(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from texts_in(member)
    elif isinstance(value, str):
        yield value


def words_of(*texts: str) -> Counter[str]:
    return Counter(word for text in texts for word in WORD.findall(text))


def lost_words(draft: GuideDraft, title: str, blocks: list[tuple[str, str]]) -> Counter[str]:
    """Return the words of the document that are in the draft and the list less often than in the document.

    The heading of a section says only where its words belong.
    """
    wanted = words_of(title, *(words for style, words in blocks if style != HEADING))
    return wanted - words_of(*texts_in(draft.content), *draft.not_placed)


def test_a_word_document_with_every_kind_of_paragraph_loses_no_word() -> None:
    draft = word_document("County lines", GUIDE)

    assert lost_words(draft, "County lines", GUIDE) == Counter()
    assert draft.not_placed == ("What it is", "Words that nobody foresaw", "Count the cars in the street.")


@settings(derandomize=True, deadline=None, max_examples=40, phases=(Phase.explicit, Phase.generate))
@given(WORDS, BLOCKS)
def test_no_word_of_any_word_document_is_lost(title: str, blocks: list[tuple[str, str]]) -> None:
    assert lost_words(word_document(title, blocks), title, blocks) == Counter()
