"""Conversion of a section's posted form into the content of a draft, and the actions of the form's buttons."""

import hashlib
import json
import re
from collections.abc import Callable, Collection
from typing import Any

from app.extensions.editing.pages.edit_fields import (
    ID,
    NOT_TYPED,
    PHONES,
    Control,
    EditField,
    form_fields,
    is_foreign,
    new_entry,
)
from app.extensions.editing.pages.edit_values import read_phone, read_typed_day, read_typed_hours
from app.extensions.editing.services.drafts import DraftContent
from app.extensions.editing.services.written_values import split_lines
from app.models.base import MAX_ITEMS, SLUG_PATTERN, without_empty_members
from app.models.guides.editions import LEFT_OUT, EditionContent
from app.models.guides.proposed_ids import propose_id
from app.models.guides.sections import ITEM_LISTS
from app.pages.guides.change_words import DETAILS
from app.pages.posted_forms import COUNT, PLACE, SubmittedForm, value_at

DROP = "drop:"
EDIT_PAGES: dict[str, str] = {DETAILS: "About the guide"} | {
    key: "Cautions" if key == "cautions" else entry.title for key, entry in ITEM_LISTS.items()
}
"""Headings of a draft's sections."""
NOT_BEGUN = "none"
"""The tag of every section without a draft."""


def _read_members(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> dict[str, Any]:
    """Return the posted object without empty fields. Keys of `former` without a form field stay unless removed."""
    before = former if isinstance(former, dict) else {}
    known = {each.key for each in fields}
    dropped = set(posted.many(f"{DROP}{name}"))
    rest = {key: value for key, value in before.items() if key not in known | dropped | NOT_TYPED}
    read: dict[str, Any] = {}
    for each in fields:
        own_name = f"{name}.{each.key}" if name else each.key
        if each.control is Control.PHONE:
            read |= read_phone(posted.one(own_name), before)
        else:
            read[each.key] = _read(each, posted, own_name, before.get(each.key))
    return {key: value for key, value in read.items() if value not in (None, "", [], {})} | rest


def _read_entries(fields: tuple[EditField, ...], posted: SubmittedForm, name: str, former: Any) -> list[Any]:
    """Read at most `MAX_ITEMS`. A saved entry that is not an object stays until one of its fields is filled in."""
    before = former if isinstance(former, list) else []
    entries: list[Any] = []
    presets = {each.key: each.preset for each in fields if each.preset}
    for place in range(min(posted.count(name), MAX_ITEMS)):
        entry_name = f"{name}.{place}"
        id_ = posted.one(f"{entry_name}.{ID}")
        drawn_from = _former_entry(before, place, id_)
        read = _read_members(fields, posted, entry_name, drawn_from)
        is_foreign = drawn_from is not None and not isinstance(drawn_from, dict)
        is_blank = all(value == presets.get(key) for key, value in read.items())
        entries.append(drawn_from if is_foreign and is_blank else ({ID: id_} if id_ else {}) | read)
    return entries


def _settle_ids(entries: list[Any], former: Any, published: Collection[str]) -> None:
    """Give each item a unique id, in place. Published and chosen ids stay; others follow the text."""
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
    """Find the entry with the id, at `place` first. Without an id take the one at `place`, if that has none."""
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
    """Return `former` if the form lacks the list, or could not show it and nothing was filled in."""
    if field.control is Control.LIST and f"{COUNT}{name}" not in posted.fields:
        return former
    read = _read_typed(field, posted, name, former)
    return former if not read and is_foreign(field, former) else read


def _read_typed(field: EditField, posted: SubmittedForm, name: str, former: Any) -> Any:
    if field.control is Control.GROUP:
        return _read_members(field.inner, posted, name, former)
    if field.control is Control.LIST:
        entries = _read_entries(field.inner, posted, name, former)
        return [each for each in entries if each] if field.key == PHONES else entries
    if field.control is Control.SEVERAL:
        return posted.many(name)
    return _read_text(field, posted.one(name), former)


def _read_text(field: EditField, typed: str, former: Any) -> Any:
    text = typed.strip()
    readers: dict[Control, Callable[[], Any]] = {
        Control.FIXED: lambda: former or field.preset,
        Control.LINES: lambda: [line.strip() for line in typed.split("\n") if line.strip()],
        Control.WORDS: lambda: typed if text else "",
        Control.DAY: lambda: read_typed_day(text),
        Control.HOURS: lambda: read_typed_hours(text, former),
    }
    return readers.get(field.control, lambda: text)()


def section_value(content: DraftContent, page: str) -> Any:
    """Return the list, or for `DETAILS` every field that is not a list of items."""
    if page == DETAILS:
        return {key: value for key, value in content.items() if key not in ITEM_LISTS}
    return content.get(page)


def section_tag(content: DraftContent | None, page: str) -> str:
    """Return a tag that changes with the section. It is `NOT_BEGUN` without a draft."""
    if content is None:
        return NOT_BEGUN
    text = json.dumps(section_value(content, page), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_section(content: DraftContent, page: str, posted: SubmittedForm) -> DraftContent:
    """Return a copy of the draft with the posted section."""
    fields, former = form_fields(page), section_value(content, page)
    if page == DETAILS:
        lists = {key: value for key, value in content.items() if key in ITEM_LISTS}
        return _read_members(fields, posted, "", former) | lists
    entries: Any = _read_entries(fields, posted, page, former) or (former if not isinstance(former, list) else None)
    rest = {key: value for key, value in content.items() if key != page}
    return rest if entries is None else rest | {page: entries}


def with_ids(content: DraftContent, page: str, former: DraftContent, current: EditionContent | None) -> DraftContent:
    """Settle the ids if `page` is a list of items."""
    if page in ITEM_LISTS and isinstance(content.get(page), list):
        _settle_ids(content[page], former.get(page), {item.id for item in getattr(current, page, ())})
    return content


def filled(value: Any) -> Any:
    """Drop positions and empty values, at every depth."""
    return without_empty_members(value, LEFT_OUT, (None, "", [], {}))


def do_act(content: DraftContent, act: str) -> str:
    """Add, move, split or remove an entry, in place. Return the path of the entry to show, or empty.

    Acts are, for example, `add:contacts.0.phones`, `add:contacts:web`, `up:contacts.1`, `move:contacts.3:0`,
    `split:indicators.2` and `remove:contacts.1`. An unknown act, or a full list, changes nothing.
    """
    verb, _, rest = act.partition(":")
    name, _, argument = rest.partition(":")
    if verb == "add" and name:
        return _add(content, name, argument)
    list_name, _, step = name.rpartition(".")
    entries, place = _list_at(content, list_name), int(step) if PLACE.fullmatch(step) else -1
    if entries is None or not 0 <= place < len(entries):
        return ""
    if verb == "split":
        _split(entries, place)
    elif verb in ("up", "down", "move"):
        target = int(argument) if PLACE.fullmatch(argument) else place
        target = {"up": max(0, place - 1), "down": place + 1}.get(verb, target)
        entries.insert(target, entries.pop(place))
        place = target
    elif verb == "remove":
        entries.pop(place)
    return f"{list_name}.{min(place, len(entries) - 1)}" if entries else ""


def _add(content: DraftContent, name: str, kind: str) -> str:
    entries = _list_at(content, name, makes_it=True)
    if entries is None or len(entries) >= MAX_ITEMS:
        return ""
    entries.append(new_entry(name, kind))
    return f"{name}.{len(entries) - 1}"


def _split(entries: list[Any], place: int) -> None:
    """Make an entry of each line. The first keeps the id, and there are never more than `MAX_ITEMS`."""
    entry = entries[place]
    lines = split_lines(entry["text"]) if isinstance(entry, dict) and isinstance(entry.get("text"), str) else []
    if len(lines) > 1 and len(entries) + len(lines) - 1 <= MAX_ITEMS:
        others = {key: value for key, value in entry.items() if key not in (ID, "text")}
        first = {ID: entry[ID]} if ID in entry else {}
        entries[place : place + 1] = [
            (first if not at else {}) | others | {"text": line} for at, line in enumerate(lines)
        ]


def _list_at(content: DraftContent, name: str, *, makes_it: bool = False) -> list[Any] | None:
    """If `makes_it`, an empty list is made, if its parent is an object."""
    parent_name, _, own_name = name.rpartition(".")
    parent = value_at(content, parent_name) if parent_name else content
    if not isinstance(parent, dict) or not own_name:
        return None
    found = parent.setdefault(own_name, []) if makes_it else parent.get(own_name)
    return found if isinstance(found, list) else None
