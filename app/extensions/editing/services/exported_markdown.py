"""A reader that turns Markdown exported by this service back into the content of an edition."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from app.extensions.editing.services.documents import Block, BlockKind
from app.extensions.editing.services.placing import DEFAULTS
from app.models.base import parse_json
from app.models.guides.markdown_data import (
    END,
    HEADINGS,
    START,
    WORDS_DIGEST,
    shown_fields,
    shows_cautions,
    words_digest,
)
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import Introductions, Layout, Section

SECTION_LEVEL = 2
_CAUTION, _SOURCE, _NOTE = "Caution: ", "Source: ", "Note: "
LABELS = {"change_note": "Changes: ", "owner": "Owner: ", "applies_to": "Applies to: "}
BY_TITLE = {section.entry.title: section.key for section in Section}
REMARK = re.compile(f"^{re.escape(START)}(.*){re.escape(END)}$", re.MULTILINE)


def editable_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return what an editor may have changed: no emergency numbers, no facts at the end without one of `LABELS`."""
    level_two = [place for place, block in enumerate(blocks) if _is_section(block)]
    first, last = (level_two[0], level_two[-1]) if level_two else (len(blocks), len(blocks))
    top = [block for block in blocks[:first] if block.kind is not BlockKind.QUOTATION]
    labels = [block for block in blocks[last:] if block.text.startswith(tuple(LABELS.values()))]
    return [*top, *blocks[first:last], *labels]


def _is_section(block: Block) -> bool:
    return block.kind is BlockKind.HEADING and block.level == SECTION_LEVEL


class ExportPage:
    """An exported page, by field. `headings` has title, publisher and labelled facts."""

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
        """Return the text fields of each item. `former`, from the page's data, says which quotations have a source."""
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
    """Return each quotation, with the paragraphs before it as its introduction.

    A paragraph after it that looks like a source is skipped, unless the quotation has none in `former`: then it is
    text.
    """
    items: list[dict[str, str]] = []
    waiting: list[str] = []
    may_be_source = False
    for block in blocks:
        if block.kind is BlockKind.QUOTATION:
            may_be_source = len(items) >= len(former) or "source" in former[len(items)]
            items.append({"text": block.text} | ({"introduction": " ".join(waiting)} if waiting else {}))
            waiting = []
        elif may_be_source and not waiting and block.text.startswith(_SOURCE):
            may_be_source = False
        else:
            waiting.append(block.text)
    return items


def find_data(text: str) -> dict[str, Any] | None:
    """Return the data in the comment at the end of exported Markdown, if readable."""
    found = REMARK.findall(text)
    try:
        data = parse_json(found[-1]) if found else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def read_export(blocks: Sequence[Block], data: dict[str, Any]) -> dict[str, Any]:
    """Combine the text of the page, with an editor's changes, and its data: ids, codes and what it does not show."""
    page = ExportPage(blocks)
    content = dict(data)
    for name in HEADINGS:
        content[name] = _words(page.headings.get(name), data.get(name))
    publisher = data.get("publisher", {})
    content["publisher"] = publisher | {"name": _words(page.headings.get("publisher"), publisher.get("name"))}
    former = data.get("introductions", {})
    content["introductions"] = {
        name: _words(page.introductions.get(name), former.get(name)) if data.get(name) else former.get(name)
        for name in Introductions.model_fields
    }
    for key in (section.key for section in Section):
        content[key] = _items(key, page.items(key, data.get(key, [])), data.get(key, []))
    if shows_cautions(content):
        content["cautions"] = _items("cautions", page.cautions, data.get("cautions", []))
    return content


def _words(shown: str | None, whole: str | None) -> str | None:
    """Return `whole`, with its line breaks, if `shown` has the same letters and digits; otherwise `shown`."""
    same = whole is not None and words_digest(shown) == words_digest(whole)
    return whole if same else shown or None


def _items(key: str, shown: Sequence[dict[str, str]], former: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Combine each item with the data of the former one with the same text, or at the same position.

    The latter only if page and data have as many items. A new item gets an id from its name or text, and `DEFAULTS`.
    """
    fields = shown_fields(key)
    digests = [words_digest(*(each.get(name) for name in fields)) for each in shown]
    by_words: dict[str, list[dict[str, Any]]] = {}
    for each in former:
        by_words.setdefault(each.get(WORDS_DIGEST, ""), []).append(each)
    found = [by_words[digest].pop(0) if by_words.get(digest) else None for digest in digests]
    if len(shown) == len(former):
        used = {id(item) for item in found}
        found = [item or (other if id(other) not in used else None) for item, other in zip_longest(found, former)]
    items: list[dict[str, Any]] = []
    taken = {other["id"] for other in former}
    for words, item, digest in zip(shown, found, digests, strict=True):
        data = item or {"id": propose_id(words.get("name") or words["text"], taken)} | DEFAULTS.get(key, {})
        taken.add(data["id"])
        is_whole = any(name in data for name in fields) and (
            data.get(WORDS_DIGEST) == digest or not any(words.values())
        )
        left_out = {WORDS_DIGEST} if is_whole else {WORDS_DIGEST, *fields}
        items.append(
            {name: value for name, value in data.items() if name not in left_out} | ({} if is_whole else words)
        )
    return items
