"""The blocks of a document: what its headings, paragraphs and lists say, without its look."""

import re
from dataclasses import dataclass
from enum import StrEnum

_BLANKS = re.compile(r"\s+")
BULLET = re.compile(r"^(?:[·•▪●○◦‣\uf0b7*–-]|o(?=\s))\s+")


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTATION = "quotation"
    MARGIN = "margin"
    """A header, a footer, a note or the names of columns, which are no part of the text."""


@dataclass(frozen=True)
class Block:
    """One block: its text on one line, and the bold words with which it begins."""

    kind: BlockKind
    text: str
    name: str = ""
    level: int = 0
    """Of a heading: 1 is the title. Of an entry of a list: its depth."""
    links: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """Of a row of a table of contacts: the text of each cell."""


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return _BLANKS.sub(" ", text).strip()


def without_bullet(text: str) -> tuple[str, bool]:
    """Return the text without a bullet that was typed, and whether there was one."""
    bare = BULLET.sub("", text, count=1)
    return bare, bare != text
