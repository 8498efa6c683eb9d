"""Thirty documents of many shapes through the reader of uploads: none slow, no sentence lost."""

import io
import json
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from docx import Document

from app.extensions.editing.services import uploads
from app.extensions.editing.services.documents import one_line
from app.extensions.editing.services.uploads import DocumentRefused, read_upload
from tests.extensions.editing.test_importing import HOSTILE, PARAGRAPH, word_file
from tests.support.libreoffice_documents import DOCUMENTS
from tests.support.waiting import wait_until
from tests.support.word_guides import CONTACTS, FRONT, READING, SECTIONS, SENTENCES, TITLE, as_text, as_word

pytestmark = [pytest.mark.any_database, pytest.mark.slow, pytest.mark.nightly]

MOST_SECONDS = 5
"""Of processor time. The memory has a limit that the system keeps: see `document_child`."""
HEADINGS = ("Heading 1", "Heading 2", "bold", "plain")
LISTS = ("List Bullet", "typed bullets", "rows of a table")
NESTED = "<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>"


def word_guide(heading: str, entries: str) -> bytes:
    document, made = Document(), io.BytesIO()
    document.add_heading(TITLE, level=0)
    document.add_paragraph(FRONT)
    for title, sentences, style in SECTIONS:
        if heading in ("bold", "plain"):
            document.add_paragraph().add_run(title).bold = heading == "bold" or None
        else:
            document.add_paragraph(title, style=heading)
        for each in sentences:
            if style == "Normal" or entries == "rows of a table":
                document.add_table(rows=1, cols=1).cell(0, 0).text = each
            elif entries == "typed bullets":
                document.add_paragraph(f"• {each}")
            else:
                document.add_paragraph(each, style=entries)
    document.save(made)
    return made.getvalue()


def markdown_guide(dialect: str, bullet: str) -> bytes:
    def head(title: str) -> str:
        return f"{title}\n{'-' * len(title)}" if dialect == "setext" else f"## {title}{' ##' * (dialect == 'closed')}"

    lines = [f"# {TITLE}", FRONT]
    for title, sentences, style in SECTIONS:
        lines += [head(title), ("\n\n" if style == "Normal" else "\n").join(f"{bullet} {each}" for each in sentences)]
    rows = ["| Team | Telephone | When |", "|---|---|---|", *(f"| {' | '.join(each)} |" for each in CONTACTS)]
    return "\n\n".join([*lines, head("Contacts"), "\n".join(rows), head("References"), READING]).encode()


def documents() -> Iterator[tuple[str, bytes]]:
    for each in sorted(DOCUMENTS.glob("*.docx")):
        yield each.name, each.read_bytes()
    yield "guide.docx", as_word()
    yield "guide.txt", as_text().encode()
    for heading, entries in product(HEADINGS, LISTS):
        yield "guide.docx", word_guide(heading, entries)
    for dialect, bullet in product(("atx", "setext", "closed"), ("-", "*", "+")):
        yield "guide.md", markdown_guide(dialect, bullet)


def hostile_documents(folder: Path) -> Iterator[bytes]:
    for body, before in HOSTILE.values():
        yield word_file(folder / "guide.docx", PARAGRAPH.format("Bullying") + body, before).read_bytes()
    for body in (PARAGRAPH.format("a sign") * 16_000, "<w:p/>" * 3_000_000, nested_tables(200)):
        yield word_file(folder / "guide.docx", body).read_bytes()


def nested_tables(depth: int) -> str:
    before, _, after = NESTED.partition("{}")
    return before * depth + PARAGRAPH.format("deep") + after * depth


def seconds_of_children() -> float:
    """Of processor time of all children that the process of the readers has had, once the last one has ended."""
    reader = uploads._server.process
    if reader is None:
        return 0
    process = Path("/proc", str(reader.pid))
    wait_until(lambda: not (process / "task" / str(reader.pid) / "children").read_text())
    of_children = map(int, (process / "stat").read_text().rpartition(")")[2].split()[13:15])
    return sum(of_children) / os.sysconf("SC_CLK_TCK")


def test_thirty_documents_are_read_within_their_limits(tmp_path: Path) -> None:
    seconds: list[float] = []
    lost: dict[int, list[str]] = {}
    for place, (name, data) in enumerate(documents()):
        before = seconds_of_children()
        draft = read_upload(name, data)
        seconds.append(seconds_of_children() - before)
        words = one_line(
            f"{json.dumps(draft.content, ensure_ascii=False)} {' '.join(draft.unplaced)}".replace("\\n", " ")
        )
        lost[place] = [each for each in SENTENCES if each not in words]
    for data in hostile_documents(tmp_path):
        before = seconds_of_children()
        with pytest.raises(DocumentRefused):
            read_upload("guide.docx", data)
        seconds.append(seconds_of_children() - before)

    assert len(seconds) >= 30
    assert max(seconds) > 0  # it measures something
    assert {place: found for place, found in lost.items() if found} == {}
    assert max(seconds) < MOST_SECONDS
