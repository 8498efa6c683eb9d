"""No word of a document is lost, whatever its shape: each is in the draft, or in what is listed as not placed."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from string import ascii_lowercase
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from docx import Document
from docx.document import Document as DocxDocument
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli.commands import app
from app.extensions.editing.services.documents import one_line
from app.extensions.editing.services.importing import GuideDraft, draft_of
from app.models.guides.editions import EditionContent
from app.models.guides.sections import ITEM_LISTS
from tests.support.generated_guides import generated_guides

pytestmark = pytest.mark.any_database

GENERATED = (Phase.explicit, Phase.generate)  # no example is made smaller: that takes minutes
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
WORDLESS = {"and", "or", "option", "Option", "Caution", *ascii_lowercase}
"""What joins words or labels an entry, and says nothing by itself."""
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
        return draft_of(path)


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
    return Counter(word for text in texts for word in WORD.findall(text) if word not in WORDLESS)


def lost_words(draft: GuideDraft, title: str, blocks: list[tuple[str, str]]) -> Counter[str]:
    """Return the words of any one passage that the draft and the list have less often than that passage.

    A passage that stands in a text of the draft as it is, or repeats another, need not be there twice. The heading of a
    section says only where its words belong.
    """
    texts = [*map(one_line, texts_in(draft.content)), *draft.not_placed]
    passages = [title, *(words for style, words in blocks if style != HEADING)]
    wanted = [words_of(each) for each in passages if not any(one_line(each) in text for text in texts)]
    return reduce(or_, wanted, Counter[str]()) - words_of(*texts)


@pytest.mark.slow
def test_a_word_document_with_every_kind_of_paragraph_loses_no_word() -> None:
    draft = word_document("County lines", GUIDE)

    assert lost_words(draft, "County lines", GUIDE) == Counter()
    assert draft.not_placed == ("What it is", "Words that nobody foresaw", "Count the cars in the street.")


@pytest.mark.slow
def test_an_entry_above_others_is_no_sign_but_begins_each_one() -> None:
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
        "At school: alone\nat lunch",
        "a second phone",
    ]


@pytest.mark.slow
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
        ("Who may be privately fostered", "language students\nboarders in the holidays"),
    ]
    assert [(each["name"], each["text"]) for each in draft.content["responsibilities"]] == [
        ("Ask", "who the child lives with.")
    ]
    assert draft.not_placed == ("What is private fostering?",)


@pytest.mark.slow
def test_a_contact_table_gives_numbers_and_hours_and_lists_column_names() -> None:
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

    found = [(each["name"], each["phones"][0]["display"], each.get("when")) for each in draft.content["contacts"]]
    assert found == [("Duty team", "01632 960021", None), ("Police", "101", "Any time")]
    (hours,) = draft.content["contacts"][0]["opening_hours"]
    assert (hours["days"][0], hours["days"][-1], hours["opens"], hours["closes"]) == (
        "monday",
        "friday",
        "09:00",
        "17:00",
    )
    assert draft.content["contacts"][0]["email"] == "duty@council.example"
    assert draft.content["introductions"] == {"contacts": "Who to contact"}
    assert draft.not_placed == ("Service Telephone When",)


@pytest.mark.slow
@pytest.mark.parametrize("name", [":", "::"])
def test_a_contact_without_a_name_is_called_by_its_row(name: str) -> None:
    draft = word_document("County lines", [(HEADING, "Who to contact"), (CONTACT, name)])

    assert [each["name"] for each in draft.content["contacts"]] == [f"{name} {name} 01632 960021 9am to 5pm"]


@pytest.mark.slow
@settings(phases=GENERATED)
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


@pytest.mark.slow
@settings(phases=GENERATED)
@given(generated_guides())
def test_the_word_form_of_any_guide_keeps_every_word(content: EditionContent) -> None:
    title, blocks = typed(content.title), list(blocks_of(content))

    assert lost_words(word_document(title, blocks), title, blocks) == Counter()


OF_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TO_PART = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.{}+xml"
BOX = (
    f'<w:p xmlns:w="{OF_WORD}"><w:r><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent>'
    "<w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></w:r></w:p>"
)
SIGN = "The child has a second phone."
MARGINS = ("header", "first page's header", "footer", "footnote", "endnote", "comment", "text box", "box in a footer")
PLACES_OF_MARGINS = {"first page's header": "header", "box in a footer": "footer"}


def words_in(margin: str) -> str:
    return f"Words in the {margin}."


def add_note(document: DocxDocument, kind: str, words: str) -> None:
    """Add a footnote or an endnote, which python-docx does not write."""
    note = f'<w:{kind} w:id="1"><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:{kind}>'
    xml = f'<w:{kind}s xmlns:w="{OF_WORD}">{note}</w:{kind}s>'
    name = PackURI(f"/word/{kind}s.xml")
    part = Part(name, TYPE.format(f"{kind}s"), xml.encode(), document.part.package)
    document.part.relate_to(part, f"{TO_PART}/{kind}s")


@pytest.fixture
def document() -> DocxDocument:
    """A guide with words in every margin. Its last footnote repeats the sign."""
    document = Document()
    document.add_heading("County lines", level=0)
    document.add_heading("Signs to look for", level=1)
    sign = document.add_paragraph(SIGN, style="List Bullet")
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.header.paragraphs[0].text = words_in("header")
    section.first_page_header.paragraphs[0].text = words_in("first page's header")
    section.footer.paragraphs[0].text = words_in("footer")
    section.footer._element.append(parse_xml(BOX.format(words_in("box in a footer"))))  # no other way
    add_note(document, "footnote", words_in("footnote"))
    add_note(document, "endnote", f"{words_in('endnote')} {SIGN}")
    document.add_comment(sign.runs, text=words_in("comment"), author="Ann Example")
    sign._p.addprevious(parse_xml(BOX.format(words_in("text box"))))  # no other way
    return document


def test_every_sentence_in_a_margin_is_drafted_or_listed(tmp_path: Path, document: DocxDocument) -> None:
    document.save(str(tmp_path / "County lines.docx"))

    result = CliRunner().invoke(app, ["import", str(tmp_path / "County lines.docx"), "--folder", str(tmp_path)])

    assert result.exit_code == 0, result.output
    text = (tmp_path / "county-lines" / "1.yaml").read_text(encoding="utf-8")
    remarks = [line.removeprefix("# NOT PLACED: ") for line in text.splitlines() if line.startswith("# NOT PLACED: ")]
    said = [line.removeprefix("Not placed: ") for line in result.stdout.splitlines() if line.startswith("Not placed: ")]
    draft = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert said == remarks
    listed = {margin: PLACES_OF_MARGINS.get(margin, margin) for margin in MARGINS if margin != "text box"}
    assert sorted(remarks) == sorted(f"{words_in(margin)} ({place})" for margin, place in listed.items())
    assert words_in("text box") in draft
    assert draft.count(SIGN) == 1
