"""The blocks of a document (headings, paragraphs, list items), and a reader of plain text into blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_BLANKS = re.compile(r"\s+")
BULLET = re.compile(r"^(?:[·•▪●○◦‣\uf0b7*–-]|o(?=\s))\s+")
PHONE_NUMBER = re.compile(r"(?<![\w/.-])(?:\+44[\d ]{8,14}\d|0\d[\d ]{7,12}\d|\d{6})(?![\w/])")
_NUMBERED = re.compile(r"^\(?[0-9]{1,2}[.)]\s+")


class BlockKind(StrEnum):
    """The kind of a block of a document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTATION = "quotation"
    MARGIN = "margin"
    """Not part of the text: a header, footer, footnote, endnote, comment, or row of column names."""


@dataclass(frozen=True)
class Block:
    """A block of a document, with its text on one line.

    `name` is the bold text at the beginning of the block. In a row of a table, `name` is the text of the first cell.
    The row of column names of a Word document has no `name` and no `cells`.
    """

    kind: BlockKind
    text: str
    name: str = ""
    level: int = 0
    """The level of a heading (the title has 1), or the depth of a list item (an item of an outer list has 1)."""
    links: tuple[str, ...] = ()
    """The addresses of the links in the block, in order."""
    cells: tuple[str, ...] = ()
    """The text of each cell if the block is a row of a table, otherwise empty."""


def one_line(text: str) -> str:
    """Return `text` without white space at both ends, and with one space for each other run of white space."""
    return _BLANKS.sub(" ", text).strip()


def without_bullet(text: str) -> tuple[str, bool]:
    """Return `text` without a bullet that was typed at its beginning, and True if there was a bullet."""
    bare = BULLET.sub("", text, count=1)
    return bare, bare != text


def text_blocks(text: str) -> Iterator[Block]:
    """Yield a block for each line of the plain `text` that has words.

    A line with a typed bullet or number is a list item. Another line with tabs between its words, as in text pasted
    from a document, is a row of a table.
    """
    for line in text.splitlines():
        words, has_bullet = without_bullet(one_line(line))
        words, numbers = _NUMBERED.subn("", words, count=1)
        cells = tuple(one_line(each) for each in line.split("\t")) if "\t" in line.strip() and not has_bullet else ()
        if words and (has_bullet or numbers):
            yield Block(BlockKind.ITEM, words, level=1)
        elif words:
            yield Block(BlockKind.PARAGRAPH, words, cells[0] if cells else "", cells=cells)
