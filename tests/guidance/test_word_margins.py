"""The margins of a Word document: what is outside its text is in the draft too, or is listed as not placed."""

from pathlib import Path

import pytest
from docx import Document
from docx.document import Document as DocxDocument
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from typer.testing import CliRunner

from app.cli.commands import app

pytestmark = pytest.mark.any_database

OF_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TO_PART = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.{}+xml"
BOX = (
    f'<w:p xmlns:w="{OF_WORD}"><w:r><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent>'
    "<w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></w:r></w:p>"
)
SIGN = "The child has a second phone."
MARGINS = ("header", "first page's header", "footer", "footnote", "endnote", "comment", "text box", "box in a footer")


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


def test_every_sentence_of_every_margin_is_in_the_draft_or_listed_on_the_screen_and_in_the_file(
    tmp_path: Path, document: DocxDocument
) -> None:
    document.save(str(tmp_path / "County lines.docx"))

    result = CliRunner().invoke(app, ["import", str(tmp_path / "County lines.docx"), "--folder", str(tmp_path)])

    assert result.exit_code == 0, result.output
    text = (tmp_path / "county-lines" / "1.yaml").read_text(encoding="utf-8")
    remarks = [line.removeprefix("# NOT PLACED: ") for line in text.splitlines() if line.startswith("# NOT PLACED: ")]
    said = [line.removeprefix("Not placed: ") for line in result.stdout.splitlines() if line.startswith("Not placed: ")]
    draft = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert said == remarks
    assert sorted(remarks) == sorted(words_in(margin) for margin in MARGINS if margin != "text box")
    assert words_in("text box") in draft
    assert draft.count(SIGN) == 1
