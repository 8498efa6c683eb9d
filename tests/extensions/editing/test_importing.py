"""Drafts from documents: every sentence is placed, or listed as not placed, whatever the shape of the document."""

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml

from app.config import SEED_DIR
from app.errors import SeedFileError
from app.extensions.editing.services.importing import MAX_TEXT, GuideDraft, draft_of
from app.extensions.editing.services.word_documents import MAX_BLOCKS, MAX_UNPACKED_BYTES
from app.services.guides.written_phones import phones_in
from tests.support.loops import for_each
from tests.support.publishing import SLUG, an_edition

pytestmark = pytest.mark.any_database

SOURCE = SEED_DIR / "sources" / f"{SLUG}-one-minute-guide.txt"
BULLET = "·"
DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/main"
HEADINGS = ("Vulnerability and risk factors", "What to do if you are worried", "What do we all need to do")
TEXT_BOX = (
    '<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:r><w:pict><v:textbox '
    'xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent><w:p><w:r><w:t>Words in a box.</w:t></w:r></w:p>'
    "</w:txbxContent></v:textbox></w:pict></w:r></w:p>"
)

COUNTY_LINES = """# County lines in one minute

## What it is

Gangs move drugs from cities to towns, and make children carry them.

## Signs to look for

* **Missing**: goes missing and is found far away
* has a second phone

Remember: a child who carries drugs is a victim first, and this list is not exhaustive.

## What you should do

1. Write it down: note what you saw, and when.
2. Say what you saw to the team.

## Who to contact

Call the Exploitation Team on 01632 960021 (option 2), or write to exploitation@council.example.

[The referral form](https://council.example/refer) takes ten minutes.

---
Printed by the Example Press.
"""
NEGLECT = """Neglect
=======

Neglect is when a child's needs go unmet, again and again.

### Families may be more vulnerable where

- a parent is ill
- the home is about to be lost

### Spot the signs

Look over time. One sign alone says little.

- hungry or tired
- no doctor's appointments are kept
"""
ATTENDANCE = """# Pupils who stop coming to school

Some pupils stop coming without a word.

## Your role

**Ask early**: talk to the pupil on the first day.

## Contacts

- Attendance Team: 01632 960041
- https://academy.example/attendance
"""


def draft_from(folder: Path, text: str) -> GuideDraft:
    path = folder / "guide.md"
    path.write_text(text, encoding="utf-8")
    return draft_of(path)


def texts(draft: GuideDraft, section: str) -> list[str]:
    return [item["text"] for item in draft.content[section]]


@pytest.fixture
def seed_document(tmp_path: Path) -> Path:
    """The printed guide as a Word document with headings and lists."""
    document = Document()
    for place, line in enumerate(filter(None, map(str.strip, SOURCE.read_text(encoding="utf-8").splitlines()))):
        words = line.replace("[bookmark: _GoBack]", "")
        if words.startswith(HEADINGS) or place == 0:
            document.add_heading(words, level=1 if place else 0)
        elif words.startswith(BULLET):
            document.add_paragraph(words.removeprefix(BULLET).strip(), style="List Bullet")
        else:
            document.add_paragraph(words)
    path = tmp_path / "guide.docx"
    document.save(str(path))
    return path


def test_the_word_form_of_the_seed_is_imported_whole_and_in_place(seed_document: Path) -> None:
    draft = draft_of(seed_document)

    printed = an_edition()
    assert draft.not_placed == ()
    assert texts(draft, "indicators") == [each.text for each in printed.indicators]
    assert [text.rstrip(".") for text in texts(draft, "factors")] == [each.text for each in printed.factors]
    assert [text.rstrip(".") for text in texts(draft, "linked_risks")] == [each.text for each in printed.linked_risks]
    assert texts(draft, "cautions") == [each.text for each in printed.cautions]
    assert texts(draft, "definitions") == [each.text for each in printed.definitions]
    assert draft.content["responsibilities"] == [
        each.model_dump(include={"id", "name", "text"}) for each in printed.responsibilities
    ]
    assert [dict(each) for each in draft.content["contacts"][0]["phones"]] == [
        each.model_dump() for each in printed.contacts[0].phones
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (COUNTY_LINES, {"definitions": 1, "indicators": 2, "cautions": 1, "responsibilities": 2, "contacts": 2}),
        (NEGLECT, {"definitions": 1, "factors": 2, "indicators": 2}),
        (ATTENDANCE, {"definitions": 1, "responsibilities": 1, "contacts": 2}),
    ],
)
def test_a_guide_of_another_shape_is_placed_and_the_rest_is_listed(
    tmp_path: Path, text: str, found: dict[str, int]
) -> None:
    draft = draft_from(tmp_path, text)

    assert {key: len(draft.content[key]) for key in found} == found
    words = f"{draft.content} {draft.not_placed}"
    for line in ("Printed by the Example Press.", "takes ten minutes.", "One sign alone says little."):
        assert line not in text or line in words


FRONT = """# Bullying

Version 3 | September 2026

Published by: Example Partnership

Review date: 30 September 2027 | Owner: Anti-bullying Team | Reference 7

Example Partnership guide

Bullying is hurtful behaviour that is repeated.

A second paragraph without a stop

## Further reading

See the statutory guidance: https://gov.example/keeping-children-safe or call 01632 960077.

## Contacts

Duty team: 01632 960021
"""


def test_lines_above_the_first_heading_fill_their_fields_or_stay_unplaced(tmp_path: Path) -> None:
    draft = draft_from(tmp_path, FRONT)

    found = draft.content
    assert (found["publisher"], found["owner"], found["review_by"]) == (
        {"name": "Example Partnership"},
        "Anti-bullying Team",
        "2027-09-30",
    )
    assert texts(draft, "definitions") == ["Bullying is hurtful behaviour that is repeated."]
    assert "30 September 2027" not in str(draft.not_placed)
    for line in (
        "Reference 7",
        "Version 3 | September 2026",
        "Example Partnership guide",
        "A second paragraph without a stop",
    ):
        assert line in draft.not_placed


def test_further_reading_is_no_contact(tmp_path: Path) -> None:
    draft = draft_from(tmp_path, FRONT)

    assert [each["name"] for each in draft.content["contacts"]] == ["Duty team"]
    assert "https://gov.example/keeping-children-safe or call 01632 960077." in " ".join(draft.not_placed)


def test_a_table_in_markdown_gives_a_contact_for_each_row(tmp_path: Path) -> None:
    rows = ("| Team | Telephone | When |", "| --- | --- | --- |", "| Duty team | 01632 960021 | 9am to 5pm |")
    table = "\n".join((*rows, "| Police | 101 | Any time |"))

    draft = draft_from(tmp_path, f"# Bullying\n\n## Contacts\n\n{table}\n\nCall early.\n")

    found = [(each["name"], each["phones"][0]["display"], each["when"]) for each in draft.content["contacts"]]
    assert found == [("Duty team", "01632 960021", "9am to 5pm"), ("Police", "101", "Any time")]
    assert draft.not_placed == ("Team Telephone When",)


def test_pasted_text_without_headings_is_placed_like_a_document(tmp_path: Path) -> None:
    path = tmp_path / "pasted.txt"
    path.write_text(
        "Bullying\nSigns to look for\n•\tTorn clothes\n• Fear of school\nWhat to do\n1. Listen\n"
        "Who to contact\nDuty team\t01632 960021\tMonday to Friday, 9am to 5pm\n",
        encoding="utf-8",
    )

    draft = draft_of(path)

    assert texts(draft, "indicators") == ["Torn clothes", "Fear of school"]
    assert texts(draft, "responsibilities") == ["Listen"]
    assert draft.content["contacts"][0]["opening_hours"][0]["closes"] == "17:00"
    assert draft.not_placed == ()


def test_an_address_behind_the_words_of_a_link_is_in_the_draft(tmp_path: Path) -> None:
    contacts: list[dict[str, Any]] = draft_from(tmp_path, COUNTY_LINES).content["contacts"]

    assert [each.get("url") for each in contacts] == [None, "https://council.example/refer"]
    assert contacts[0]["phones"] == [{"number": "+441632960021", "display": "01632 960021", "option": "2"}]


def test_words_of_tables_text_boxes_and_footers_are_placed_or_listed(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("A guide", level=0)
    document.add_heading("Signs", level=1)
    document.add_table(rows=1, cols=1).cell(0, 0).paragraphs[0].text = "Words in a table."
    document.element.body.insert(2, parse_xml(TEXT_BOX))
    document.sections[0].footer.paragraphs[0].text = "Words in a footer."
    document.save(str(tmp_path / "guide.docx"))

    draft = draft_of(tmp_path / "guide.docx")

    words = f"{draft.content} {draft.not_placed}"
    assert draft.not_placed == ("Words in a footer.",)
    assert "Words in a table." in words
    assert words.count("Words in a box.") == 1


def test_advice_never_becomes_a_sign_and_a_table_row_becomes_a_contact(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("Self-harm: a one minute guide", level=0)
    document.add_heading("Signs to look out for", level=1)
    document.add_paragraph("These signs do not always mean harm.")
    document.add_paragraph("Low mood", style="List Bullet")
    document.add_heading("What should I do?", level=1)
    document.add_paragraph("Talk to your safeguarding lead.", style="List Number")
    document.add_heading("Who to contact", level=1)
    row = document.add_table(rows=1, cols=3).rows[0].cells
    for cell, words in zip(row, ("Duty team", "01632 960021", "9am to 5pm"), strict=True):
        cell.text = words
    document.add_heading("Signs at school", level=1)
    document.add_heading("Something else", level=1)
    document.add_paragraph("Words below a heading that nobody foresaw.", style="List Bullet")
    document.save(str(tmp_path / "guide.docx"))

    draft = draft_of(tmp_path / "guide.docx")

    assert [each["text"] for each in draft.content["indicators"]] == ["Low mood"]
    assert [each["text"] for each in draft.content["cautions"]] == ["These signs do not always mean harm."]
    assert [each["text"] for each in draft.content["responsibilities"]] == ["Talk to your safeguarding lead."]
    assert [(each["name"], each["phones"][0]["display"]) for each in draft.content["contacts"]] == [
        ("Duty team", "01632 960021")
    ]
    assert "9am to 5pm" in str(draft.content)
    assert "Words below a heading that nobody foresaw." in draft.not_placed


@pytest.mark.parametrize(("name", "reason"), [("a.docx", "not a Word document"), ("a.pdf", "must be Word")])
def test_a_file_that_is_no_document_is_refused_in_a_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"nothing")

    with pytest.raises(SeedFileError, match=reason):
        draft_of(tmp_path / name)


PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
NUMBERING = '<w:pPr><w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
ENTRY = f"<w:p>{NUMBERING}<w:r><w:t>Low mood</w:t></w:r></w:p>"
LAUGHS = "".join(f'<!ENTITY {chr(98 + each)} "{f"&{chr(97 + each)};" * 10}">' for each in range(8))
HOSTILE = {
    "an entity": (PARAGRAPH.format("&a;"), '<!DOCTYPE w:document [<!ENTITY a "x">]>'),
    "an entity in a file": (
        PARAGRAPH.format("&a;"),
        '<!DOCTYPE w:document [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ),
    "entities in entities": (PARAGRAPH.format("&i;"), f'<!DOCTYPE w:document [<!ENTITY a "lol">{LAUGHS}]>'),
    "great depth": ("<w:sdt>" * 3000 + PARAGRAPH.format("x") + "</w:sdt>" * 3000, ""),
    "broken XML": ("<w:p>", ""),
    "a long text": (PARAGRAPH.format("x" * 11_000_000), ""),
    "a text that unpacks to very much": (PARAGRAPH.format("x" * (MAX_UNPACKED_BYTES + 1)), ""),
    "very many paragraphs": (PARAGRAPH.format("A sign") * (MAX_BLOCKS + 1), ""),
}


def word_file(path: Path, body: str, before: str = "") -> Path:
    """Write a Word document of those paragraphs."""
    made = io.BytesIO()
    Document().save(made)
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    words = f'<?xml version="1.0"?>{before}<w:document {space}><w:body>{body}</w:body></w:document>'
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name in source.namelist():
            package.writestr(name, words if name == "word/document.xml" else source.read(name))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("body", "before"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_in_a_sentence(tmp_path: Path, body: str, before: str) -> None:
    with pytest.raises(SeedFileError, match=r"not a Word document|too large|too long"):
        draft_of(word_file(tmp_path / "guide.docx", PARAGRAPH.format("Bullying") + body, before))


def test_a_row_with_what_to_press_is_a_contact_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "guide.txt"
    row = "Duty Team\t01632 960021 (option 1)\tMonday to Friday, 9am to 5pm"
    path.write_text(f"Bullying\nWho to contact\n{row}\n", encoding="utf-8")

    draft = draft_of(path)

    assert draft.content["introductions"] == {"contacts": "Who to contact"}
    assert draft.not_placed == ()


@pytest.mark.slow
@for_each("level", ["\xb2", "\u0665", "-1", "1e9", "", "9" * 5000, "99"])
def test_a_level_that_is_no_number_is_the_first(tmp_path: Path, level: str) -> None:
    body = PARAGRAPH.format("Bullying") + PARAGRAPH.format("Signs to look for") + ENTRY.format(level)

    assert "Low mood" in str(draft_of(word_file(tmp_path / "guide.docx", body)).content)


def test_words_behind_a_remark_in_the_file_are_not_lost(tmp_path: Path) -> None:
    body = PARAGRAPH.format("Bullying") + PARAGRAPH.format("Children <!-- a remark -->who are hurt.")

    assert "Children who are hurt." in str(draft_of(word_file(tmp_path / "guide.docx", body)).content)


def test_markdown_that_is_far_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text("# Bullying\n\n" + "- A sign\n" * (MAX_BLOCKS + 1), encoding="utf-8")

    with pytest.raises(SeedFileError, match="too long"):
        draft_of(path)


MANY = 16_000
RUN = "<w:r><w:rPr><w:b/></w:rPr><w:t>a </w:t></w:r>"
LARGE_WORD = {
    "paragraphs": PARAGRAPH.format("a sign") * MANY,
    "empty paragraphs": PARAGRAPH.format("a sign") + "<w:p/>" * 20 * MANY,
    "rows": "<w:tbl>" + f"<w:tr><w:tc>{PARAGRAPH.format('Team')}</w:tc></w:tr>" * MANY + "</w:tbl>",
    "tables in tables": "<w:tbl><w:tr><w:tc>" * 80 + PARAGRAPH.format("x") * MANY + "</w:tc></w:tr></w:tbl>" * 80,
    "pieces": f"<w:p>{RUN * 20}</w:p>" * MANY,
}
HOSTILE_MARKDOWN = ("[", "![", "[a](", "[[[[[[[[\n", "*a_ ", "- a\n  - ")
MOST_WORK = {"Word": 1_500_000, "Markdown": 8_000_000}
"""Calls of functions while a document is read. A plain guide takes 5,000 to 20,000; without limits brackets took
49,000,000, and tables in tables 9,700,000.
"""


def calls_while_reading(path: Path) -> int:
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        draft_of(path)
    except SeedFileError:
        pass
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.slow
@for_each("name", list(LARGE_WORD))
def test_a_word_document_of_16_000_paragraphs_is_little_work(tmp_path: Path, name: str) -> None:
    Document()  # its template is read once

    assert calls_while_reading(word_file(tmp_path / "guide.docx", LARGE_WORD[name])) < MOST_WORK["Word"]


@pytest.mark.slow
@for_each("run", HOSTILE_MARKDOWN)
def test_hostile_signs_in_markdown_are_little_work_and_refused(tmp_path: Path, run: str) -> None:
    path = tmp_path / "guide.md"
    path.write_text(f"# Bullying\n\n{run * (MAX_TEXT // len(run) - 20)}", encoding="utf-8")

    assert calls_while_reading(path) < MOST_WORK["Markdown"]
    with pytest.raises(SeedFileError, match="too many signs"):
        draft_of(path)


def test_a_local_number_takes_the_area_code_before_it_and_no_other_number() -> None:
    after_area_code = phones_in("Call 01632 960001 or 960002.")

    assert [each["number"] for each in after_area_code] == ["+441632960001", "+441632960002"]
    assert [each["number"] for each in phones_in("Call 116123 or 654321.")] == ["116123"]


COVER = "Example Safeguarding Partnership says that this page is for everybody who works with children here"


@pytest.mark.parametrize("with_title", [True, False])
def test_a_line_above_the_title_or_the_first_heading_is_listed_with_its_place(tmp_path: Path, with_title: bool) -> None:
    document = Document()
    if with_title:
        document.add_paragraph(COVER)
        document.add_heading("Neglect", level=0)
    else:
        document.add_paragraph("Neglect")
        document.add_paragraph(COVER)
    document.add_heading("What is neglect?", level=1)
    document.add_paragraph("A child’s needs go unmet.")
    document.add_heading("Further reading", level=1)
    document.add_paragraph("A book without an address.")
    document.save(str(tmp_path / "guide.docx"))

    draft = draft_of(tmp_path / "guide.docx")

    assert draft.content["title"] == "Neglect"
    assert texts(draft, "definitions") == ["A child’s needs go unmet."]
    assert draft.unplaced == {
        COVER: "above the first heading",
        "What is neglect?": "a heading",
        "Further reading": "a heading",
        "A book without an address.": "below ‘Further reading’",
    }


def test_words_of_a_diagram_and_a_chart_are_listed(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("A guide", level=0)
    for kind in ("diagramData", "chart"):
        words = f'<a:p xmlns:a="{DRAWN}"><a:r><a:t>Words in </a:t></a:r><a:r><a:t>the {kind}.</a:t></a:r></a:p>'
        part = Part(PackURI(f"/word/{kind}.xml"), "application/xml", words.encode(), document.part.package)
        document.part.relate_to(part, f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}")
    document.save(str(tmp_path / "guide.docx"))

    draft = draft_of(tmp_path / "guide.docx")

    assert draft.unplaced == {"Words in the diagramData.": "diagram", "Words in the chart.": "chart"}
