"""The placement of a document's blocks in the sections of an edition, by headings and typical words."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS, Introductions
from app.services.guides.documents import Block, BlockKind, one_line
from app.services.guides.written_contacts import find_contact

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
"""Each section with a pattern for its headings. The first section whose pattern matches is used."""
LIST_STARTS = SECTIONS[:3]
LIST_SECTIONS = frozenset(key for key, _ in LIST_STARTS)
CAUTION_WORDS = re.compile(
    r"(?i)\babsence of\b|do(?:es)? not (?:always |necessarily |by (?:itself|themselves) )?(?:mean|prove)|"
    r"not exhaustive|relies on a full|not a checklist"
)
WORDLESS = re.compile(r"(?:\b(?:and/or|and|or|Option|option|Caution)\b|[\W_]|\b[a-z]\b)+")
_JOINING = re.compile(r"\b(?:and|or)\b")
_CLAUSES = re.compile(r"(?<=[.!?:])\s+")
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z‘“])")
JOINED = re.compile(r";\s*(?:and/or\s+|and\s+|or\s+)?")
NAMED = re.compile(r"^([^:.]{2,60}):\s+(\S.*)$")
CITATION = re.compile(
    r"^(?P<publisher>[^,]+), (?P<published>[^.]*\d{4})\. (?P<title>.+?),? (?:available )?(?:at|from):? (?P<url>\S+)$"
)
DEFINES = re.compile(r"^(.{3,150}? (?:is|as follows):)(?: (.+))?$")
_ENDS = (".", ":", ";", ",", "!", "?")
DEFAULTS = {"indicators": {"kind": "potential_indicator"}, "definitions": {"kind": "local"}}


def _section_of(words: str, sections: Sequence[tuple[str, re.Pattern[str]]] = SECTIONS) -> str | None:
    return next((key for key, pattern in sections if pattern.search(words)), None)


def find_missing(blocks: Sequence[Block], draft: dict[str, Any]) -> list[str]:
    """Return every sentence of `blocks` that is not completely in `draft`."""
    texts = _longest_first(draft)
    begun = _not_placed([block.text for block in blocks], texts)
    return _not_placed([sentence for text in begun for sentence in _CLAUSES.split(text)], texts)


def has_every_word(item: dict[str, Any], text: str) -> bool:
    """Return True if the texts of `item` contain every word of `text`, apart from `and` and `or`."""
    for each in _longest_first(item):
        text = text.replace(each, " ", 1)
    return not re.search(r"\w", _JOINING.sub(" ", text))


def _longest_first(value: dict[str, Any]) -> list[str]:
    return sorted({one_line(each) for each in _texts(value)} - {""}, key=len, reverse=True)


def _not_placed(passages: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the passages that have words, apart from joining words, which are not in `texts`.

    `texts` are the texts of the draft, the longest first. Each text is removed from all passages at once, because a
    document may have thousands of passages and texts.
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


class Placing:
    """A draft that grows block by block. `draft` is the content so far, which may have errors."""

    def __init__(self) -> None:
        self.draft: dict[str, Any] = {"title": "", "introductions": {}} | {key: [] for key in ITEM_LISTS}
        self._section: str | None = "definitions"
        """The key of the current section, or None below a heading that ends a list section and names no section.

        Text below such a heading must not become an indicator by mistake.
        """
        self._level = 0
        """Level of the heading at which the section began."""
        self._heading = "\n"
        self._before = ""
        """Name of the next responsibility, or introduction to the next definition."""
        self._ids: dict[str, set[str]] = {key: set() for key in ITEM_LISTS}
        self._above: list[Block] = []
        """The last list entry, preceded by the entries that contain it, outermost first."""

    def add(self, block: Block) -> None:
        """Add the text of `block` to the draft. Leave out text without a place, which `find_missing` finds later."""
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
        """Add a list entry to `section` as an item.

        An entry that contains other entries is not an item: its text is put before the text of each contained entry.
        """
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
    """Return the bold text at the beginning of `block`, and the rest of its text.

    Both are empty strings if the block does not begin in bold.
    """
    if not block.name or not block.text.startswith(block.name):
        return "", ""
    return block.name.rstrip(" .:–-"), block.text.removeprefix(block.name).lstrip(" .:–-")


def _joined(entries: Sequence[Block]) -> str:
    *above, last = entries
    return "".join(f"{each.text.rstrip(':')}: " for each in above) + last.text
