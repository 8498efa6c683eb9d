"""The files of editions and renditions as editors write them, and their faults in an editor's words.

An edition's file may leave positions out.
"""

import datetime as dt
import io
import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import EnumType
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from app.errors import CodedValueError, FaultCode, FieldError, Location, SeedError, SeedFileError
from app.models.base import SLUG_PATTERN, digest_of, without_empty_members
from app.models.editions import LEFT_OUT, SCHEMA_LINE, EditionContent
from app.models.fields import drop_consequent_errors, member_reader, model_at
from app.models.renditions import RenditionContent
from app.models.sections import CAUTIONS, ITEM_LISTS, NO_CAUTIONS, Section, lacks_cautions
from app.models.seed_files import FileTree, read_tree, reason_of

MAX_WORDS = 6
MAX_LENGTH = 60
SMALL_WORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to"}
)


def propose_id(words: str, taken: Container[str] = ()) -> str:
    """Return a slug of the first telling words, with a number after it where the slug is taken."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower().replace("'", "")
    found = re.findall(r"[a-z0-9]+", plain)
    telling = [word for word in found if word not in SMALL_WORDS] or found or ["item"]
    slug = "-".join(telling[:MAX_WORDS])
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rpartition("-")[0] or slug[:MAX_LENGTH]
    return slug if slug not in taken else f"{slug}-{_free_number(slug, taken)}"


def _free_number(slug: str, taken: Container[str]) -> int:
    """Return a number after which the slug is free; the first one, if those before it were given in turn."""

    def is_free(number: int) -> bool:
        return f"{slug}-{number}" not in taken

    free = 2
    while not is_free(free):
        free *= 2
    return 2 + bisect_left(range(2, free), True, key=is_free)


SINGULAR = {
    "linked_risks": "linked risk",
    "responsibilities": "responsibility",
    "related_codes": "related code",
    "opening_hours": "entry of the opening hours",
    "days": "day",
}
_NEEDS = {
    "text": "some text",
    "name": "a name",
    "title": "a title",
    "publisher": "a publisher",
    "change_note": "a change note: what this edition changes, in a sentence for readers",
    "contacts": "a contact: who to call",
    "number": "a number, such as +441632960001",
    "display": "`display`: the number as people read it, such as 01632 960001",
}
"""What to say of a key that is missing or empty."""
_FORMS = {
    "id": "an id is lower-case words joined by hyphens, such as `missing-from-home`",
    "number": "a number is in the international form without spaces, such as +441632960001, or short, such as 999",
    "email": "an email address is like duty@council.example",
    "text_relay": "a text relay number is 18001 and then the number, such as 18001 01632 960001",
    "postcode": "a postcode is in capitals with its space, such as ZZ99 9ZZ",
    "opens": "a time is like 08:30",
    "closes": "a time is like 17:00",
    "gss_code": "a GSS code is a letter and eight digits, such as E06000022",
    "urn": "a URN is six digits in quotes",
    "sha256": "this is the SHA-256 of the document: 64 digits and letters from a to f",
}
"""How a value must be written."""


def place_in_words(at: Location) -> str:
    """Return the place as an editor names it: `Contact 1, phone 2`, or `the file`."""
    words = [f"{singular(str(name))} {index + 1}" for name, index in pairwise(at) if isinstance(index, int)]
    if not words:
        groups = [each for each in at if isinstance(each, str)]
        return f"`{groups[0]}`" if groups else "the file"
    return ", ".join(words).capitalize() if len(words) == 1 else f"{words[0].capitalize()}, {', '.join(words[1:])}"


def sentence_at(at: Location, reason: str) -> str:
    """Return the reason after its place, as an editor names it."""
    return f"{place_in_words(at)}: {reason}" if at else reason


def singular(key: str) -> str:
    """Return the word for one entry of the list of that key."""
    return SINGULAR.get(key, key.removesuffix("s").replace("_", " "))


def fault_in_words(error: ErrorDetails, value: Any) -> str:
    """Return an error of the model as a sentence. `value` is that of the whole file."""
    at, kind = error["loc"], error["type"]
    key = str(at[-1]) if at else ""
    if kind == "extra_forbidden":
        return _unknown_key(at)
    owner, found = place_in_words(at[:-1]), _value_at(value, at)
    if kind in ("missing", "string_too_short") or (found is None and kind == "string_type"):
        return f"{owner} needs {_needed(at, _value_at(value, at[:-1]))}"
    if kind == "string_pattern_mismatch" and key in _FORMS:
        return f"{owner}: `{key}` cannot be read: {_FORMS[key]}{_international(key, found)}"
    if kind in ("enum", "literal_error"):
        return f"{_named(at)} must be {error['ctx']['expected']}"
    if kind == "value_error":
        return _refused(error)
    return f"{_named(at)} {reason_of(error)}"


def _named(at: Location) -> str:
    """Return an entry of a list as an editor counts it, and a key with its owner: `Contact 1: `kind``."""
    return f"{place_in_words(at[:-1])}: `{at[-1]}`" if at and isinstance(at[-1], str) else place_in_words(at)


def _unknown_key(at: Location) -> str:
    meant = _meant(at)
    of = place_in_words(at[:-1])
    hint = f"Did you mean `{meant}`?" if meant else f"It may have: {', '.join(_keys_at(at[:-1]))}."
    return f"{of} has the key `{at[-1]}`, which is not known here. {hint}"


def _meant(at: Location) -> str | None:
    return next(iter(get_close_matches(str(at[-1]), _keys_at(at[:-1]), n=1)), None)


def _keys_at(at: Location) -> list[str]:
    model = model_at(EditionContent, at)
    return list(model.model_fields) if model is not None else []


def _needed(at: Location, owner: Any) -> str:
    key = str(at[-1]) if at else ""
    if key != "id":
        return _NEEDS.get(key, f"`{key}`") + _choices(at)
    words = owner.get("name") or owner.get("text") if isinstance(owner, dict) else None
    proposed = propose_id(words) if isinstance(words, str) else "missing-from-home"
    return f"an id, such as `id: {proposed}`"


def _choices(at: Location) -> str:
    """Return what the value may be, where there are only a few."""
    model = model_at(EditionContent, at[:-1])
    kind = model.model_fields[str(at[-1])].annotation if model is not None and at[-1] in model.model_fields else None
    *others, last = [f"`{each.value}`" for each in kind] if isinstance(kind, EnumType) else [""]
    return f": {', '.join(others)} or {last}" if others else ""


def _international(key: str, found: Any) -> str:
    """Return how a number of the United Kingdom is written, where it was written as people read it."""
    digits = re.sub(r"[\s()-]", "", found) if key == "number" and isinstance(found, str) else ""
    return f". Write +44{digits[1:]}" if re.fullmatch(r"0[1-9][0-9]{8,9}", digits) else ""


def _refused(error: ErrorDetails) -> str:
    at, reason = error["loc"], error["ctx"]["error"]
    code = reason.code if isinstance(reason, CodedValueError) else None
    if code is FaultCode.OUT_OF_ORDER and at and at[-1] == "position":
        return f"{place_in_words(at[:-1])} has another place than its `position` says: leave `position` out"
    if at and isinstance(at[-1], str) and code is not FaultCode.NOT_REACHABLE:
        return f"{place_in_words(at[:-1])}: `{at[-1]}` {reason}"
    return sentence_at(at, str(reason))


def _value_at(value: Any, at: Location) -> Any:
    for name in at:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


BRITISH = "+44"
BRITISH_LENGTHS = (7, 9, 10)
"""Digits after +44: 0800 1111 has 7, few have 9."""
COMPARED_DIGITS = 3
"""A printed number with fewer digits, such as 101, is compared with nothing."""

Fault = tuple[Location, str]


def find_written_faults(value: Any) -> Iterator[Fault]:
    """Yield each fault with its place, as a sentence."""
    if isinstance(value, dict) and lacks_cautions(value):
        yield (CAUTIONS.path,), NO_CAUTIONS
    for key in ITEM_LISTS:
        yield from _repeated_ids(key, _entries(value, key))
    for index, contact in _entries(value, Section.CONTACTS.key):
        for number, phone in _entries(contact, "phones"):
            at = (Section.CONTACTS.key, index, "phones", number)
            yield from (((*at, "number"), f"{place_in_words(at)}: {fault}") for fault in _number_faults(phone))


def _repeated_ids(key: str, entries: list[tuple[int, dict[str, Any]]]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, item in entries:
        id_ = item.get("id")
        if isinstance(id_, str) and first.setdefault(id_, index) != index:
            of = f"{singular(key)} {first[id_] + 1}"
            yield (key, index, "id"), f"{place_in_words((key, index))} has the id of {of}: give it one of its own"


def _number_faults(phone: dict[str, Any]) -> Iterator[str]:
    number, display = phone.get("number"), phone.get("display")
    if not isinstance(number, str) or not re.fullmatch(r"\+?[0-9]+", number):
        return
    if number.startswith(BRITISH) and len(number) - len(BRITISH) not in BRITISH_LENGTHS:
        yield "`number` has too few or too many digits for a number that begins with +44"
    if not isinstance(display, str):
        return
    printed = re.sub(r"[^0-9]", "", re.sub(r"\(0\)", "", display))
    national = printed.removeprefix("0044").removeprefix("44" if display.strip().startswith("+") else "").lstrip("0")
    if len(printed) >= COMPARED_DIGITS and not number.endswith(national):
        yield "`number` and `display` are two different numbers: correct the one that is wrong"


def _entries(value: Any, key: str) -> list[tuple[int, dict[str, Any]]]:
    found = value.get(key) if isinstance(value, dict) else None
    return (
        [(index, each) for index, each in enumerate(found) if isinstance(each, dict)] if isinstance(found, list) else []
    )


CHECKED_FOR = dt.timedelta(days=365)
DEAD_FORMS = {
    re.compile(r"http://"): "an address that begins with http:// sends people over an open line: use https://",
    re.compile(r"\.(?:gsi|gse|gsx|gcsx)\.gov\.uk"): "addresses of .gsi.gov.uk and its like were closed in 2019",
    re.compile(r"\.pnn\.police\.uk"): "addresses of .pnn.police.uk were closed",
    re.compile(r"\bdirect\.gov\.uk"): "direct.gov.uk was closed in 2012: find the page on www.gov.uk",
    re.compile(
        r"\b(?:education|dcsf|dfes|everychildmatters|teachernet)\.gov\.uk"
    ): "this address was closed: look on www.gov.uk",
    re.compile(
        r"(?i)\blscb\b|safeguarding-children-s-board"
    ): "safeguarding children boards ended in 2019: look for its successor",
}
"""Forms of address that lead nowhere any more, or not safely, each with its sentence."""


WITHOUT_HOURS = "it has a number and no `opening_hours`: no page can say when it answers, or who answers now instead"


def find_warnings(content: EditionContent, today: dt.date) -> Iterator[Fault]:
    """Yield each warning about the words themselves, with its place."""
    yield from _about_review(content, today)
    for index, contact in enumerate(content.contacts):
        at: Location = ("contacts", index)
        if contact.verified_on is None:
            yield at, "nobody has checked it: call or look it up, and write the day in `verified_on`"
        elif today - contact.verified_on > CHECKED_FOR:
            yield (*at, "verified_on"), "it was last checked more than a year ago"
        if contact.phones and not contact.opening_hours:
            yield at, WITHOUT_HOURS
        written = " ".join(filter(None, (contact.url, contact.email, contact.name)))
        yield from ((at, reason) for form, reason in DEAD_FORMS.items() if form.search(written))
    for index, definition in enumerate(content.definitions):
        address = definition.source.url if definition.source else ""
        yield from (
            (("definitions", index, "source", "url"), reason)
            for form, reason in DEAD_FORMS.items()
            if form.search(address)
        )


def find_unchanged(content: EditionContent, current: EditionContent) -> Iterator[Fault]:
    """Yield what was probably meant to change against the current edition, or not to change."""
    if content.change_note == current.change_note:
        yield ("change_note",), "it is that of the current edition: say what this edition changes"
    for key in ITEM_LISTS:
        ids = {_words(item): item.id for item in getattr(current, key)}
        for index, item in enumerate(getattr(content, key)):
            former = ids.get(_words(item))
            if former not in (None, item.id):
                yield (key, index, "id"), f"its words are published under the id `{former}`: use the same id"


def _about_review(content: EditionContent, today: dt.date) -> Iterator[Fault]:
    if content.review_by is None:
        yield ("review_by",), "it is not set, so nobody is reminded to review the guide"
    elif content.review_by < today:
        yield ("review_by",), "the day of the review has passed"


def _words(item: object) -> str:
    return " ".join(str(getattr(item, name, "")) for name in ("name", "text"))


def parse_written(value: object) -> tuple[EditionContent | None, list[Fault]]:
    """Return the content that was written, and every fault with its place. The content is None if it cannot be parsed.

    Items of `value` without a position are given their place in it.
    """
    place_items(value)
    written = list(find_written_faults(value))
    try:
        return EditionContent.model_validate_json(json.dumps(value), strict=True), written
    except ValidationError as refusal:
        errors = drop_consequent_errors(refusal.errors(include_url=False, include_input=False))
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    misspelt = {(*at[:-1], meant) for at in unknown if (meant := _meant(at)) is not None}
    faults = [(at, reason) for at, reason in written if at not in misspelt]
    for error in errors:
        is_misspelt = error["type"] == "missing" and error["loc"] in misspelt
        if not (is_misspelt or _is_written_fault(error)):
            faults.append((error["loc"], fault_in_words(error, value)))
    return None, faults


def _is_written_fault(error: ErrorDetails) -> bool:
    """Return True if `find_written_faults` finds this kind of fault too: it says more."""
    reason = error.get("ctx", {}).get("error")
    return isinstance(reason, CodedValueError) and reason.code in (FaultCode.DUPLICATE_ID, FaultCode.TOO_FEW)


def place_items(value: object) -> None:
    """Give every item without a position its place in its list."""
    for key, entry in ITEM_LISTS.items():
        items = value.get(key) if isinstance(value, dict) else None
        if "position" in entry.item.model_fields and isinstance(items, list):
            for place, item in enumerate(items, start=1):
                if isinstance(item, dict):
                    item.setdefault("position", place)


NOTHING: dict[str, Any] = {"id": "", "name": ""}
"""What is in place of an entry that cannot be read, besides its defaults."""


def read_partly(value: dict[str, Any], current: EditionContent) -> tuple[EditionContent, tuple[str, ...]]:
    """Return the draft with the current edition's members in place of those that have a fault, and the names of these.

    Items of `value` without a position are given their place in it.
    """
    place_items(value)
    members: dict[str, Any] = {}
    unread: list[str] = []
    for name, field in EditionContent.model_fields.items():
        if name not in value and not field.is_required():
            members[name] = field.get_default(call_default_factory=True)
            continue
        try:
            members[name] = member_reader(EditionContent, name).validate_json(json.dumps(value.get(name)), strict=True)
        except ValidationError:
            unread.append(name)
        else:
            if name in ITEM_LISTS and len({item.id for item in members[name]}) < len(members[name]):
                unread.append(name)
    members |= {name: getattr(current, name) for name in unread}
    return EditionContent.model_construct(**members), tuple(unread)


def read_sound_entries(value: dict[str, Any]) -> tuple[EditionContent, frozenset[Location]]:
    """Return the draft with nothing in place of each entry and member that cannot be read, and the places of these.

    Items of `value` without a position are given their place in it.
    """
    place_items(value)
    members: dict[str, Any] = {}
    unread: set[Location] = set()

    def read(at: Location, validate: Callable[..., Any], written: object, otherwise: Any) -> Any:
        try:
            return validate(json.dumps(written), strict=True)
        except ValidationError:
            unread.add(at)
            return otherwise

    for name, field in EditionContent.model_fields.items():
        default = "" if field.is_required() else field.get_default(call_default_factory=True)
        written = value.get(name)
        if name not in value:
            members[name] = default
        elif name in ITEM_LISTS and isinstance(written, list):
            item = ITEM_LISTS[name].item
            nothing = item.model_construct(**NOTHING)
            entries = enumerate(written)
            members[name] = tuple(read((name, at), item.model_validate_json, each, nothing) for at, each in entries)
        else:
            reader = member_reader(EditionContent, name)
            members[name] = read((name,), reader.validate_json, written, () if name in ITEM_LISTS else default)
    return EditionContent.model_construct(**members), frozenset(unread)


Content = TypeVar("Content", EditionContent, RenditionContent)


@dataclass(frozen=True)
class GuideFile(Generic[Content]):
    """An edition or a rendition that was read from a file in its guide's folder, and the line of each place of it."""

    path: Path
    content: Content
    tree: FileTree

    @property
    def guide(self) -> str:
        """The guide, by which the folder is named."""
        return self.path.absolute().parent.name

    @property
    def digest(self) -> str:
        """The digest of the words: what those who answer for them agree on."""
        return digest_of(self.content)

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return the error for faults that were found in the content, each with its line."""
        name = sentence_at if isinstance(self.content, EditionContent) else _pointed
        return SeedFileError(self.path, [self.tree.fault_at(each.at, name(each.at, each.detail)) for each in faults])


EditionFile = GuideFile[EditionContent]
RenditionFile = GuideFile[RenditionContent]


def _pointed(at: Location, reason: str) -> str:
    return f"`/{'/'.join(map(str, at))}`: {reason}"


def read_edition_file(path: Path) -> EditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    value, tree = read_tree(path)
    content, faults = parse_written(value)
    if content is None or faults or tree.faults:
        raise SeedFileError(path, [*tree.faults, *(tree.fault_at(*each) for each in faults)])
    return EditionFile(path, content, tree)


def read_rendition_file(path: Path) -> RenditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    value, tree = read_tree(path)
    content, faults = tree.parse(value, RenditionContent)
    faults = [*_faults_of_place(path, value), *faults]
    if content is None or faults:
        raise SeedFileError(path, faults)
    return RenditionFile(path, content, tree)


def _faults_of_place(path: Path, value: object) -> list[SeedError]:
    faults = []
    if not re.fullmatch(SLUG_PATTERN, path.absolute().parent.name):
        faults.append(SeedError(0, "the folder must be named after the guide, as in `self-harm`"))
    language = value.get("language") if isinstance(value, dict) else None
    if isinstance(language, str) and path.name != f"{language}.yaml":
        faults.append(SeedError(0, "the file must be named after its language, as in `cy.yaml` for Welsh"))
    return faults


_WIDTH = 110
NEVER_WRAPPED = 1_000_000
"""Control characters, and separators of lines that few know, would not survive a wrapped line, or without escapes."""


def edition_yaml(content: EditionContent, remarks: str = "") -> str:
    """Return the file. It reads back to the same words. `remarks` are lines of comment after the first line."""
    return file_text(content.model_dump(mode="json"), remarks)


def file_text(content: dict[str, Any], remarks: str = "") -> str:
    """Return the file of a content that may still have faults."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH if _is_plain(content) else NEVER_WRAPPED
    yaml.allow_unicode = _is_plain(content)
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(without_empty_members(content, LEFT_OUT), text)
    comment = "".join(f"# {line}".rstrip() + "\n" for line in remarks.splitlines())
    return f"{SCHEMA_LINE}\n{comment}\n{text.getvalue()}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or value.isprintable()
