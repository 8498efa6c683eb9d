"""The page of an exported edition, as words by their places. Its layout is the template `edition.md.jinja`."""

from collections.abc import Sequence
from typing import Any

from app.models.guidance.sections import Introductions, Layout, Section
from app.services.guidance.importing.blocks import Block, BlockKind

SECTION_LEVEL = 2
_CAUTION, _SOURCE, _NOTE = "Caution: ", "Source: ", "Note: "
LABELS = {"change_note": "Changes: ", "owner": "Owner: ", "applies_to": "Applies to: "}
BY_TITLE = {section.entry.title: section.key for section in Section}


def words_of_page(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that an editor may have changed: no emergency numbers, and no facts of the edition itself."""
    level_two = [place for place, block in enumerate(blocks) if _is_section(block)]
    first, last = (level_two[0], level_two[-1]) if level_two else (len(blocks), len(blocks))
    top = [block for block in blocks[:first] if block.kind is not BlockKind.QUOTATION]
    labels = [block for block in blocks[last:] if block.text.startswith(tuple(LABELS.values()))]
    return [*top, *blocks[first:last], *labels]


def _is_section(block: Block) -> bool:
    return block.kind is BlockKind.HEADING and block.level == SECTION_LEVEL


class ExportPage:
    """The words of the page: `headings` of the edition, `introductions`, `cautions`, and the items of each section."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.headings: dict[str, str] = {}
        self.introductions: dict[str, str] = {}
        self.cautions: list[dict[str, str]] = []
        self._sections: dict[str, list[Block]] = {}
        section: str | None = ""
        for block in blocks:
            if _is_section(block):
                section = BY_TITLE.get(block.text)
            elif block.kind is BlockKind.HEADING:
                self.headings.setdefault("title", block.text)
            elif section == "":
                if block.kind is BlockKind.PARAGRAPH:
                    self.headings.setdefault("publisher", block.text)
            elif section is None:
                self._read_label(block)
            else:
                self._sections.setdefault(section, []).append(block)
        for key, found in self._sections.items():
            self._read_section(Section.of_key(key), found)

    def items(self, key: str, former: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
        """Return the words of each item. `former` is the data, which says which definitions have a source."""
        blocks = self._sections.get(key, [])
        if Section.of_key(key).entry.layout is Layout.QUOTATIONS:
            return _quotations(blocks, former)
        items: list[dict[str, str]] = []
        for block in blocks:
            if block.kind is BlockKind.ITEM and block.level == 1:
                items.append(_item(Section.of_key(key), block))
            elif block.kind is BlockKind.ITEM and items and block.text.startswith(_NOTE):
                items[-1]["note"] = block.text.removeprefix(_NOTE)
        return items

    def _read_label(self, block: Block) -> None:
        for name, label in LABELS.items():
            if block.text.startswith(label):
                self.headings.setdefault(name, block.text.removeprefix(label))

    def _read_section(self, section: Section, blocks: Sequence[Block]) -> None:
        if section.entry.has_cautions and not self.cautions:
            quoted = [each.text for each in blocks if each.kind is BlockKind.QUOTATION]
            self.cautions = [{"text": text.removeprefix(_CAUTION.strip()).strip()} for text in quoted]
        if section.key in Introductions.model_fields:
            words = [each.text for each in blocks if each.kind is BlockKind.PARAGRAPH]
            if words:
                self.introductions[section.key] = " ".join(words)


def _item(section: Section, block: Block) -> dict[str, str]:
    name = block.name
    if section.entry.layout is Layout.CONTACTS:
        return {"name": name}
    if "name" not in section.entry.item.model_fields:
        return {"text": block.text}
    return {"name": name, "text": block.text[len(name) :].removeprefix(":").strip()}


def _quotations(blocks: Sequence[Block], former: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return each quotation, with the words before it. A line with its source follows it."""
    items: list[dict[str, str]] = []
    waiting: list[str] = []
    for block in blocks:
        if block.kind is BlockKind.QUOTATION:
            items.append({"text": block.text} | ({"introduction": " ".join(waiting)} if waiting else {}))
            waiting = []
        elif not (items and not waiting and _is_source(block, items, former)):
            waiting.append(block.text)
        else:
            items[-1].setdefault("", block.text)
    for item in items:
        item.pop("", None)
    return items


def _is_source(block: Block, items: Sequence[dict[str, str]], former: Sequence[dict[str, Any]]) -> bool:
    """Return True if the block is the source of the last quotation: the first that looks so, where it has one."""
    if "" in items[-1] or not block.text.startswith(_SOURCE):
        return False
    place = len(items) - 1
    return place >= len(former) or "source" in former[place]
