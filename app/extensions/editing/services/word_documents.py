"""A reader of the blocks of a Word document, with limits on its size."""

from collections.abc import Iterator
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
from app.extensions.editing.services.documents import Block, BlockKind, one_line, without_bullet
from app.extensions.editing.services.written_contacts import has_contact_details

MARGINS = ("header", "footer", "footnotes", "endnotes", "comments")
SPACES = (qn("w:tab"), qn("w:br"), qn("w:cr"))
MAX_HEADING_WORDS = 14
_ENDS = (".", ":", ";", ",")
MAX_UNPACKED_BYTES = 100_000_000
MAX_BLOCKS = 2_500
"""More would take minutes to read, and cannot be a guide: a section has at most 500 items."""
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
        links = {id_: each.target_ref for id_, each in document.part.rels.items() if each.is_external}
        styles = {style.style_id: style for style in document.styles}
        blocks = chain(_blocks(document.element.body, styles, links), _margins(document.part))
        return list(islice((block for block in blocks if block.text), MAX_BLOCKS + 1))
    except NO_PACKAGE:
        raise SeedFileError(path, [SeedError(0, NO_DOCUMENT)]) from None


def _check_package(path: Path, data: bytes) -> None:
    """Raise `SeedFileError` if it unpacks too large or declares a document type.

    The entities of such a declaration can expand without limit, and Word never writes one.
    """
    with ZipFile(BytesIO(data)) as package:
        if sum(each.file_size for each in package.infolist()) > MAX_UNPACKED_BYTES:
            raise SeedFileError(path, [SeedError(0, TOO_LARGE)])
        for name in package.namelist():
            if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in package.read(name):
                raise SeedFileError(path, [SeedError(0, NO_DOCUMENT)])


def _blocks(body: Any, styles: dict[str, Any], links: dict[str, str]) -> Iterator[Block]:
    """Yield one for each row of a table of contacts, and one for each other paragraph. Styles and links are by id."""
    rows: dict[Any, Block | None] = {}
    for paragraph in _paragraphs(body):
        row = next(paragraph.iterancestors(qn("w:tr")), None)
        if row is not None and row not in rows:
            rows[row] = _row(row, links)
            if (block := rows[row]) is not None:
                yield block
        if row is None or rows[row] is None:
            yield _block(paragraph, styles, links)


def _row(row: Any, links: dict[str, str]) -> Block | None:
    """A contact, or the column names above contacts (`MARGIN`)."""
    contact = _contact_row(row, links)
    following = row.getnext()
    if contact is not None or row.getprevious() is None or row.getprevious().tag == row.tag or following is None:
        return contact
    return Block(BlockKind.MARGIN, " ".join(_cells(row))) if _contact_row(following, links) is not None else None


def _contact_row(row: Any, links: dict[str, str]) -> Block | None:
    """Text in the first cell, and a number, email or web address in another; a web link in any counts too."""
    cells = _cells(row)
    targets = _targets(row, links)
    found = Block(BlockKind.PARAGRAPH, one_line(" ".join(cells)), cells[0] if cells else "", links=targets, cells=cells)
    return found if found.name and has_contact_details(" ".join(cells[1:]), targets) else None


def _cells(row: Any) -> tuple[str, ...]:
    cells = (one_line(" ".join(_text(each) for each in _paragraphs(cell))) for cell in row.findall(qn("w:tc")))
    return tuple(cells)


def _targets(part: Any, links: dict[str, str]) -> tuple[str, ...]:
    return tuple(links[each.get(qn("r:id"))] for each in part.iter(qn("w:hyperlink")) if each.get(qn("r:id")) in links)


def _paragraphs(body: Any) -> Iterator[Any]:
    """Yield each paragraph once: Word stores a copy of a text box for older programs."""
    for paragraph in body.iter(qn("w:p")):
        if not any(each.tag.endswith("}Fallback") for each in paragraph.iterancestors()):
            yield paragraph


def _margins(part: Any) -> Iterator[Block]:
    for relation in part.rels.values():
        if not relation.is_external and relation.reltype.rsplit("/", 1)[-1] in MARGINS:
            for paragraph in _paragraphs(parse_xml(relation.target_part.blob)):
                yield Block(BlockKind.MARGIN, one_line(_text(paragraph)))


def _block(paragraph: Any, styles: dict[str, Any], links: dict[str, str]) -> Block:
    text, has_bullet = without_bullet(one_line(_text(paragraph)))
    style = styles.get(paragraph.style or "")
    name = style.name if style is not None else ""
    bold = one_line(_bold_start(paragraph))
    targets = _targets(paragraph, links)
    if name == "Title" or name.startswith("Heading"):
        level = 1 if name == "Title" else _number(name.split()[-1]) or 2
        return Block(BlockKind.HEADING, text, level=level, links=targets)
    if has_bullet or name.startswith("List") or paragraph.find(f".//{qn('w:numPr')}") is not None:
        return Block(BlockKind.ITEM, text, bold, _depth(paragraph, name), targets)
    if text and bold == text and len(text.split()) <= MAX_HEADING_WORDS and not text.endswith(_ENDS):
        return Block(BlockKind.HEADING, text, level=2, links=targets)
    kind = BlockKind.QUOTATION if "Quote" in name else BlockKind.PARAGRAPH
    return Block(kind, text, bold, links=targets)


def _depth(paragraph: Any, style: str) -> int:
    """Return the depth by the numbering, or by the number in a style like `List Bullet 2`. 1 is outermost."""
    level = paragraph.find(f".//{qn('w:numPr')}/{qn('w:ilvl')}")
    depth = _number(str(level.get(qn("w:val")))) if level is not None else None
    return depth + 1 if depth is not None else _number(style.rpartition(" ")[2]) or 1


def _number(text: str) -> int | None:
    """Read one or two ASCII digits: `isdigit` is also true of `²`, which `int` refuses."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len("99") else None


def _text(paragraph: Any) -> str:
    return "".join(_words(each) for each in _own(paragraph))


def _bold_start(paragraph: Any) -> str:
    words = ""
    for each in _own(paragraph):
        run = next((above for above in each.iterancestors(qn("w:r"))), None)
        bold = run.find(f"{qn('w:rPr')}/{qn('w:b')}") if run is not None else None
        if _words(each).strip() and (bold is None or bold.get(qn("w:val")) in ("0", "false")):
            break
        words += _words(each)
    return words


def _own(paragraph: Any) -> Iterator[Any]:
    """Leave out those of a text box inside."""
    for each in paragraph.iter():
        if next(each.iterancestors(qn("w:p")), None) is paragraph:
            yield each


def _words(part: Any) -> str:
    if part.tag == qn("w:t"):
        return "".join([part.text or "", *(child.tail or "" for child in part)])  # a tail is text after an XML comment
    if part.tag == qn("w:noBreakHyphen"):
        return "-"
    return " " if part.tag in SPACES else ""
