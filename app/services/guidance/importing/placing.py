"""The blocks of a document placed into the sections of a draft."""

import re
from collections.abc import Sequence
from typing import Any

from app.models.guidance.proposed_ids import propose_id
from app.models.guidance.sections import ITEM_LISTS, Introductions
from app.services.guidance.importing.blocks import Block, BlockKind
from app.services.guidance.importing.found_contacts import find_contact
from app.services.guidance.importing.headings import CAUTION_WORDS, LIST_SECTIONS, list_section_of, section_of
from app.services.guidance.importing.missing_words import has_every_word

_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z‘“])")
JOINED = re.compile(r";\s*(?:and/or\s+|and\s+|or\s+)?")
NAMED = re.compile(r"^([^:.]{2,60}):\s+(.+)$")
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
        named, self._before = section_of(heading.text), ""
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
        starts = list_section_of(begun) if colon and block.kind is not BlockKind.ITEM else None
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
            items.pop()
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
        taken = {each["id"] for each in items}
        words = item.get("name") or item["text"]
        items.append({"id": propose_id(words, taken)} | item | DEFAULTS.get(section, {}))


def _bold_beginning(block: Block) -> tuple[str, str]:
    """Return the bold words with which the block begins, and the rest; both empty where it is not so."""
    if not block.name or not block.text.startswith(block.name):
        return "", ""
    return block.name.rstrip(" .:–-"), block.text.removeprefix(block.name).lstrip(" .:–-")


def _joined(entries: Sequence[Block]) -> str:
    *above, last = entries
    return "".join(f"{each.text.rstrip(':')}: " for each in above) + last.text
