"""The fields of an edition as the fields of a form, with and without their values."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.models.guides.editions import EditionDetails
from app.models.guides.fault_words import place_in_words, singular
from app.models.guides.items import IndicatorKind
from app.models.guides.sections import ITEM_LISTS, Introductions

DETAILS = "details"
"""The name of the page for the fields of the edition itself."""
NOT_TYPED = frozenset({"id", "position"})
"""Fields that editors do not fill in: an id is proposed from the text, and a position is the place in the list."""
LONG = frozenset({"text", "note", "change_note", "introduction", "citation", *Introductions.model_fields})
SELDOM = frozenset({"related_codes", "note", "source", "citation", "urn", "gss_code", "introduction", "limbs"})
"""Fields that most items leave empty: the page shows them only on demand."""
FIELD_LABELS: Mapping[str, str] = {
    "text": "Words",
    "url": "Web address",
    "gss_code": "Code of the council's area (GSS)",
    "urn": "Unique reference number of the school",
    "sha256": "SHA-256 of the document",
    "display": "Number as people read it",
    "number": "Number to dial, such as +441632960001",
    "option": "What to press when the call is answered",
    "text_relay": "Text relay",
    "verified_on": "Checked on",
    "review_by": "Review by",
    "owner": "Owner",
    "applies_to": "Applies to",
    "change_note": "Changes in this edition",
    "when": "When to call",
    "related_codes": "Links to code lists",
    "linked_risks": "Before the linked risks",
    "factors": "Before the vulnerability factors",
    "indicators": "Before the indicators",
    "responsibilities": "Before the responsibilities",
    "contacts": "Before the contacts",
}
FIELD_HINTS: Mapping[str, str] = {
    "text": "",
    "name": "",
    "display": "",
    "option": "",
    "url": "Starts with https://.",
    "number": "Without spaces, with +44 for the first 0. A short number such as 999 stays as it is.",
    "when": "In words, such as: In office hours.",
    "verified_on": "When someone last called the number or wrote to the address. Leave blank if nobody has.",
    "opening_hours": "Used to show whether it is open now.",
}
"""Hints for editors. They replace the descriptions of fields that are written for programs."""
INDICATOR_KIND = "A potential indicator may point to harm. A sign of harm is harm that can be seen."
A_DAY = "For example, 2027-11-24."
ID = "id"


class Control(StrEnum):
    """The kind of input for a value."""

    LINE = "line"
    WORDS = "words"
    CHOICE = "choice"
    SEVERAL = "several"
    LINES = "lines"
    GROUP = "group"
    LIST = "list"


@dataclass(frozen=True)
class EditField:
    """One field of the form: its key in the content, its label and input, and the fields inside it."""

    key: str
    label: str
    hint: str
    control: Control
    is_seldom: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    inner: tuple["EditField", ...] = ()
    entry: str = ""
    """The word for one entry, if the field is a list of entries."""


@cache
def fields_of(model: type[BaseModel]) -> tuple[EditField, ...]:
    """Return the form fields of `model`, with rarely used ones last."""
    found = [_field(key, info) for key, info in model.model_fields.items() if key not in NOT_TYPED]
    return tuple(sorted(found, key=lambda each: each.is_seldom))


def form_fields(page: str) -> tuple[EditField, ...]:
    """Return the form fields of the section `page`: those of the edition, or of one item of the section's list."""
    return fields_of(EditionDetails if page == DETAILS else ITEM_LISTS[page].item)


def is_foreign(field: EditField, value: Any) -> bool:
    """Return True if `value` has a type that `field` cannot show, for example text in the place of a list."""
    expected = {Control.GROUP: dict, Control.LIST: list, Control.SEVERAL: list, Control.LINES: list}.get(field.control)
    return value is not None and expected is not None and not isinstance(value, expected)


def _field(key: str, info: FieldInfo) -> EditField:
    kind = _inside(info.annotation)
    is_several = get_origin(kind) is tuple
    single = get_args(kind)[0] if is_several else kind
    choices = _choices(single)
    inner = fields_of(single) if isinstance(single, type) and issubclass(single, BaseModel) else ()
    if inner:
        control = Control.LIST if is_several else Control.GROUP
    elif choices:
        control = Control.SEVERAL if is_several else Control.CHOICE
    elif is_several:
        control = Control.LINES
    else:
        control = Control.WORDS if key in LONG else Control.LINE
    hint = INDICATOR_KIND if kind is IndicatorKind else FIELD_HINTS.get(key, info.description or "")
    return EditField(
        key,
        FIELD_LABELS.get(key, key.replace("_", " ").capitalize()),
        f"{hint} {A_DAY}".strip() if kind is dt.date else hint,
        control,
        key in SELDOM,
        choices,
        inner,
        entry=singular(key).replace("_", " ") if control is Control.LIST else "",
    )


def _inside(annotation: Any) -> Any:
    """Return the type of an annotation, without `None` if the annotation is optional."""
    args = [each for each in get_args(annotation) if each is not type(None)]
    return args[0] if type(None) in get_args(annotation) else annotation


def _choices(kind: Any) -> tuple[tuple[str, str], ...]:
    values: list[str] = []
    if get_origin(kind) is Literal:
        values = list(get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values = [each.value for each in kind]
    return tuple((value, value.replace("_", " ").replace("-", " ").capitalize()) for value in values)


@dataclass(frozen=True)
class ShownField:
    """A form field with its value. `name` is the path of the value in the content: `contacts.0.phones.1.number`."""

    field: EditField
    name: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    members: tuple["ShownField", ...] = ()
    entries: tuple["ShownEntry", ...] = ()
    foreign: str = ""
    """The value as JSON, if it has a type that the field cannot show."""

    @property
    def owner(self) -> str:
        """The entry that contains the field, counted from 1: `contact 1`. Empty for a field of the guide itself."""
        steps = self.name.split(".")
        counted = [place + 1 for place, step in enumerate(steps) if step.isdecimal()]
        at = tuple(int(step) if step.isdecimal() else step for step in steps[: counted[-1] if counted else 0])
        return place_in_words(at).lower() if at else ""

    @property
    def is_filled(self) -> bool:
        """True if the field has anything to show."""
        own = self.text or self.chosen or self.entries or self.foreign
        return bool(own) or any(each.is_filled for each in self.members)


@dataclass(frozen=True)
class ShownEntry:
    """An entry of a list with its fields. `unknown` has each key that no field shows, with its value as JSON."""

    name: str
    id: str
    fields: tuple[ShownField, ...]
    unknown: tuple[tuple[str, str], ...]


def show_entries(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownEntry, ...]:
    """Return the entries of the list `value` with their fields. `name` is the path of the list.

    If `value` is not a list, return nothing. An entry that is not an object is put into `unknown` as a whole.
    """
    entries = value if isinstance(value, list) else []
    return tuple(_entry(fields, f"{name}.{place}", each) for place, each in enumerate(entries))


def show_fields(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownField, ...]:
    """Return the fields of the object `value`. `name` is the path of the object, empty for the content itself."""
    members = value if isinstance(value, dict) else {}
    return tuple(_show(each, f"{name}.{each.key}" if name else each.key, members.get(each.key)) for each in fields)


def unknown_members(fields: tuple[EditField, ...], value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return each key of `value` that no field shows, with its value as JSON."""
    known = {each.key for each in fields} | NOT_TYPED
    return tuple((key, _to_json(member)) for key, member in value.items() if key not in known)


def _entry(fields: tuple[EditField, ...], name: str, value: Any) -> ShownEntry:
    if not isinstance(value, dict):
        return ShownEntry(name, "", show_fields(fields, name, {}), (("", _to_json(value)),))
    id_ = value.get(ID)
    shown = show_fields(fields, name, value)
    return ShownEntry(name, id_ if isinstance(id_, str) else "", shown, unknown_members(fields, value))


def _show(field: EditField, name: str, value: Any) -> ShownField:
    if is_foreign(field, value):
        return replace(_show(field, name, None), foreign=_to_json(value))
    match field.control:
        case Control.GROUP:
            return ShownField(field, name, members=show_fields(field.inner, name, value))
        case Control.LIST:
            return ShownField(field, name, entries=show_entries(field.inner, name, value))
        case Control.SEVERAL:
            return ShownField(field, name, chosen=tuple(map(_plain, value or ())))
        case Control.LINES:
            return ShownField(field, name, text="\n".join(map(_plain, value or ())))
    return ShownField(field, name, text=_plain(value))


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _to_json(value)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
