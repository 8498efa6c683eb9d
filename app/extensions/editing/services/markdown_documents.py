"""A reader of Markdown documents into blocks."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.token import Token

from app.extensions.editing.services.documents import COLUMN_NAMES, Block, BlockKind, one_line

LISTS = ("bullet_list", "ordered_list")
MAX_STEPS = 60_000
"""Of the parser, each at a line or a sign such as `[`. 2,400 entries with bold words and links take 58,000."""
STEPS = "steps"
OF_LINES: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


class TooManySteps(Exception):
    """The text has more lines or signs than `MAX_STEPS`: it is no guide, and reading it would take long."""


def markdown_blocks(text: str) -> list[Block]:
    """Read tables too, and leave HTML out. Raise `TooManySteps`."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.block.ruler.before("table", STEPS, _count_step, OF_LINES)
    parser.inline.ruler.before("text", STEPS, _count_step)
    blocks: list[Block] = []
    part: list[Token] = []
    for token in parser.parse(text):
        part.append(token)
        if token.type in ("table_open", "table_close"):
            blocks += _rows_of(part) if token.type == "table_close" else _blocks_of(part)
            part = []
    return [*blocks, *_blocks_of(part)]


def _count_step(state: Any, *_place: Any) -> bool:
    """A rule that never matches."""
    state.env[STEPS] = state.env.get(STEPS, 0) + 1
    if state.env[STEPS] > MAX_STEPS:
        raise TooManySteps
    return False


def _rows_of(tokens: Sequence[Token]) -> Iterator[Block]:
    """The names of columns have the kind `MARGIN`."""
    cells: list[Block] = []
    for before, token in pairwise(tokens):
        if token.type == "inline":
            cells.append(_inline(BlockKind.PARAGRAPH, token.children or (), 0))
        elif token.type == "tr_close" and cells:
            kind = BlockKind.MARGIN if before.type == "th_close" else BlockKind.PARAGRAPH
            texts = tuple(each.text for each in cells)
            links = tuple(link for each in cells for link in each.links)
            place = COLUMN_NAMES if kind is BlockKind.MARGIN else ""
            yield Block(kind, one_line(" ".join(texts)), texts[0], links=links, cells=texts, place=place)
            cells = []


def _blocks_of(tokens: Sequence[Token]) -> Iterator[Block]:
    lists = quotations = 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        opened = token.type.removesuffix("_open")
        if opened in LISTS or token.type.removesuffix("_close") in LISTS:
            lists = max(0, lists + token.nesting)
        elif token.type.startswith("blockquote"):
            quotations = max(0, quotations + token.nesting)
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
