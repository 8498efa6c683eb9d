"""The fields of the editor's forms, taken from the models of an edition."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.models.guidance.editions import EditionDetails
from app.models.guidance.editor_words import singular
from app.models.guidance.items import IndicatorKind
from app.models.guidance.sections import ITEM_LISTS, Introductions

DETAILS = "details"
"""The name of the page for the fields of the edition itself."""
NOT_TYPED = frozenset({"id", "position"})
"""Members that no editor types: ids are proposed from the words, and positions are the order."""
LONG = frozenset({"text", "note", "change_note", "introduction", "citation", *Introductions.model_fields})
SELDOM = frozenset({"related_codes", "note", "source", "citation", "urn", "gss_code", "introduction", "limbs"})
"""Members that most items do not have: the page shows them on demand."""
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
    "review_by": "To be reviewed by",
    "owner": "Looked after by",
    "applies_to": "Applies to",
    "change_note": "What this edition changes",
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
    "url": "It begins with https://.",
    "number": "Without spaces, with +44 for the first 0. A short number such as 999 stays as it is.",
    "when": "In words, such as: In office hours.",
    "verified_on": "The day on which somebody called the number or wrote to the address. Empty where nobody has.",
    "opening_hours": "For programs that say whether it is open now.",
}
"""What an editor needs to know of a field, where its description is for programs."""
INDICATOR_KIND = "A potential indicator may point to harm. A sign of harm is harm that can be seen."
A_DAY = "A day such as 2027-11-24."


class Control(StrEnum):
    """How a value is typed or chosen."""

    LINE = "line"
    WORDS = "words"
    CHOICE = "choice"
    SEVERAL = "several"
    LINES = "lines"
    GROUP = "group"
    LIST = "list"


@dataclass(frozen=True)
class EditField:
    """One field: its key in the content, how it is filled in, and the fields inside it."""

    key: str
    label: str
    hint: str
    control: Control
    is_seldom: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    inner: tuple["EditField", ...] = ()
    entry: str = ""
    """The word for one entry of a list."""


@cache
def fields_of(model: type[BaseModel]) -> tuple[EditField, ...]:
    """Return the fields of a model, those that are seldom filled in last."""
    found = [_field(key, info) for key, info in model.model_fields.items() if key not in NOT_TYPED]
    return tuple(sorted(found, key=lambda each: each.is_seldom))


def form_fields(page: str) -> tuple[EditField, ...]:
    """Return the fields of a page: those of the edition itself, or of one item of the list."""
    return fields_of(EditionDetails if page == DETAILS else ITEM_LISTS[page].item)


def is_foreign(field: EditField, value: Any) -> bool:
    """Return whether the value is of a kind that the field cannot show."""
    expected = {Control.GROUP: dict, Control.LIST: list, Control.SEVERAL: list, Control.LINES: list}.get(field.control)
    return value is not None and expected is not None and not isinstance(value, expected)


def _field(key: str, info: FieldInfo) -> EditField:
    label = FIELD_LABELS.get(key, key.replace("_", " ").capitalize())
    hint = FIELD_HINTS.get(key, info.description or "")
    control, choices, inner = _control(key, info.annotation)
    hint = INDICATOR_KIND if info.annotation is IndicatorKind else hint
    hint = f"{hint} {A_DAY}".strip() if _inside(info.annotation) is dt.date else hint
    entry = singular(key).replace("_", " ") if control is Control.LIST else ""
    return EditField(key, label, hint, control, key in SELDOM, choices, inner, entry)


def _control(key: str, annotation: Any) -> tuple[Control, tuple[tuple[str, str], ...], tuple[EditField, ...]]:
    kind = _inside(annotation)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if isinstance(item, type) and issubclass(item, BaseModel):
            return Control.LIST, (), fields_of(item)
        return (Control.SEVERAL, _choices(item), ()) if _choices(item) else (Control.LINES, (), ())
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return Control.GROUP, (), fields_of(kind)
    if choices := _choices(kind):
        return Control.CHOICE, choices, ()
    return (Control.WORDS if key in LONG else Control.LINE), (), ()


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
    return tuple((value, value.replace("_", " ").replace("-", " ").capitalize()) for value in values)
