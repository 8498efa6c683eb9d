"""The blocks of a document (headings, paragraphs, list items), and a reader of plain text into blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

COLUMN_NAMES = "names of columns"
_BLANKS = re.compile(r"\s+")
BULLET = re.compile(r"^(?:[·•▪●○◦‣\uf0b7*–-]|o(?=\s))\s+")
_NUMBERED = re.compile(r"^\(?[0-9]{1,2}[.)]\s+")


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTATION = "quotation"
    MARGIN = "margin"
    """No part of the text: a header, footer, note, comment, or row of column names."""


@dataclass(frozen=True)
class Block:
    """`name` is bold text at the beginning, or the first cell of a row.

    A row of column names has neither name nor cells.
    """

    kind: BlockKind
    text: str
    name: str = ""
    level: int = 0
    """Level of a heading (the title has 1), or depth of a list item (1 is outermost)."""
    links: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """Empty unless the block is a row of a table."""
    place: str = ""
    """Of a margin, such as `footer`."""


def one_line(text: str) -> str:
    """Trim the text, and replace each run of white space by one space."""
    return _BLANKS.sub(" ", text).strip()


def without_bullet(text: str) -> tuple[str, bool]:
    """Return the text without a typed bullet, and True if there was one."""
    bare = BULLET.sub("", text, count=1)
    return bare, bare != text


def text_blocks(text: str) -> Iterator[Block]:
    """Yield a list item for a typed bullet or number, and a row of a table for words with tabs between them."""
    for line in text.splitlines():
        words, has_bullet = without_bullet(one_line(line))
        words, numbers = _NUMBERED.subn("", words, count=1)
        cells = tuple(one_line(each) for each in line.split("\t")) if "\t" in line.strip() and not has_bullet else ()
        if words and (has_bullet or numbers):
            yield Block(BlockKind.ITEM, words, level=1)
        elif words:
            yield Block(BlockKind.PARAGRAPH, words, cells[0] if cells else "", cells=cells)
