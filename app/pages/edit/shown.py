"""What a form shows: each field with its name, its value, its entries and what the models do not know."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.models.guidance.editor_words import place_in_words
from app.pages.edit.fields import NOT_TYPED, Control, EditField, is_foreign


@dataclass(frozen=True)
class ShownField:
    """A field with its value. Its name is its place in the content: `contacts.0.phones.1.number`."""

    field: EditField
    name: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    members: tuple["ShownField", ...] = ()
    entries: tuple["ShownEntry", ...] = ()
    foreign: str = ""
    """As JSON: a value of a kind that the field cannot show."""

    @property
    def owner(self) -> str:
        """The entry that has the field, as an editor counts it: `contact 1`. Empty where the guide itself has it."""
        steps = self.name.split(".")
        counted = [place + 1 for place, step in enumerate(steps) if step.isdecimal()]
        at = tuple(int(step) if step.isdecimal() else step for step in steps[: counted[-1] if counted else 0])
        return place_in_words(at).lower() if at else ""

    @property
    def is_filled(self) -> bool:
        """Whether there is anything to see."""
        own = self.text or self.chosen or self.entries or self.foreign
        return bool(own) or any(each.is_filled for each in self.members)


@dataclass(frozen=True)
class ShownEntry:
    """An entry of a list. `unknown` has what no field shows: each key, with its value as JSON."""

    name: str
    id: str
    fields: tuple[ShownField, ...]
    unknown: tuple[tuple[str, str], ...]


def show_entries(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownEntry, ...]:
    """Return the entries of a list. One that is no object is shown as unknown."""
    entries = value if isinstance(value, list) else []
    return tuple(_entry(fields, f"{name}.{place}", each) for place, each in enumerate(entries))


def show_fields(fields: tuple[EditField, ...], name: str, value: Any) -> tuple[ShownField, ...]:
    """Return the fields of an object. `name` is that of the object, empty for the content itself."""
    members = value if isinstance(value, dict) else {}
    return tuple(_show(each, f"{name}.{each.key}" if name else each.key, members.get(each.key)) for each in fields)


def unknown_members(fields: tuple[EditField, ...], value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the members that no field shows, each with its value as JSON."""
    known = {each.key for each in fields} | NOT_TYPED
    for key, member in value.items():
        if key not in known:
            yield key, json.dumps(member, ensure_ascii=False)


def _entry(fields: tuple[EditField, ...], name: str, value: Any) -> ShownEntry:
    if not isinstance(value, dict):
        return ShownEntry(name, "", show_fields(fields, name, {}), (("", json.dumps(value, ensure_ascii=False)),))
    id_ = value.get("id")
    unknown = tuple(unknown_members(fields, value))
    return ShownEntry(name, id_ if isinstance(id_, str) else "", show_fields(fields, name, value), unknown)


def _show(field: EditField, name: str, value: Any) -> ShownField:
    if is_foreign(field, value):
        return replace(_show(field, name, None), foreign=json.dumps(value, ensure_ascii=False))
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
    return json.dumps(value, ensure_ascii=False)
