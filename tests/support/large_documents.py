"""`python -m tests.support.large_documents`: processor seconds of reading large and hostile documents of editors."""

import io
import sys
import time
import zipfile
from collections.abc import Iterator

from docx import Document

from app.extensions.editing.services.document_child import read
from app.extensions.editing.services.importing import MAX_TEXT

MANY = 16_000
SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
RUN = "<w:r><w:rPr><w:b/></w:rPr><w:t>a </w:t></w:r>"
WORD = {
    f"{MANY:,} paragraphs": PARAGRAPH.format("a sign") * MANY,
    f"{MANY:,} paragraphs of 20 runs": f"<w:p>{RUN * 20}</w:p>" * MANY,
    f"{MANY:,} paragraphs in 80 tables in tables": (
        "<w:tbl><w:tr><w:tc>" * 80 + PARAGRAPH.format("x") * MANY + "</w:tc></w:tr></w:tbl>" * 80
    ),
    "3,000,000 empty paragraphs": "<w:p/>" * 3_000_000,
    "2,499 long paragraphs, all read": "".join(
        PARAGRAPH.format(f"Sentence {number} goes on{' and on' * 15}.") for number in range(2_499)
    ),
}
MARKDOWN = ("[", "![", "[a](", "[[[[[[[[\n", "*a_ ", "**a** ", "<a@b.c>", "# a\n\n", "- a\n  - ")


def documents() -> Iterator[tuple[str, str, bytes]]:
    """Yield what each document is, its file name and its bytes."""
    empty = io.BytesIO()
    Document().save(empty)
    for what, body in WORD.items():
        made = io.BytesIO()
        with zipfile.ZipFile(empty) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
            for name in source.namelist():
                words = f'<?xml version="1.0"?><w:document {SPACE}><w:body>{body}</w:body></w:document>'.encode()
                package.writestr(name, words if name == "word/document.xml" else source.read(name))
        yield f"Word, {what}", "guide.docx", made.getvalue()
    for run in MARKDOWN:
        text = f"# Bullying\n\n{run * (MAX_TEXT // len(run) - 20)}"
        yield f"Markdown, {len(text):,} characters of {run!r}", "guide.md", text.encode()


def main() -> None:
    for what, name, data in documents():
        began = time.process_time()
        answer = read(name, data)
        seconds = time.process_time() - began
        sys.stdout.write(f"{seconds:6.2f} s  {'refused' if 'refused' in answer[:12] else 'read':<8} {what}\n")


if __name__ == "__main__":
    main()
