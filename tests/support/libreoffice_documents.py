"""Word documents that LibreOffice wrote: `python -m tests.support.libreoffice_documents` writes them again.

The tests read the stored documents, so that no other machine needs LibreOffice.
"""

import html
import subprocess  # it only runs LibreOffice
import tempfile
from pathlib import Path

from tests.support.word_guides import CAUTIONS, COLUMNS, CONTACTS, FRONT, READING, SECTIONS, TITLE, as_word

DOCUMENTS = Path(__file__).parents[1] / "extensions" / "editing" / "documents"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
FLAT = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="{OFFICE}office:1.0" xmlns:text="{OFFICE}text:1.0" xmlns:table="{OFFICE}table:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
{{}}
</office:text></office:body></office:document>"""


def as_html() -> str:
    """Return the guide as a web page, which LibreOffice opens as a document."""
    parts = [f"<h1>{TITLE}</h1><p>{FRONT}</p>"]
    for heading, sentences, style in SECTIONS:
        tag = "ol" if style == "List Number" else "ul"
        entries = [each for each in sentences if style != "Normal" and each not in CAUTIONS]
        parts += [
            f"<h2>{heading}</h2>",
            *([f"<{tag}>", *(f"<li>{each}</li>" for each in entries), f"</{tag}>"] * bool(entries)),
        ]
        parts += [f"<p>{each}</p>" for each in sentences if each not in entries]
    cells = "".join(f"<tr>{''.join(f'<td>{each}</td>' for each in row)}</tr>" for row in (COLUMNS, *CONTACTS))
    parts += ["<h2>Who to contact</h2>", f"<table>{cells}</table>", f"<h2>Further reading</h2><p>{READING}</p>"]
    return f'<html><meta charset="utf-8"><body>{"".join(parts)}</body></html>'


def as_flat_text_document() -> str:
    """Return the guide as a flat OpenDocument text, with styles for headings and lists."""

    def paragraph(words: str, tag: str = "text:p", *, of: str = "") -> str:
        return f"<{tag}{of}>{html.escape(words)}</{tag}>"

    parts = [paragraph(TITLE, "text:h", of=' text:outline-level="1"'), paragraph(FRONT)]
    for heading, sentences, style in SECTIONS:
        parts.append(paragraph(heading, "text:h", of=' text:outline-level="2"'))
        for each in sentences:
            is_entry = style != "Normal" and each not in CAUTIONS
            entry = f"<text:list><text:list-item>{paragraph(each)}</text:list-item></text:list>"
            parts.append(entry if is_entry else paragraph(each))
    rows = ""
    for row in (COLUMNS, *CONTACTS):
        cells = "".join(f"<table:table-cell>{paragraph(each)}</table:table-cell>" for each in row)
        rows += f"<table:table-row>{cells}</table:table-row>"
    parts += [paragraph("Who to contact", "text:h", of=' text:outline-level="2"')]
    parts += [f'<table:table><table:table-column table:number-columns-repeated="3"/>{rows}</table:table>']
    parts += [paragraph("Further reading", "text:h", of=' text:outline-level="2"'), paragraph(READING)]
    return FLAT.format("\n".join(parts))


def write_documents(folder: Path) -> None:
    """Write the documents to `folder`: from a web page, from OpenDocument, and a Word document saved again."""
    with tempfile.TemporaryDirectory() as made:
        sources = Path(made)
        (sources / "from-html.html").write_text(as_html(), encoding="utf-8")
        (sources / "from-odt.fodt").write_text(as_flat_text_document(), encoding="utf-8")
        (sources / "saved-again.docx").write_bytes(as_word())
        command = ["soffice", f"-env:UserInstallation=file://{made}/profile", "--headless", "--convert-to"]
        for source in sorted(sources.glob("*.*")):
            kind = "docx:MS Word 2007 XML"
            subprocess.run([*command, kind, "--outdir", str(folder), str(source)], check=True)


if __name__ == "__main__":
    DOCUMENTS.mkdir(exist_ok=True)
    write_documents(DOCUMENTS)
