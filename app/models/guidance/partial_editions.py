"""As much of an incomplete draft as can be read, section by section, for its comparison with an edition."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ITEM_LISTS
from app.models.guidance.written_editions import place_items


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
            members[name] = _reader(name).validate_json(json.dumps(value.get(name)), strict=True)
        except ValidationError:
            unread.append(name)
        else:
            if name in ITEM_LISTS and len({item.id for item in members[name]}) < len(members[name]):
                unread.append(name)
    members |= {name: getattr(current, name) for name in unread}
    return EditionContent.model_construct(**members), tuple(unread)


@cache
def _reader(name: str) -> TypeAdapter[Any]:
    return TypeAdapter[Any](EditionContent.model_fields[name].rebuild_annotation())
