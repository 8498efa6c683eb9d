"""A reader of the blocks of a Word document, with limits on its size."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from app.errors import SeedError, SeedFileError
from app.extensions.editing.services.documents import COLUMN_NAMES, Block, BlockKind, one_line, without_bullet
from app.extensions.editing.services.written_contacts import has_contact_details

MARGINS = {
    "header": "header",
    "footer": "footer",
    "footnotes": "footnote",
    "endnotes": "endnote",
    "comments": "comment",
    "diagramData": "diagram",
    "chart": "chart",
}
"""Relations to other parts of the file that have text, and what people call them."""
DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P, R, T, TR, TC, TABLE, HYPHEN = (qn(f"w:{name}") for name in ("p", "r", "t", "tr", "tc", "tbl", "noBreakHyphen"))
SPACES = (qn("w:tab"), qn("w:br"), qn("w:cr"))
NUMBERING, LINK, LINK_ID = qn("w:numPr"), qn("w:hyperlink"), qn("r:id")
TITLE_LEVEL, BOLD_LEVEL = 1, 3
"""`Heading 1` has level 2, and a bold line counts as `Heading 2`."""
MAX_HEADING_WORDS = 14
_ENDS = (".", ":", ";", ",")
MAX_UNPACKED_BYTES = 100_000_000
MAX_BLOCKS = 2_500
"""More cannot be a guide: a section has at most 500 items."""
MAX_TAGS = 400_000
"""In all parts of the file. 2,500 paragraphs of 10 runs each have about 215,000."""
TOO_LARGE, TOO_LONG = "it is too large", f"it is too long: a guide has at most {MAX_BLOCKS} paragraphs and entries"
NO_DOCUMENT = "this is not a Word document (.docx)"
NO_PACKAGE = (PackageNotFoundError, BadZipFile, SyntaxError, KeyError, ValueError, NotImplementedError)
"""The readers' errors for a file that is no package; lxml raises `SyntaxError` for bad XML."""


def word_blocks(path: Path, data: bytes) -> list[Block]:
    """Return at most `MAX_BLOCKS` + 1 blocks: the caller refuses more.

    Raise `SeedFileError` if it is not a Word document or unpacks too large.
    """
    try:
        _check_package(path, data)
        document = Document(BytesIO(data))
        blocks = chain(_Body(document).blocks(), _margins(document.part))
        return list(islice((block for block in blocks if block.text), MAX_BLOCKS + 1))
    except NO_PACKAGE:
        raise SeedFileError(path, [SeedError(0, NO_DOCUMENT)]) from None


def _check_package(path: Path, data: bytes) -> None:
    """Raise `SeedFileError` if it unpacks too large, has too many tags or declares a document type.

    The entities of such a declaration can expand without limit, and Word never writes one.
    """
    tags = 0
    with ZipFile(BytesIO(data)) as package:
        if sum(each.file_size for each in package.infolist()) > MAX_UNPACKED_BYTES:
            raise SeedFileError(path, [SeedError(0, TOO_LARGE)])
        for name in package.namelist():
            part = package.read(name) if name.endswith((".xml", ".rels")) else b""
            if b"<!DOCTYPE" in part:
                raise SeedFileError(path, [SeedError(0, NO_DOCUMENT)])
            tags += part.count(b"<")
    if tags > MAX_TAGS:
        raise SeedFileError(path, [SeedError(0, TOO_LONG)])


class _Body:
    def __init__(self, document: Any) -> None:
        self._body = document.element.body
        self._words = _words_by_paragraph(self._body)
        self._links = {id_: each.target_ref for id_, each in document.part.rels.items() if each.is_external}
        self._styles = {style.style_id: style.name for style in document.styles}

    def blocks(self) -> Iterator[Block]:
        """Yield one for each row of a table of contacts, and one for each other paragraph."""
        rows: dict[Any, Block | None] = {}
        for paragraph in (each for each in _paragraphs(self._body) if each in self._words):
            row = next(paragraph.iterancestors(TR), None)
            if row is not None and row not in rows:
                rows[row] = self._row(row)
                if (block := rows[row]) is not None:
                    yield block
            if row is None or rows[row] is None:
                yield self._block(paragraph)

    def _row(self, row: Any) -> Block | None:
        """A contact, or the column names above contacts (`MARGIN`)."""
        contact = self._contact_row(row)
        following = row.getnext()
        if contact is not None or row.getprevious() is None or row.getprevious().tag == row.tag or following is None:
            return contact
        if self._contact_row(following) is None:
            return None
        return Block(BlockKind.MARGIN, " ".join(self._cells(row)), place=COLUMN_NAMES)

    def _contact_row(self, row: Any) -> Block | None:
        """Text in the first cell, and a number, email or web address in another; a web link in any counts too.

        None for a row with a table inside: otherwise each would read all that are inside again.
        """
        cells = () if next(row.iter(TABLE), None) is not None else self._cells(row)
        if not cells or not cells[0]:
            return None
        targets = self._targets(row)
        if not has_contact_details(" ".join(cells[1:]), targets):
            return None
        return Block(BlockKind.PARAGRAPH, one_line(" ".join(cells)), cells[0], links=targets, cells=cells)

    def _cells(self, row: Any) -> tuple[str, ...]:
        return tuple(
            one_line(" ".join(_text(self._words.get(each, ())) for each in _paragraphs(cell)))
            for cell in row.findall(TC)
        )

    def _targets(self, part: Any) -> tuple[str, ...]:
        found = (each.get(LINK_ID) for each in part.iter(LINK))
        return tuple(self._links[each] for each in found if each in self._links)

    def _block(self, paragraph: Any) -> Block:
        words = self._words[paragraph]
        text, has_bullet = without_bullet(one_line(_text(words)))
        name, bold, targets = self._styles.get(paragraph.style) or "", _bold_start(words), self._targets(paragraph)
        if name == "Title" or name.startswith("Heading"):
            level = TITLE_LEVEL if name == "Title" else (_number(name.split()[-1]) or 2) + 1
            return Block(BlockKind.HEADING, text, level=level, links=targets)
        if has_bullet or name.startswith("List") or next(paragraph.iter(NUMBERING), None) is not None:
            return Block(BlockKind.ITEM, text, bold, _depth(paragraph, name), targets)
        if text and bold == text and len(text.split()) <= MAX_HEADING_WORDS and not text.endswith(_ENDS):
            return Block(BlockKind.HEADING, text, level=BOLD_LEVEL, links=targets)
        kind = BlockKind.QUOTATION if "Quote" in name else BlockKind.PARAGRAPH
        return Block(kind, text, bold, links=targets)


def _words_by_paragraph(body: Any) -> dict[Any, list[Any]]:
    """Read all in one pass: paragraphs can have text boxes, whose paragraphs can have text boxes."""
    found: dict[Any, list[Any]] = {}
    for each in body.iter(T, HYPHEN, *SPACES):
        found.setdefault(next(each.iterancestors(P), None), []).append(each)
    return found


def _paragraphs(body: Any) -> Iterator[Any]:
    """Yield each paragraph once: Word stores a copy of a text box for older programs."""
    for paragraph in body.iter(P):
        if next(paragraph.iterancestors("{*}Fallback"), None) is None:
            yield paragraph


def _margins(part: Any) -> Iterator[Block]:
    for relation in part.rels.values():
        place = MARGINS.get(relation.reltype.rsplit("/", 1)[-1])
        if place is None or relation.is_external:
            continue
        margin = parse_xml(relation.target_part.blob)
        words = _words_by_paragraph(margin)
        texts = [_text(words.get(paragraph, ())) for paragraph in _paragraphs(margin)]
        texts += ["".join(each.text or "" for each in drawn.iter(f"{DRAWN}t")) for drawn in margin.iter(f"{DRAWN}p")]
        for text in texts:
            yield Block(BlockKind.MARGIN, one_line(text), place=place)


def _depth(paragraph: Any, style: str) -> int:
    """Return the depth by the numbering, or by the number in a style like `List Bullet 2`. 1 is outermost."""
    level = paragraph.find(f".//{NUMBERING}/{qn('w:ilvl')}")
    depth = _number(str(level.get(qn("w:val")))) if level is not None else None
    return depth + 1 if depth is not None else _number(style.rpartition(" ")[2]) or 1


def _text(words: Sequence[Any]) -> str:
    return "".join(map(_words, words))


def _bold_start(words: Sequence[Any]) -> str:
    bold_words = ""
    for each in words:
        run = next(each.iterancestors(R), None)
        bold = run.find(f"{qn('w:rPr')}/{qn('w:b')}") if run is not None else None
        if _words(each).strip() and (bold is None or bold.get(qn("w:val")) in ("0", "false")):
            break
        bold_words += _words(each)
    return one_line(bold_words)


def _number(text: str) -> int | None:
    """Read one or two ASCII digits: `isdigit` is also true of `²`, which `int` refuses."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len("99") else None


def _words(part: Any) -> str:
    if part.tag == T:
        return "".join([part.text or "", *(child.tail or "" for child in part)])  # a tail is text after an XML comment
    return "-" if part.tag == HYPHEN else " "
