"""Faults that are seen in a file as it is written, also where other faults keep it from being parsed."""

import re
from collections.abc import Iterator
from typing import Any

from app.faults import Location
from app.models.guidance.editor_words import place_in_words, singular
from app.models.guidance.sections import ITEM_LISTS, Section

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
