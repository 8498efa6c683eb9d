"""Errors and warnings of a draft in the words of the form, without keys, codes or paths."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.errors import FieldError, Location
from app.extensions.editing.pages.edit_fields import FIELD_LABELS, ID
from app.models.guides.contacts import WAYS
from app.models.guides.fault_words import place_in_words
from app.models.guides.sections import CAUTIONS, ITEM_LISTS, Section
from app.pages.guides.change_words import DETAILS
from app.pages.posted_forms import value_at

BACKTICKED = re.compile("`([^`]+)`")
"""A key or an example in a message of the check."""
ENTER_NUMBER = "Enter a telephone number with its area code, such as 01632 960001"
ENTER_DAY = "Enter a day, such as 30 September 2027"
FORMS = {
    "number": ENTER_NUMBER,
    "phones": ENTER_NUMBER,
    "option": "Enter what to press as digits, such as 1",
    "url": "Enter a web address that begins with https://",
    "email": "Enter an email address, such as duty@council.example",
    "text_relay": "Enter 18001 and then the number, such as 18001 01632 960001",
    "address": "Enter the address",
    "postcode": "Enter the postcode with its space, such as ZZ99 9ZZ",
    "opening_hours": "Enter days and times, such as Monday to Thursday 8:30am to 5pm",
    "review_by": ENTER_DAY,
    "verified_on": ENTER_DAY,
    "checked_on": ENTER_DAY,
    "kind": "Choose from the list",
    "code": "Choose from the list",
    "basis": "Choose from the list",
    "subjects": "Choose from the list",
    "gss_code": "Enter a letter and eight digits, such as E06000022",
    "urn": "Enter six digits",
    "sha256": "Enter 64 digits and letters from a to f",
}
"""What to enter if a field with a format is missing or wrong."""
MISSING = {
    "text": "Write the words",
    "change_note": "Say what this edition changes, in a sentence for readers",
    "contacts": "Add a contact: who to call",
    "cautions": "Add a caution, because there are signs or factors",
    "lines": "Enter the building or the street",
    "publisher": "Enter the name of the publisher",
}
"""What to enter in an empty field. For other fields it is made from the label."""
OTHER_NUMBER = "The number that is dialled is another one. Type the number again"
DIFFERENT = "two different numbers"


@dataclass(frozen=True)
class Remark:
    """An error or warning. `own` is shown beside the field; `words`, in a list, also name the entry."""

    words: str
    page: str
    name: str
    own: str


def fault_remark(fault: FieldError, content: dict[str, Any]) -> Remark:
    """Word the error as the form does."""
    at = _at_input(fault.at, content)
    own = _instruction(at, fault, content)
    entry = at[:-1]
    is_in_entry = any(isinstance(step, int) for step in entry)
    words = f"{place_in_words(entry)}: {own[:1].lower()}{own[1:]}" if is_in_entry else own
    return Remark(words, _page_of(at), ".".join(map(str, at)), own)


def warning_remark(warning: FieldError) -> Remark:
    """Replace keys by the form's labels."""
    words = _with_labels(warning.detail)
    return Remark(words, _page_of(warning.at), ".".join(map(str, warning.at)), words)


def at_fields(remarks: Sequence[Remark], names: Collection[str]) -> list[Remark]:
    """Put each remark at the nearest field or entry on the page, otherwise under the empty name."""
    return [replace(each, name=_nearest(each.name, names)) for each in remarks]


def faults_beside(remarks: Sequence[Remark], content: dict[str, Any]) -> dict[str, str]:
    """Return the first error of each field. Entries that are not filled in yet have none."""
    shown = (each for each in reversed(remarks) if each.name and not _is_blank_entry(each.name, content))
    return {each.name: each.own for each in shown}


def _page_of(at: Location) -> str:
    return str(at[0]) if at and at[0] in ITEM_LISTS else DETAILS


def _at_input(at: Location, content: dict[str, Any]) -> Location:
    """Return where an editor changes a value that has no input of its own, such as the first number."""
    if len(at) == len(("contacts", 0)) and at[0] == Section.CONTACTS.key:
        kind = value_at(content, f"{_name(at)}.kind")
        at = (*at, next((field for way, (field, _) in WAYS.items() if way == kind), "kind"))
    if "opening_hours" in at:
        return at[: at.index("opening_hours") + 1]
    if at[-1:] == ("phones",):
        return (*at, 0, "number")
    return (*at[:-1], "number") if at[-1:] == ("display",) else at


def _instruction(at: Location, fault: FieldError, content: dict[str, Any]) -> str:
    key = next((step for step in reversed(at) if isinstance(step, str)), "")
    if DIFFERENT in fault.detail:
        return OTHER_NUMBER
    if key in FORMS:
        return FORMS[key]
    if not value_at(content, _name(at)) and at and key != ID:
        label = FIELD_LABELS.get(key, key.replace("_", " "))
        return MISSING.get(key, f"Fill in ‘{label[:1].upper()}{label[1:]}’")
    owner = f"{place_in_words(fault.at[:-1])}: "
    return _with_labels(fault.detail.removeprefix(owner))


def _with_labels(detail: str) -> str:
    words = BACKTICKED.sub(_label, detail.replace("the file", "the guide").replace("The file", "The guide"))
    return words[:1].upper() + words[1:]


def _label(found: re.Match[str]) -> str:
    """Put it in quotation marks. A key becomes the field's label."""
    key = found[1]
    heading = CAUTIONS.heading if key == CAUTIONS.path else key.replace("_", " ").capitalize() if "_" in key else key
    return f"‘{FIELD_LABELS.get(key, heading)}’"


def _name(at: Location) -> str:
    return ".".join(map(str, at))


def _nearest(name: str, names: Collection[str]) -> str:
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name


def _is_blank_entry(name: str, content: dict[str, Any]) -> bool:
    entry = value_at(content, ".".join(name.split(".")[:2])) if "." in name else None
    return isinstance(entry, dict) and not any(value for key, value in entry.items() if key not in (ID, "kind"))
