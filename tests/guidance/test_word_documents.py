"""No word of a document is lost, whatever its shape: each is in the draft, or in what is listed as not placed."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from docx import Document
from docx.document import Document as DocxDocument
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.cli.guides import draft_page
from app.models.editions import EditionContent
from app.models.sections import ITEM_LISTS
from app.services.importing import GuideDraft, draft_of
from tests.support.generated_guides import generated_guides

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

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
BELOW, FAR_BELOW, BOLD, CONTACT = "List Bullet 2", "List Bullet 3", "bold beginning", "row of contacts"
PARAGRAPHS = st.tuples(st.sampled_from([BULLET, BELOW, FAR_BELOW, NUMBER, PLAIN, ROW, BOLD, CONTACT]), WORDS)
JOINING = {"and", "or"}
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
        elif style == CONTACT:
            cells = document.add_table(rows=1, cols=3).rows[0].cells
            for cell, text in zip(cells, (words, f"{words} 01632 960021", "9am to 5pm"), strict=True):
                cell.text = text
        elif style == BOLD:
            paragraph = document.add_paragraph(style=NUMBER)
            paragraph.add_run("Ask").bold = True
            paragraph.add_run(f" {words}")
        else:
            document.add_paragraph(words, style=style)
    return draft_in(document)


def draft_in(document: DocxDocument) -> GuideDraft:
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
    return Counter(word for text in texts for word in WORD.findall(text) if word not in JOINING)


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


def test_an_entry_with_entries_below_it_is_no_sign_but_goes_before_each_of_them() -> None:
    blocks = [
        (HEADING, "Signs to look for"),
        (BULLET, "At school:"),
        (BELOW, "late"),
        (BELOW, "alone"),
        (FAR_BELOW, "at lunch"),
        (BULLET, "a second phone"),
    ]

    draft = word_document("County lines", blocks)

    assert [each["text"] for each in draft.content["indicators"]] == [
        "At school: late",
        "At school: alone: at lunch",
        "a second phone",
    ]


def test_bold_lines_are_headings_and_a_bold_beginning_is_a_name() -> None:
    document = Document()
    for words in ("Private fostering", "What is private fostering?"):
        document.add_paragraph().add_run(words).bold = True
    document.add_paragraph("A child lives with somebody who is no close relative.")
    document.add_paragraph().add_run("Who may be privately fostered").bold = True
    document.add_paragraph("language students", style=BULLET)
    document.add_paragraph("boarders in the holidays", style=BULLET)
    document.add_paragraph().add_run("What you should do").bold = True
    paragraph = document.add_paragraph(style=NUMBER)
    paragraph.add_run("Ask").bold = True
    paragraph.add_run(" who the child lives with.")

    draft = draft_in(document)

    assert [(each.get("introduction"), each["text"]) for each in draft.content["definitions"]] == [
        (None, "A child lives with somebody who is no close relative."),
        ("Who may be privately fostered", "language students; boarders in the holidays"),
    ]
    assert [(each["name"], each["text"]) for each in draft.content["responsibilities"]] == [
        ("Ask", "who the child lives with.")
    ]
    assert draft.not_placed == ("What is private fostering?",)


def test_a_table_of_contacts_gives_each_its_numbers_and_hours_and_names_of_columns_are_listed() -> None:
    document = Document()
    document.add_heading("A guide", level=0)
    document.add_heading("Who to contact", level=1)
    rows = (
        ("Service", "Telephone", "When"),
        ("Duty team", "01632 960021 or duty@council.example", "Monday to Friday, 9am to 5pm"),
        ("Police", "101", "Any time"),
    )
    table = document.add_table(rows=3, cols=3)
    for row, words in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, words, strict=True):
            cell.text = text

    draft = draft_in(document)

    found = [(each["name"], each["phones"][0]["display"], each["when"]) for each in draft.content["contacts"]]
    assert found == [
        ("Duty team", "01632 960021", "Monday to Friday, 9am to 5pm"),
        ("Police", "101", "Any time"),
    ]
    assert draft.content["contacts"][0]["email"] == "duty@council.example"
    assert draft.content["introductions"] == {"contacts": "Who to contact"}
    assert draft.not_placed == ("Service Telephone When",)


@settings(derandomize=True, deadline=None, max_examples=40, phases=(Phase.explicit, Phase.generate))
@given(WORDS, BLOCKS)
def test_no_word_of_any_word_document_is_lost(title: str, blocks: list[tuple[str, str]]) -> None:
    assert lost_words(word_document(title, blocks), title, blocks) == Counter()


def blocks_of(content: EditionContent) -> Iterator[tuple[str, str]]:
    """Yield the guide as somebody would type it in Word: headings, the words before a list, and bullets."""
    for key, entry in ITEM_LISTS.items():
        items, before = getattr(content, key), getattr(content.introductions, key, None)
        if items:
            yield HEADING, entry.heading
        if items and before:
            yield PLAIN, typed(before)
        for item in items:
            words = [getattr(item, name, None) for name in ("introduction", "name", "text", "when")]
            phones = [phone.display for phone in getattr(item, "phones", ())]
            yield PLAIN if key == "definitions" else BULLET, typed(" ".join(filter(None, [*words, *phones])))


def typed(words: str) -> str:
    """Return the words without the characters that no Word document can have."""
    return "".join(each for each in words if each.isprintable() or each in "\n\t")


@settings(derandomize=True, deadline=None, max_examples=15, phases=(Phase.explicit, Phase.generate))
@given(generated_guides())
def test_the_word_form_of_any_guide_keeps_every_word(content: EditionContent) -> None:
    title, blocks = typed(content.title), list(blocks_of(content))

    assert lost_words(word_document(title, blocks), title, blocks) == Counter()
