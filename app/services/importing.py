"""A draft of an edition, made from a document, or read back from the Markdown that this service exports."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.errors import SeedError, SeedFileError
from app.models.base import parse_json
from app.models.documents import END, HEADINGS, START, WORDS_DIGEST, shown_fields, shows_cautions, words_digest
from app.models.edition_files import place_items, propose_id
from app.models.editions import EditionContent
from app.models.sections import ITEM_LISTS, Introductions, Layout, Section
from app.services.documents import (
    MAX_BLOCKS,
    TOO_LONG,
    Block,
    BlockKind,
    find_contact,
    markdown_blocks,
    one_line,
    word_blocks,
)
from app.services.editions import EditionHead
from app.services.guide_documents import ShownEdition
from app.services.markdown import edition_markdown

SECTIONS = (
    ("linked_risks", re.compile(r"(?i)linked|goes with|other harms|related (?:harms|risks)")),
    ("indicators", re.compile(r"(?i)indicator|\bsigns?\b|look (?:out )?for|symptom|spot")),
    ("factors", re.compile(r"(?i)vulnerab|susceptible|risk factor|more at risk|who is at risk")),
    ("contacts", re.compile(r"(?i)who to (?:call|contact)|contact|worried|get help|refer|telephone|report")),
    (
        "responsibilities",
        re.compile(
            r"(?i)need to do|what to do|responsib|(?:should|must|can) (?:(?:i|we|you|they|staff) )?do\b|your role|"
            r"respond|action|how (?:to|you can|can (?:i|we|you)) help|next steps"
        ),
    ),
    ("cautions", re.compile(r"(?i)caution|remember|bear in mind|please note")),
    ("definitions", re.compile(r"(?i)what is|what it is|what are|definition|about|overview|background")),
)
"""The sections, each with what a heading for it says. The first that fits counts."""
LIST_STARTS = SECTIONS[:3]
LIST_SECTIONS = frozenset(key for key, _ in LIST_STARTS)
CAUTION_WORDS = re.compile(
    r"(?i)\babsence of\b|do(?:es)? not (?:always |necessarily |by (?:itself|themselves) )?(?:mean|prove)|"
    r"not exhaustive|relies on a full|not a checklist"
)


def _section_of(words: str, sections: Sequence[tuple[str, re.Pattern[str]]] = SECTIONS) -> str | None:
    return next((key for key, pattern in sections if pattern.search(words)), None)


WORDLESS = re.compile(r"(?:\b(?:and/or|and|or|Option|option|Caution)\b|[\W_]|\b[a-z]\b)+")
_JOINING = re.compile(r"\b(?:and|or)\b")
_CLAUSES = re.compile(r"(?<=[.!?:])\s+")


def find_missing(blocks: Sequence[Block], draft: dict[str, Any]) -> list[str]:
    """Return every sentence of the document of which the draft does not have every word."""
    texts = _longest_first(draft)
    begun = _not_placed([block.text for block in blocks], texts)
    return _not_placed([sentence for text in begun for sentence in _CLAUSES.split(text)], texts)


def has_every_word(item: dict[str, Any], text: str) -> bool:
    """Return whether the item has every word of the text, but for those that join others."""
    for each in _longest_first(item):
        text = text.replace(each, " ", 1)
    return not re.search(r"\w", _JOINING.sub(" ", text))


def _longest_first(value: dict[str, Any]) -> list[str]:
    return sorted({one_line(each) for each in _texts(value)} - {""}, key=len, reverse=True)


def _not_placed(passages: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the passages of which more is left than what joins words, without each of the texts of the draft.

    The texts are taken out of all passages at once: a document may have thousands of both.
    """
    known, all_texts = frozenset(texts), "\n".join(texts)
    open_ = [each for each in passages if each not in known]
    left = "\n".join(open_)
    for each in texts:
        left = left.replace(each, "\0")
    pairs = zip(open_, left.split("\n"), strict=False)
    return [passage for passage, rest in pairs if WORDLESS.sub("", rest) and passage not in all_texts]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in ("id", "kind"):
                yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value


_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z‘“])")
JOINED = re.compile(r";\s*(?:and/or\s+|and\s+|or\s+)?")
NAMED = re.compile(r"^([^:.]{2,60}):\s+(\S.*)$")
CITATION = re.compile(
    r"^(?P<publisher>[^,]+), (?P<published>[^.]*\d{4})\. (?P<title>.+?),? (?:available )?(?:at|from):? (?P<url>\S+)$"
)
DEFINES = re.compile(r"^(.{3,150}? (?:is|as follows):)(?: (.+))?$")
_ENDS = (".", ":", ";", ",", "!", "?")
DEFAULTS = {"indicators": {"kind": "potential_indicator"}, "definitions": {"kind": "local"}}


class Placing:
    """A draft that grows block by block. `draft` is the content, which may still have faults."""

    def __init__(self) -> None:
        self.draft: dict[str, Any] = {"title": "", "introductions": {}} | {key: [] for key in ITEM_LISTS}
        self._section: str | None = "definitions"
        """None below a heading that names no section, where words would become signs that nobody meant."""
        self._level = 0
        """The level of the heading with which the section began."""
        self._heading = "\n"
        self._before = ""
        """The name of the next responsibility, or the words before the next definition."""
        self._ids: dict[str, set[str]] = {key: set() for key in ITEM_LISTS}
        self._above: list[Block] = []
        """The entries of a list above the one that is placed now, each deeper than the one before."""

    def add(self, block: Block) -> None:
        """Place the block. What has no place is found later, by comparing words."""
        if block.kind is BlockKind.MARGIN or not block.text:
            return
        if block.kind is not BlockKind.ITEM:
            self._above = []
        if not self.draft["title"]:
            self.draft["title"] = block.text
        elif block.kind is BlockKind.HEADING:
            self._start(block)
        elif CAUTION_WORDS.search(block.text):
            for sentence in _SENTENCES.split(block.text):
                self._append("cautions", {"text": sentence.removeprefix("Caution: ")})
        else:
            self._add_words(block)

    def _start(self, heading: Block) -> None:
        named, self._before = _section_of(heading.text), ""
        if named:
            self._section, self._level = named, heading.level
        elif self._section in LIST_SECTIONS and heading.level <= self._level:
            self._section = None
        elif self._section == "definitions":
            self._before = heading.text
        self._introduce(self._section, heading.text)
        self._heading = heading.text

    def _add_words(self, block: Block) -> None:
        citation, contact = CITATION.match(block.text), find_contact(block)
        begun, colon, rest = block.text.partition(":")
        starts = _section_of(begun, LIST_STARTS) if colon and block.kind is not BlockKind.ITEM else None
        if citation and self.draft["definitions"]:
            self._cite(citation)
        elif contact is not None:
            self._append("contacts", contact)
            if not has_every_word(contact, block.text):
                self._introduce("contacts", block.text)
        elif starts and not DEFINES.match(block.text):
            self._section = starts
            self._introduce(starts, begun + colon)
            for text in filter(None, JOINED.split(rest.strip())):
                self._append(starts, {"text": text})
        elif self._section is not None:
            self._add_to(self._section, block)

    def _add_to(self, section: str, block: Block) -> None:
        if section == "definitions":
            self._define(block.text)
        elif section == "responsibilities":
            self._add_responsibility(block)
        elif block.kind is BlockKind.ITEM:
            self._add_entry(section, block)
        elif section == "cautions":
            self._append(section, {"text": block.text})
        else:
            self._introduce(section, block.text)

    def _add_entry(self, section: str, block: Block) -> None:
        """Add an entry of a list. An entry with entries below it is no item: its words go before each of theirs."""
        while self._above and self._above[-1].level >= block.level:
            self._above.pop()
        items = self.draft[section]
        if self._above and items and items[-1]["text"] == _joined(self._above):
            self._ids[section].discard(items.pop()["id"])
        self._above.append(block)
        self._append(section, {"text": _joined(self._above)})

    def _define(self, text: str) -> None:
        introduction = DEFINES.match(text)
        if introduction and not introduction[2]:
            self._before = text
        elif introduction or self._before or not self.draft["definitions"]:
            words = introduction[2] if introduction else text
            before = introduction[1] if introduction else self._before
            self._append("definitions", {"text": words} | ({"introduction": before} if before else {}))
            self._before = ""
        else:
            before = self.draft["definitions"][-1]["text"]
            self.draft["definitions"][-1]["text"] = f"{before}{'' if before.endswith(_ENDS) else ';'} {text}"

    def _cite(self, citation: re.Match[str]) -> None:
        url = citation["url"] if citation["url"].startswith("http") else f"https://{citation['url']}"
        source = {"citation": citation[0]} | citation.groupdict() | {"url": url}
        self.draft["definitions"][-1] |= {"kind": "statutory", "source": source}

    def _add_responsibility(self, block: Block) -> None:
        named = NAMED.match(block.text)
        bold, rest = _bold_beginning(block)
        if block.text.endswith(":") and block.kind is not BlockKind.ITEM:
            self._before = block.text.removesuffix(":")
        elif named:
            self._append("responsibilities", {"name": named[1], "text": named[2]})
        elif bold and rest and not self._before:
            self._append("responsibilities", {"name": bold, "text": rest})
        elif self._before or block.kind is BlockKind.ITEM:
            self._append("responsibilities", {"name": self._before, "text": block.text})
        else:
            self._introduce("responsibilities", block.text)

    def _introduce(self, section: str | None, words: str) -> None:
        if section in Introductions.model_fields:
            before = self.draft["introductions"].get(section)
            mark = "" if not before or before.endswith(_ENDS) else ":" if before.endswith(self._heading) else "."
            self.draft["introductions"][section] = f"{before}{mark} {words}" if before else words

    def _append(self, section: str, item: dict[str, Any]) -> None:
        items: list[dict[str, Any]] = self.draft[section]
        proposed = propose_id(item.get("name") or item["text"], self._ids[section])
        self._ids[section].add(proposed)
        items.append({"id": proposed} | item | DEFAULTS.get(section, {}))


def _bold_beginning(block: Block) -> tuple[str, str]:
    """Return the bold words with which the block begins, and the rest; both empty where it is not so."""
    if not block.name or not block.text.startswith(block.name):
        return "", ""
    return block.name.rstrip(" .:–-"), block.text.removeprefix(block.name).lstrip(" .:–-")


def _joined(entries: Sequence[Block]) -> str:
    *above, last = entries
    return "".join(f"{each.text.rstrip(':')}: " for each in above) + last.text


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
    """The text of the page: `headings` of the edition, `introductions`, `cautions` and the items of each section."""

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
    """Return each quotation, with the words before it. After it comes its source, if the data has one: it looks so."""
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


REMARK = re.compile(f"^{re.escape(START)}(.*){re.escape(END)}$", re.MULTILINE)


def find_data(text: str) -> dict[str, Any] | None:
    """Return the data at the end of the Markdown, or None if it has none that can be read."""
    found = REMARK.findall(text)
    try:
        data = parse_json(found[-1]) if found else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def read_export(blocks: Sequence[Block], data: dict[str, Any]) -> dict[str, Any]:
    """Return the content: the words of the page, also where an editor changed them, with the data of each item."""
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
    """Return the words of the page, or those of the data where they are the same but for what a page cannot show."""
    same = whole is not None and words_digest(shown) == words_digest(whole)
    return whole if same else shown or None


def _items(key: str, shown: Sequence[dict[str, str]], former: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items that the page shows, each with the data of the item that had its words, or its place."""
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


NO_TIME = dt.datetime.min.replace(tzinfo=dt.UTC)
_MARKDOWN, _WORD = ".md", ".docx"
FIRST = {"title": "", "publisher": {"name": ""}, "change_note": "First edition."}


@dataclass(frozen=True)
class GuideDraft:
    """The content of a draft, which may still have faults, and the sentences of the document that it does not have."""

    content: dict[str, Any]
    not_placed: tuple[str, ...]


def _read_blocks(path: Path) -> list[Block]:
    kind = path.suffix.lower()
    if kind not in (_MARKDOWN, _WORD):
        raise SeedFileError(path, [SeedError(0, "the document must be Word (.docx) or Markdown (.md)")])
    try:
        blocks = word_blocks(path) if kind == _WORD else markdown_blocks(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SeedFileError(path, [SeedError(0, "there is no such file")]) from None
    except UnicodeDecodeError:
        raise SeedFileError(path, [SeedError(0, "the file must be UTF-8")]) from None
    if len(blocks) > MAX_BLOCKS:
        raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    return blocks


def draft_of(path: Path) -> GuideDraft:
    """Return the draft that the document makes. Raise `SeedFileError` if it cannot be read.

    The Markdown that this service exports is read back.
    """
    blocks = _read_blocks(path)
    data = find_data(path.read_text(encoding="utf-8")) if path.suffix.lower() == _MARKDOWN else None
    if data is not None:
        return _draft_of_export(blocks, data)
    placing = Placing()
    for block in blocks:
        placing.add(block)
    words = placing.draft
    if sum(len(words[key]) for key in ITEM_LISTS) > MAX_BLOCKS:  # a paragraph may have any number of entries
        raise SeedFileError(path, [SeedError(0, TOO_LONG)])
    source = {
        "title": words["title"],
        "publisher": "",
        "document": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    return GuideDraft(FIRST | {"source": source} | words, tuple(find_missing(blocks, words)))


def _draft_of_export(blocks: list[Block], data: dict[str, Any]) -> GuideDraft:
    """Return the draft, and each block of the page that the draft's own page does not have."""
    content = read_export(blocks, data)
    filled = deepcopy(content)
    place_items(filled)
    try:
        page = {block.text for block in markdown_blocks(draft_page(EditionContent.model_validate(filled)))}
    except ValidationError:  # `guidance check` says what an editor has to correct; what is missing, only words can say
        return GuideDraft(content, tuple(find_missing(words_of_page(blocks), content)))
    return GuideDraft(content, tuple(block.text for block in words_of_page(blocks) if block.text not in page))


def draft_page(content: EditionContent) -> str:
    """Return the content as Markdown. The facts of the edition itself are not compared, so any do."""
    head = EditionHead("draft", 1, NO_TIME, "", content.title, content.change_note, None, None)
    return edition_markdown(ShownEdition(head, content), (), "").decode()
