"""The blocks of a document (headings, paragraphs, list items), and a reader of Markdown into blocks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BLANKS = re.compile(r"\s+")
BULLET = re.compile(r"^(?:[·•▪●○◦‣\uf0b7*–-]|o(?=\s))\s+")
PHONE_NUMBER = re.compile(r"(?<![\w/.-])(?:\+44[\d ]{8,14}\d|0\d[\d ]{7,12}\d|\d{6})(?![\w/])")
LISTS = ("bullet_list", "ordered_list")


class BlockKind(StrEnum):
    """The kind of a block of a document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTATION = "quotation"
    MARGIN = "margin"
    """Not part of the text: a header, footer, footnote, comment, or row of column names."""


@dataclass(frozen=True)
class Block:
    """A block of a document, with its text on one line.

    `name` is the bold text at its beginning. In a row of a table of contacts, it is the text of the first cell.
    """

    kind: BlockKind
    text: str
    name: str = ""
    level: int = 0
    """The level of a heading (the title has 1), or the depth of a list item (an item of an outer list has 1)."""
    links: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """The text of each cell if the block is a row of a table of contacts, otherwise empty."""


def one_line(text: str) -> str:
    """Return `text` without white space at both ends, and with one space for each other run of white space."""
    return _BLANKS.sub(" ", text).strip()


def without_bullet(text: str) -> tuple[str, bool]:
    """Return `text` without a bullet that was typed at its beginning, and True if there was a bullet."""
    bare = BULLET.sub("", text, count=1)
    return bare, bare != text


def markdown_blocks(text: str) -> list[Block]:
    """Return the blocks of the Markdown `text`. Leave out HTML blocks, such as comments, and inline HTML tags."""
    return list(_blocks_of(MarkdownIt("commonmark").parse(text)))


def _blocks_of(tokens: Sequence[Token]) -> Iterator[Block]:
    lists = quotations = 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        opened = token.type.removesuffix("_open")
        if opened in LISTS or token.type.removesuffix("_close") in LISTS:
            lists += token.nesting
        elif token.type.startswith("blockquote"):
            quotations += token.nesting
        elif token.type in ("fence", "code_block"):
            yield Block(BlockKind.PARAGRAPH, one_line(token.content))
        elif token.type in ("list_item_close", "blockquote_close") and before and before.type.endswith("_open"):
            yield Block(BlockKind.QUOTATION if token.type.startswith("b") else BlockKind.ITEM, "", level=lists)
        elif token.type == "inline" and before is not None:
            kind = _kind(before, lists, quotations)
            level = int(before.tag[1]) if kind is BlockKind.HEADING else lists
            yield _inline(kind, token.children or (), level)


def _kind(opening: Token, lists: int, quotations: int) -> BlockKind:
    if opening.type == "heading_open":
        return BlockKind.HEADING
    if quotations:
        return BlockKind.QUOTATION
    return BlockKind.ITEM if lists else BlockKind.PARAGRAPH


def _inline(kind: BlockKind, children: Sequence[Token], level: int) -> Block:
    words, name, depth = "", "", 0
    for child in children:
        depth += {"strong_open": 1, "strong_close": -1}.get(child.type, 0)
        text = " " if child.type in ("softbreak", "hardbreak") else child.content if child.type != "html_inline" else ""
        if depth and words == name:
            name += text
        words += text
    links = tuple(str(child.attrs["href"]) for child in children if child.type == "link_open")
    return Block(kind, one_line(words), one_line(name), level, links)
