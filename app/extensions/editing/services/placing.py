"""The draft of an edition from the blocks of a document, which are put into sections by headings and typical words."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from app.extensions.editing.services.documents import Block, BlockKind, one_line
from app.extensions.editing.services.written_contacts import find_contact
from app.extensions.editing.services.written_values import read_day
from app.models.guides.contacts import ContactKind
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS, Introductions
from app.services.clock.working_hours import read_hours
from app.services.guides.written_phones import OPTION

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
"""Each section with a pattern for its headings. The first that matches counts."""
FURTHER = re.compile(
    r"(?i)^(?:further|other|useful|more|related) (?:reading|information|guidance|links|websites|resources|documents)\b|"
    r"^(?:references?|resources|bibliography|sources|links|find out more|read more)\s*(?:$|:)"
)
"""Headings above documents to read. Addresses below are no contacts.

Other text below is placed only if its own words say where.
"""
_VALUE = r"(?: ?[:–-] ?| )(\S.*)"
DETAILS = {
    "publisher": re.compile(rf"(?i)^(?:published by|produced by|issued by|publisher(?= ?[:–-])){_VALUE}"),
    "owner": re.compile(rf"(?i)^(?:owned by|(?:document |policy |guide )?(?:owner|author|lead)(?= ?[:–-])){_VALUE}"),
    "applies_to": re.compile(rf"(?i)^applies to{_VALUE}"),
    "review_by": re.compile(
        rf"(?i)^(?:(?:next )?review(?: date| due)?(?: by| on)?|(?:due|to be reviewed)(?: for review)?(?: by| on)?|"
        rf"date (?:of|for) (?:next )?review){_VALUE}"
    ),
}
"""Lines above the first heading that fill a field. The group is the value."""
VERSION = re.compile(r"(?i)^(?:version|issue|draft|date|(?:last )?updated|v[0-9])\b")
ABOVE, HEADING = "above the first heading", "a heading"
_PARTS = re.compile("[|;•·]")
MAX_NAMING_WORDS = 7
"""Most words in a line that is taken for a heading although the document does not mark it."""
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


def _names_section(words: str) -> bool:
    """Short, and without punctuation or with a colon at its end."""
    is_short = len(words.split()) <= MAX_NAMING_WORDS and not words.rstrip(":").endswith(_ENDS)
    return is_short and not DEFINES.match(words) and bool(FURTHER.match(words) or _section_of(words))


def find_missing(blocks: Sequence[Block], draft: dict[str, Any], read: Sequence[str] = ()) -> list[str]:
    """Return each sentence that is not wholly in `draft`, in order. Sentences of `read` are in it in another form."""
    texts = _longest_first({"draft": draft, "read": list(read)})
    begun = _not_placed([block.text for block in blocks], texts)
    return _not_placed([sentence for text in begun for sentence in _CLAUSES.split(text)], texts)


def has_every_word(item: dict[str, Any], text: str) -> bool:
    """Return True if `text`, without the texts of `item`, has no words but `and` and `or`."""
    for each in _longest_first(item):
        text = text.replace(each, " ", 1)
    return not re.search(r"\w", _JOINING.sub(" ", text))


def _longest_first(value: dict[str, Any]) -> list[str]:
    return sorted({one_line(each) for each in _texts(value)} - {""}, key=len, reverse=True)


def _not_placed(passages: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return passages with words that are not in `texts`, apart from joining words.

    Each text, the longest first, is removed from all passages at once: there may be thousands of both.
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
    """A draft that grows block by block, and may have errors."""

    def __init__(self, title: Block | None = None) -> None:
        """Without a title the first block is taken for it. Lines above the title are not in the draft."""
        self._title = title
        self.origins: list[tuple[str, str]] = []
        """The text of each block, and its place in the document."""
        self._heading = ""
        self.draft: dict[str, Any] = {"title": "", "introductions": {}} | {key: [] for key in ITEM_LISTS}
        self._section: str | None = "definitions"
        """None below a heading without a section: its text must not become an indicator by mistake."""
        self._level = 0
        """Level of the heading at which the section began."""
        self._before = ""
        """Name of the next responsibility, or introduction to the next definition."""
        self._ids: dict[str, set[str]] = {key: set() for key in ITEM_LISTS}
        self.read: list[str] = []
        """Passages in the draft in another form."""
        self.unread: list[str] = []
        """Parts of lines above the first heading that filled no field, although another part did."""
        self._has_headings = False
        self._is_above_headings = True
        self._is_further = False
        self._above: list[Block] = []
        """The last list entry after the entries that contain it, outermost first."""

    def add(self, block: Block) -> None:
        """Text without a place is left out, and listed by `find_missing`."""
        below = f"below ‘{self._heading}’" if self._heading else ABOVE
        self.origins.append((block.text, block.place or (HEADING if block.kind is BlockKind.HEADING else below)))
        if block.kind is BlockKind.MARGIN or not block.text:
            return
        if block.kind is not BlockKind.ITEM:
            self._above = []
        forms = () if block.kind is BlockKind.HEADING else (VERSION, *DETAILS.values())
        is_detail = any(each.match(block.text) for each in forms)
        if not self.draft["title"] and not is_detail:
            self.draft["title"] = block.text if self._title in (None, block) else ""
        elif self._is_heading(block):
            self._start(block)
        elif self._is_above_headings and self._reads_details(block.text):
            return
        elif CAUTION_WORDS.search(block.text):
            for sentence in _SENTENCES.split(block.text):
                self._append("cautions", {"text": sentence.removeprefix("Caution: ")})
        else:
            self._add_words(block)

    def _is_heading(self, block: Block) -> bool:
        """Return True also for a short line that names a section before any heading was found. A heading is noted."""
        self._has_headings |= block.kind is BlockKind.HEADING
        is_line = block.kind is BlockKind.PARAGRAPH and not block.cells and not self._has_headings
        return block.kind is BlockKind.HEADING or (is_line and _names_section(block.text))

    def _reads_details(self, text: str) -> bool:
        """Fill fields that `text` names.

        False for a sentence, True also for any other line: above the headings it is no text of the guide.
        """
        parts = [part.strip() for part in _PARTS.split(text)]
        others = [part for part in parts if not self._reads_detail(part)]
        if len(others) < len(parts):
            self.read.append(text)
            self.unread += others
            return True
        return not (text.endswith(_ENDS) or _SENTENCES.search(text) or CITATION.match(text))

    def _reads_detail(self, part: str) -> bool:
        field, match = next(((key, found) for key, form in DETAILS.items() if (found := form.match(part))), ("", None))
        value = match[1].strip(" .") if match else ""
        day = read_day(value) if field == "review_by" else None
        if not value or (field == "review_by" and day is None):
            return False
        self.draft[field] = {"name": value} if field == "publisher" else day.isoformat() if day else value
        return True

    def _start(self, heading: Block) -> None:
        self._is_above_headings, self._heading = False, heading.text
        self._is_further = FURTHER.match(heading.text) is not None
        named, self._before = None if self._is_further else _section_of(heading.text), ""
        if self._is_further:
            self._section = None
            return
        if named:
            self._section, self._level = named, heading.level
        elif self._section in LIST_SECTIONS and heading.level <= self._level:
            self._section = None
        elif self._section == "definitions":
            self._before = heading.text
        self._introduce(self._section, heading.text)

    def _add_words(self, block: Block) -> None:
        citation, contact = CITATION.match(block.text), self._find_contact(block)
        begun, colon, rest = block.text.partition(":")
        starts = _section_of(begun, LIST_STARTS) if colon and block.kind is not BlockKind.ITEM else None
        if citation and self.draft["definitions"]:
            self._cite(citation)
        elif contact is not None:
            self._add_contact(contact, block.text)
        elif starts and not DEFINES.match(block.text):
            self._section = starts
            self._introduce(starts, begun + colon)
            for text in filter(None, JOINED.split(rest.strip())):
                self._append(starts, {"text": text})
        elif self._section is not None:
            self._add_to(self._section, block)

    def _find_contact(self, block: Block) -> dict[str, Any] | None:
        """An address without a number counts only in `contacts` and `responsibilities`; none below `FURTHER`."""
        if self._is_further or FURTHER.match(block.text):
            return None
        contact = find_contact(block)
        is_link = contact is not None and contact["kind"] == ContactKind.WEB
        return None if is_link and self._section not in ("contacts", "responsibilities") else contact

    def _add_contact(self, contact: dict[str, Any], text: str) -> None:
        """Move words of `text` that the contact lacks to the introduction."""
        option = OPTION.search(text)
        read = [option[0]] if option and contact.get("phones") else []
        if has_every_word(contact | {"read": read}, text):
            self.read += read
        else:
            self._introduce("contacts", text)
        self._append("contacts", self._with_hours(contact))

    def _with_hours(self, contact: dict[str, Any]) -> dict[str, Any]:
        """Parse the hours if `when` says only days and times."""
        when = contact.get("when", "")
        hours = [each.model_dump(mode="json") for each in read_hours(when)]
        if not hours:
            return contact
        self.read.append(when)
        return {key: value for key, value in contact.items() if key != "when"} | {"opening_hours": hours}

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
        """An entry that contains others is no item: its text is put before theirs."""
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
            last = self.draft["definitions"][-1]
            last["text"] = _appended(last["text"], text)

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
            introductions = self.draft["introductions"]
            introductions[section] = _appended(introductions[section], words) if section in introductions else words

    def _append(self, section: str, item: dict[str, Any]) -> None:
        items: list[dict[str, Any]] = self.draft[section]
        proposed = propose_id(item.get("name") or item["text"], self._ids[section])
        self._ids[section].add(proposed)
        items.append({"id": proposed} | item | DEFAULTS.get(section, {}))


def _bold_beginning(block: Block) -> tuple[str, str]:
    """Return the bold beginning and the rest. Both are empty if the block does not begin in bold."""
    if not block.name or not block.text.startswith(block.name):
        return "", ""
    return block.name.rstrip(" .:–-"), block.text.removeprefix(block.name).lstrip(" .:–-")


def _joined(entries: Sequence[Block]) -> str:
    return reduce(_appended, (each.text for each in entries))


def _appended(before: str, text: str) -> str:
    """Join with a space after punctuation, otherwise with a line break."""
    return f"{before}{' ' if before.endswith(_ENDS) else chr(10)}{text}"
