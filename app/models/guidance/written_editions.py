"""What an editor writes: an edition that may be incomplete, its faults in their words, and what is rarely meant."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.faults import CodedValueError, FaultCode, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import fault_in_words, misspelt_keys, place_in_words, singular
from app.models.guidance.sections import ITEM_LISTS, Section
from app.models.guidance.seed_files import is_echo
from app.models.waiting_rules import find_waiting, member_reader

BRITISH = "+44"
BRITISH_LENGTHS = (7, 9, 10)
"""Digits after +44: 0800 1111 has 7, few have 9."""
COMPARED_DIGITS = 3
"""A printed number with fewer digits, such as 101, is compared with nothing."""

Fault = tuple[Location, str]


def find_written_faults(value: Any) -> Iterator[Fault]:
    """Yield each fault with its place, as a sentence."""
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
    r"http://": "an address that begins with http:// sends people over an open line: use https://",
    r"\.(?:gsi|gse|gsx|gcsx)\.gov\.uk": "addresses of .gsi.gov.uk and its like were closed in 2019",
    r"\.pnn\.police\.uk": "addresses of .pnn.police.uk were closed",
    r"\bdirect\.gov\.uk": "direct.gov.uk was closed in 2012: find the page on www.gov.uk",
    r"\b(?:education|dcsf|dfes|everychildmatters|teachernet)\.gov\.uk": "this address was closed: look on www.gov.uk",
    r"(?i)\blscb\b|safeguarding-children-s-board": "safeguarding children boards ended in 2019: look for its successor",
}
"""Forms of address that lead nowhere any more, or not safely, each with its sentence."""


def find_warnings(content: EditionContent, today: dt.date) -> Iterator[Fault]:
    """Yield each warning about the words themselves, with its place."""
    yield from _about_review(content, today)
    for index, contact in enumerate(content.contacts):
        at: Location = ("contacts", index)
        if contact.verified_on is None:
            yield at, "nobody has checked it: call or look it up, and write the day in `verified_on`"
        elif today - contact.verified_on > CHECKED_FOR:
            yield (*at, "verified_on"), "it was last checked more than a year ago"
        written = " ".join(filter(None, (contact.url, contact.email, contact.name)))
        yield from ((at, reason) for form, reason in DEAD_FORMS.items() if re.search(form, written))
    for index, definition in enumerate(content.definitions):
        address = definition.source.url if definition.source else ""
        yield from (
            (("definitions", index, "source", "url"), reason)
            for form, reason in DEAD_FORMS.items()
            if re.search(form, address)
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
    faults = list(find_written_faults(value))
    try:
        return EditionContent.model_validate_json(json.dumps(value), strict=True), faults
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_input=False)
    errors += _waiting_errors(value, errors)
    misspelt = misspelt_keys(errors)
    faults += [
        (error["loc"], fault_in_words(error, value))
        for error in errors
        if not (is_echo(error, errors) or _is_repeated_id(error) or _is_misspelt(error, misspelt))
    ]
    return None, faults


def place_items(value: object) -> None:
    """Give every item without a position its place in its list."""
    for key, entry in ITEM_LISTS.items():
        items = value.get(key) if isinstance(value, dict) else None
        if "position" in entry.item.model_fields and isinstance(items, list):
            for place, item in enumerate(items, start=1):
                if isinstance(item, dict):
                    item.setdefault("position", place)


def _waiting_errors(value: object, errors: list[ErrorDetails]) -> list[ErrorDetails]:
    return [
        {"type": "value_error", "loc": at, "msg": str(reason), "input": None, "ctx": {"error": reason}}
        for at, reason in find_waiting(EditionContent, value, [error["loc"] for error in errors])
    ]


def _code_of(error: ErrorDetails) -> FaultCode | None:
    reason = error.get("ctx", {}).get("error")
    return reason.code if isinstance(reason, CodedValueError) else None


def _is_repeated_id(error: ErrorDetails) -> bool:
    """Return True for a fault that is found in the file itself, with the item that had the id first."""
    return _code_of(error) is FaultCode.DUPLICATE_ID


def _is_misspelt(error: ErrorDetails, misspelt: set[Location]) -> bool:
    return error["type"] == "missing" and error["loc"] in misspelt


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
    for name, field in EditionContent.model_fields.items():
        default = "" if field.is_required() else field.get_default(call_default_factory=True)
        written = value.get(name)
        if name not in value:
            members[name] = default
        elif name in ITEM_LISTS and isinstance(written, list):
            members[name] = tuple(_entry(name, place, each, unread) for place, each in enumerate(written))
        else:
            members[name] = _member(name, written, default, unread)
    return EditionContent.model_construct(**members), frozenset(unread)


def _entry(name: str, place: int, written: Any, unread: set[Location]) -> BaseModel:
    item = ITEM_LISTS[name].item
    try:
        return item.model_validate_json(json.dumps(written), strict=True)
    except ValidationError:
        unread.add((name, place))
        return item.model_construct(**NOTHING)


def _member(name: str, written: Any, default: Any, unread: set[Location]) -> Any:
    try:
        return member_reader(EditionContent, name).validate_json(json.dumps(written), strict=True)
    except ValidationError:
        unread.add((name,))
        return () if name in ITEM_LISTS else default
