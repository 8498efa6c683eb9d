"""The form of a draft: the form field of each field of an edition, and the form fields filled with saved values."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.extensions.editing.pages.edit_values import hours_of, said_value, shown_day, shown_hours, shown_number
from app.extensions.editing.services.written_values import split_lines
from app.models.base import FromCodeList
from app.models.guides.contacts import ContactKind, OpeningHours
from app.models.guides.editions import EditionDetails
from app.models.guides.fault_words import place_in_words, singular
from app.models.guides.items import DefinitionKind, IndicatorKind
from app.models.guides.sections import ITEM_LISTS, Introductions
from app.pages.guides.change_words import DETAILS

NOT_TYPED = frozenset({"id", "position", "display"})
"""Without an input: ids are proposed, positions are places, and `display` shares the input of `number`."""
LONG = frozenset({"text", "note", "change_note", "introduction", "citation", *Introductions.model_fields})
SELDOM = frozenset(
    {
        *("related_codes", "note", "source", "citation", "urn", "gss_code", "introduction", "limbs", "introductions"),
        *("subjects", "applies_to"),
    }
)
CONTACT_FIELDS: Mapping[str, tuple[str, ...]] = {
    ContactKind.TELEPHONE: ("name", "phones", "opening_hours", "when", "verified_on", "kind"),
    ContactKind.WEB: ("name", "url", "when", "verified_on", "kind"),
    ContactKind.EMAIL: ("name", "email", "when", "verified_on", "kind"),
    ContactKind.ADDRESS: ("name", "address", "opening_hours", "when", "verified_on", "kind"),
}
"""Fields of each kind of contact, in order. Other fields are shown on request."""
PHONES = "phones"
FIELD_LABELS: Mapping[str, str] = {
    "text": "Words",
    "url": "Web address",
    "gss_code": "Code of the council's area (GSS)",
    "urn": "Unique reference number of the school",
    "sha256": "SHA-256 of the document",
    "display": "Telephone",
    "number": "Telephone",
    "phones": "Telephone",
    "option": "Then press",
    "text_relay": "Text relay",
    "verified_on": "Checked on",
    "review_by": "Review by",
    "owner": "Owner",
    "applies_to": "Applies to",
    "change_note": "Changes in this edition",
    "when": "When to call",
    "related_codes": "Links to code lists",
    "code": "Assessment factor",
    "basis": "Who made the link",
    "linked_risks": "Before the linked risks",
    "factors": "Before the vulnerability factors",
    "indicators": "Before the indicators",
    "responsibilities": "Before the responsibilities",
    "contacts": "Before the contacts",
}
FIELD_HINTS: Mapping[str, str] = {
    "text": "",
    "title": "",
    "change_note": "In a sentence for readers.",
    "name": "",
    "kind": "",
    "code": "",
    "basis": "",
    "option": "",
    "url": "",
    "number": "",
    "phones": "",
    "email": "",
    "when": "",
    "verified_on": "",
    "address": "",
    "opening_hours": "Such as Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm.",
    "review_by": "Such as 30 September 2027.",
}
"""Hints that replace the descriptions, which are for developers."""
CHOICE_LABELS: Mapping[str, str] = {
    IndicatorKind.POTENTIAL_INDICATOR: "May point to harm",
    IndicatorKind.SIGN_OF_HARM: "Is itself a sign of harm",
    DefinitionKind.LOCAL: "In our own words",
    DefinitionKind.STATUTORY: "The national definition",
    ContactKind.WEB: "Web page or form",
    ContactKind.ADDRESS: "Place to visit or write to",
    "project_inference": "We did",
    "source": "The printed guide did",
}
PRESETS: Mapping[Any, str] = {
    IndicatorKind: IndicatorKind.POTENTIAL_INDICATOR,
    DefinitionKind: DefinitionKind.LOCAL,
    ContactKind: ContactKind.TELEPHONE,
}
ID = "id"


class Control(StrEnum):
    LINE = "line"
    WORDS = "words"
    CHOICE = "choice"
    SEVERAL = "several"
    LINES = "lines"
    GROUP = "group"
    LIST = "list"
    DAY = "day"
    HOURS = "hours"
    PHONE = "phone"
    """Control for two fields: `number` and `display`."""
    FIXED = "fixed"
    """No input: there is one possible value."""


@dataclass(frozen=True)
class EditField:
    """A field of the form. `is_seldom` ones are shown on demand.

    `inner` are the fields of a group or of a list's entry.
    """

    key: str
    label: str
    hint: str
    control: Control
    is_seldom: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    inner: tuple["EditField", ...] = ()
    entry: str = ""
    """The word for one entry."""
    preset: str = ""
    code_list: str = ""


@cache
def fields_of(model: type[BaseModel]) -> tuple[EditField, ...]:
    """Put `SELDOM` fields last."""
    found = [_field(key, info) for key, info in model.model_fields.items() if key not in NOT_TYPED]
    return tuple(sorted(found, key=lambda each: each.is_seldom))


def form_fields(page: str) -> tuple[EditField, ...]:
    """Return the fields of the edition itself (`DETAILS`), or of one item of the list."""
    return fields_of(EditionDetails if page == DETAILS else ITEM_LISTS[page].item)


def new_entry(name: str, kind: str = "") -> dict[str, Any]:
    """Return an entry with preset values, of `kind` if the list has kinds."""
    fields = form_fields(name) if name in ITEM_LISTS else ()
    presets = {each.key: str(each.preset) for each in fields if each.preset}
    kinds = {value for each in fields if each.key == "kind" for value, _ in each.choices}
    return presets | ({"kind": kind} if kind in kinds else {})


def is_foreign(field: EditField, value: Any) -> bool:
    """Return True if the form's field cannot show the value, such as text in place of a list."""
    if field.control is Control.HOURS:
        return not isinstance(value, str) and hours_of(value) is None
    expected = {Control.GROUP: dict, Control.LIST: list, Control.SEVERAL: list, Control.LINES: list}.get(field.control)
    return value is not None and expected is not None and not isinstance(value, expected)


def _field(key: str, info: FieldInfo) -> EditField:
    kind = _inside(info.annotation)
    is_several = get_origin(kind) is tuple
    single = get_args(kind)[0] if is_several else kind
    choices = _choices(single)
    is_model = isinstance(single, type) and issubclass(single, BaseModel)
    control = _control(key, kind, single)
    if control is None and (choices or _code_list(info, single)):
        control = Control.SEVERAL if is_several else Control.CHOICE
    hint = FIELD_HINTS.get(key, info.description or "")
    return EditField(
        key,
        FIELD_LABELS.get(key, key.replace("_", " ").capitalize()),
        hint,
        control or (Control.LINES if is_several else Control.WORDS if key in LONG else Control.LINE),
        key in SELDOM,
        choices,
        fields_of(single) if is_model and control in (Control.LIST, Control.GROUP) else (),
        entry=singular(key).replace("_", " ") if control is Control.LIST else "",
        preset=PRESETS.get(single, choices[0][0] if get_origin(single) is Literal else ""),
        code_list=_code_list(info, single),
    )


def _control(key: str, kind: Any, single: Any) -> Control | None:
    """Return None for text or a choice. `single` is the type of one value of a list."""
    if single is OpeningHours:
        return Control.HOURS
    if isinstance(single, type) and issubclass(single, BaseModel):
        return Control.GROUP if single is kind else Control.LIST
    if get_origin(single) is Literal and len(get_args(single)) == 1:
        return Control.FIXED
    return Control.DAY if getattr(kind, "__origin__", kind) is dt.date else Control.PHONE if key == "number" else None


def _code_list(info: FieldInfo, single: Any) -> str:
    metadata = (*info.metadata, *getattr(single, "__metadata__", ()))
    return next((each.code_list for each in metadata if isinstance(each, FromCodeList)), "")


def _inside(annotation: Any) -> Any:
    """Return the type without `None`."""
    args = [each for each in get_args(annotation) if each is not type(None)]
    return args[0] if type(None) in get_args(annotation) else annotation


def _choices(kind: Any) -> tuple[tuple[str, str], ...]:
    values: list[str] = []
    if get_origin(kind) is Literal:
        values = list(get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values = [each.value for each in kind]
    return tuple(
        (value, CHOICE_LABELS.get(value, value.replace("_", " ").replace("-", " ").capitalize())) for value in values
    )


@dataclass(frozen=True)
class ShownField:
    """A field with its value in `text`, `chosen` codes, `members` of a group, or `entries`.

    `name` is, for example, `contacts.0.phones.1.number`.
    """

    field: EditField
    name: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    members: tuple["ShownField", ...] = ()
    entries: tuple["ShownEntry", ...] = ()
    foreign: str = ""
    """Value as JSON, if the field cannot show its type."""
    said: str = ""
    """A number, day or opening hours as understood, in words."""

    @property
    def owner(self) -> str:
        """Return the entry that has the field, counted from 1, such as `contact 1`."""
        steps = self.name.split(".")
        counted = [place + 1 for place, step in enumerate(steps) if step.isdecimal()]
        at = tuple(int(step) if step.isdecimal() else step for step in steps[: counted[-1] if counted else 0])
        return place_in_words(at).lower() if at else ""

    @property
    def line_count(self) -> int:
        """Count the lines that are not blank."""
        return len(split_lines(self.text))

    @property
    def is_filled(self) -> bool:
        """True if the field, or a field inside it, is filled in."""
        own = self.text or self.chosen or self.foreign or any(each.is_filled for each in self.entries)
        return bool(own) or any(each.is_filled for each in self.members)


@dataclass(frozen=True)
class ShownEntry:
    """An entry of a list. `unknown` has the keys that no form field shows, with their JSON."""

    name: str
    id: str
    fields: tuple[ShownField, ...]
    unknown: tuple[tuple[str, str], ...]

    @property
    def is_filled(self) -> bool:
        return bool(self.unknown) or any(each.is_filled for each in self.fields)


def show_entries(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownEntry, ...]:
    """Return nothing if `value` is not a list. All of an entry that is not an object is `unknown`."""
    entries = value if isinstance(value, list) else []
    return tuple(_entry(fields, f"{name}.{place}", each) for place, each in enumerate(entries))


def show_fields(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownField, ...]:
    """Return nothing if `value` is not an object. Fields with only one possible value are left out."""
    members = value if isinstance(value, dict) else {}
    return tuple(
        _show(
            each,
            f"{name}.{each.key}" if name else each.key,
            members if each.control is Control.PHONE else members.get(each.key),
        )
        for each in _in_order(fields, members)
        if each.control is not Control.FIXED
    )


def _in_order(fields: tuple[EditField, ...], members: dict[str, Any]) -> tuple[EditField, ...]:
    """Put the fields of a contact's kind first. Others count as rarely used."""
    by_key = {each.key: each for each in fields}
    if PHONES not in by_key:
        return fields
    kind = members.get("kind")
    first = CONTACT_FIELDS.get(kind if isinstance(kind, str) else "", CONTACT_FIELDS[ContactKind.TELEPHONE])
    others = (replace(each, is_seldom=True) for each in fields if each.key not in first)
    return (*(by_key[key] for key in first), *others)


def unknown_members(fields: tuple[EditField, ...], value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return each unknown member with its value as JSON."""
    known = {each.key for each in fields} | NOT_TYPED
    return tuple((key, _to_json(member)) for key, member in value.items() if key not in known)


def _entry(fields: tuple[EditField, ...], name: str, value: Any) -> ShownEntry:
    if not isinstance(value, dict):
        return ShownEntry(name, "", show_fields(fields, name, {}), (("", _to_json(value)),))
    id_ = value.get(ID)
    shown = show_fields(fields, name, value)
    return ShownEntry(name, id_ if isinstance(id_, str) else "", shown, unknown_members(fields, value))


def _show(field: EditField, name: str, value: Any) -> ShownField:
    """For a phone number, `value` is the object around it."""
    if is_foreign(field, value):
        return replace(_show(field, name, None), foreign=_to_json(value))
    control = field.control
    if control is Control.GROUP:
        return ShownField(field, name, members=show_fields(field.inner, name, value))
    if control is Control.LIST:
        entries = [{}] if field.key == PHONES and not value else value  # always show an input for one number
        return ShownField(field, name, entries=show_entries(field.inner, name, entries))
    if control is Control.SEVERAL:
        return ShownField(field, name, chosen=tuple(map(_plain, value or ())))
    return ShownField(field, name, text=_text_of(field, value), said=said_value(control, value))


def _text_of(field: EditField, value: Any) -> str:
    if field.control is Control.LINES:
        return "\n".join(map(_plain, value or ()))
    shown = {Control.PHONE: shown_number, Control.HOURS: shown_hours, Control.DAY: shown_day}.get(field.control)
    return shown(value) if shown is not None else _plain(value) or field.preset


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _to_json(value)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
