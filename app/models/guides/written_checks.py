"""Checks of an edition as an editor wrote it, beyond the validation by the model `EditionContent`."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.errors import CodedValueError, FaultCode, Location
from app.models.coded_values import drop_consequent_errors
from app.models.guides.editions import EditionContent
from app.models.guides.fault_words import fault_in_words, place_in_words, similar_name, singular
from app.models.guides.sections import CAUTIONS, ITEM_LISTS, NO_CAUTIONS, Section, lacks_cautions

BRITISH = "+44"
BRITISH_LENGTHS = (7, 9, 10)
"""Permitted numbers of digits after +44: 0800 1111 has 7, a few numbers have 9, and most have 10."""
COMPARED_DIGITS = 3
"""The minimum number of digits in a printed number for a comparison with `number`."""
OPTION = re.compile(r"[0-9]{1,3}|[*#]")
NOT_AN_OPTION = "`option` is what to press when the call is answered: digits, such as 1"
Fault = tuple[Location, str]
CHECKED_FOR = dt.timedelta(days=365)
"""The time for which a check of a contact counts as recent."""
DEAD_FORMS = {
    re.compile(r"http://"): "a connection to an http:// address is not encrypted: use https://",
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
"""Patterns of outdated or unsafe addresses, each with its warning."""
WITHOUT_HOURS = "it has a number and no `opening_hours`: no page can say when it answers, or who answers now instead"


def find_written_faults(value: Any) -> Iterator[Fault]:
    """Yield the location of each error in `value`, the content of an edition's file, with a sentence.

    The errors are missing cautions, repeated ids, and phone numbers and menu options that cannot be right.
    """
    if isinstance(value, dict) and lacks_cautions(value):
        yield (CAUTIONS.path,), NO_CAUTIONS
    for key in ITEM_LISTS:
        yield from _repeated_ids(key, _entries(value, key))
    for index, contact in _entries(value, Section.CONTACTS.key):
        for number, phone in _entries(contact, "phones"):
            at = (Section.CONTACTS.key, index, "phones", number)
            yield from (((*at, "number"), f"{place_in_words(at)}: {fault}") for fault in _number_faults(phone))
            if isinstance(phone.get("option"), str) and not OPTION.fullmatch(phone["option"]):
                yield (*at, "option"), f"{place_in_words(at)}: {NOT_AN_OPTION}"


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


def find_warnings(content: EditionContent, today: dt.date) -> Iterator[Fault]:
    """Yield the location of each warning about `content`, with a sentence. `today` is the current day.

    The warnings are about a missing or past date of review, contacts that nobody has checked in the last year, missing
    opening hours, and outdated addresses.
    """
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
    """Yield the location of each likely mistake in `content`, compared with the edition `current`, with a sentence.

    The mistakes are an unchanged change note, and a new id for an item whose text is the same.
    """
    if content.change_note == current.change_note:
        yield ("change_note",), "it is the same as in the current edition: say what this edition changes"
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
    """Return `value` as the content of an edition, and every error with its location.

    The content is None if `value` does not fit the model. A content that fits can still have errors. Also change
    `value` in place: give each item without a position its place in the list.
    """
    place_items(value)
    written = list(find_written_faults(value))
    try:
        return EditionContent.model_validate_json(json.dumps(value), strict=True), written
    except ValidationError as refusal:
        errors = drop_consequent_errors(refusal.errors(include_url=False, include_input=False))
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    misspelt = {(*at[:-1], meant) for at in unknown if (meant := similar_name(at)) is not None}
    faults = [(at, reason) for at, reason in written if at not in misspelt]
    for error in errors:
        is_misspelt = error["type"] == "missing" and error["loc"] in misspelt
        if not (is_misspelt or _is_written_fault(error)):
            faults.append((error["loc"], fault_in_words(error, value)))
    return None, faults


def _is_written_fault(error: ErrorDetails) -> bool:
    """Return True if `find_written_faults` also reports errors of this kind, with more detail."""
    reason = error.get("ctx", {}).get("error")
    return isinstance(reason, CodedValueError) and reason.code in (FaultCode.DUPLICATE_ID, FaultCode.TOO_FEW)


def place_items(value: object) -> None:
    """Change `value`, the content of an edition's file, in place: give each item without a position its place, from 1.

    Do nothing for lists whose items have no position, and for a `value` that is not an object.
    """
    for key, entry in ITEM_LISTS.items():
        items = value.get(key) if isinstance(value, dict) else None
        if "position" in entry.item.model_fields and isinstance(items, list):
            for place, item in enumerate(items, start=1):
                if isinstance(item, dict):
                    item.setdefault("position", place)
