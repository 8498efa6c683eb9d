"""As much of an incomplete draft as can be read: by sections for its comparison, by entries for its warnings."""

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from app.faults import Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ITEM_LISTS
from app.models.guidance.written_editions import place_items
from app.models.waiting_rules import member_reader

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
