"""From a posted form to the content of a draft. What no field shows stays as it was."""

import re
from collections.abc import Collection
from typing import Any

from app.models.base import MAX_ITEMS, SLUG_PATTERN
from app.models.guidance.proposed_ids import propose_id
from app.pages.edit.fields import NOT_TYPED, Control, EditField, is_foreign
from app.pages.form_answers import COUNT, SubmittedForm

DROP = "drop:"
ID = "id"


def read_members(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> dict[str, Any]:
    """Return the object that the fields of that name give. `former` is what they were drawn from."""
    before = former if isinstance(former, dict) else {}
    known = {each.key for each in fields}
    dropped = set(posted.many(f"{DROP}{name}"))
    rest = {key: value for key, value in before.items() if key not in known | dropped | NOT_TYPED}
    read = {
        each.key: _read(each, posted, f"{name}.{each.key}" if name else each.key, before.get(each.key))
        for each in fields
    }
    return {key: value for key, value in read.items() if value not in (None, "", [], {})} | rest


def read_entries(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> list[Any]:
    """Return the entries of the list of that name. One that was no object stays, unless a field of it is filled in."""
    before = former if isinstance(former, list) else []
    entries: list[Any] = []
    for place in range(min(posted.counts.get(name, 0), MAX_ITEMS)):
        entry_name = f"{name}.{place}"
        id_ = posted.one(f"{entry_name}.{ID}")
        drawn_from = _former_entry(before, place, id_)
        read = read_members(fields, posted, entry_name, drawn_from)
        is_foreign = drawn_from is not None and not isinstance(drawn_from, dict)
        entries.append(drawn_from if is_foreign and not read else ({ID: id_} if id_ else {}) | read)
    return entries


def settle_ids(entries: list[Any], former: Any, published: Collection[str]) -> None:
    """Give every item an id. One that was proposed from its words, and is not published, follows them."""
    before = former if isinstance(former, list) else []
    chosen = {
        each[ID]
        for each in before
        if isinstance(each, dict) and isinstance(each.get(ID), str) and not _was_proposed(each)
    }
    items = [each for each in entries if isinstance(each, dict)]
    kept: dict[str, int] = {}
    for place, item in enumerate(items):
        id_ = item.get(ID, "")
        if id_ in published or (id_ in chosen and re.fullmatch(SLUG_PATTERN, id_)):
            kept.setdefault(id_, place)
    taken = set(kept)
    for place, item in enumerate(items):
        if kept.get(item.get(ID, "")) != place:
            item[ID] = propose_id(_words(item), taken)
            taken.add(item[ID])


def _former_entry(before: list[Any], place: int, id_: str) -> Any:
    """Return the former entry of that id, the one at the place first; without an id, what has none at the place."""
    at_place = before[place : place + 1]
    if not id_:
        return next((each for each in at_place if not (isinstance(each, dict) and ID in each)), None)
    return next((each for each in at_place + before if isinstance(each, dict) and each.get(ID) == id_), None)


def _was_proposed(item: dict[str, Any]) -> bool:
    proposed = propose_id(_words(item))
    return bool(item[ID] == proposed or item[ID].rpartition("-")[0] == proposed)


def _words(item: dict[str, Any]) -> str:
    words = item.get("name") or item.get("text") or ""
    return words if isinstance(words, str) else ""


def _read(field: EditField, posted: SubmittedForm, name: str, former: Any) -> Any:
    """Return the value of the field. What the form could not show stays until something is filled in instead."""
    if field.control is Control.LIST and f"{COUNT}{name}" not in posted.fields:
        return former
    read = _read_typed(field, posted, name, former)
    return former if not read and is_foreign(field, former) else read


def _read_typed(field: EditField, posted: SubmittedForm, name: str, former: Any) -> Any:
    match field.control:
        case Control.GROUP:
            return read_members(field.inner, posted, name, former)
        case Control.LIST:
            return read_entries(field.inner, posted, name, former)
        case Control.SEVERAL:
            return [each for each in posted.many(name) if each]
        case Control.LINES:
            return [line.strip() for line in posted.one(name).split("\n") if line.strip()]
        case Control.WORDS:
            typed = posted.one(name)
            return typed if typed.strip() else ""
    return posted.one(name).strip()
