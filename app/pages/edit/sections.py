"""The part of a draft that one page shows: its fields, its tag, and what a button does to its lists."""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from app.models.base import MAX_ITEMS
from app.models.guidance.sections import ITEM_LISTS
from app.pages.edit.fields import DETAILS, form_fields
from app.pages.edit.reading import read_entries, read_members, settle_ids
from app.pages.form_answers import PLACE, SubmittedForm
from app.services.guidance.guide_drafts import DraftContent

EDIT_PAGES: dict[str, str] = {DETAILS: "About the guide"} | {
    key: "Cautions" if key == "cautions" else entry.title for key, entry in ITEM_LISTS.items()
}
"""The pages of a draft by their names, each with its heading."""
NOT_BEGUN = "none"
"""The tag of a section where there is no draft."""


def section_value(content: DraftContent, page: str) -> Any:
    """Return what the page shows of the content: the members that are no list of items, or one such list."""
    if page == DETAILS:
        return {key: value for key, value in content.items() if key not in ITEM_LISTS}
    return content.get(page)


def section_tag(content: DraftContent | None, page: str) -> str:
    """Return what identifies the words of the page, as they are saved now."""
    if content is None:
        return NOT_BEGUN
    text = json.dumps(section_value(content, page), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_section(content: DraftContent, page: str, posted: SubmittedForm) -> DraftContent:
    """Return the content with what was posted in place of what the page shows."""
    fields, former = form_fields(page), section_value(content, page)
    if page == DETAILS:
        lists = {key: value for key, value in content.items() if key in ITEM_LISTS}
        return read_members(fields, posted, "", former) | lists
    entries: Any = read_entries(fields, posted, page, former) or (former if not isinstance(former, list) else None)
    rest = {key: value for key, value in content.items() if key != page}
    return rest if entries is None else rest | {page: entries}


def with_ids(content: DraftContent, page: str, former: DraftContent, published_ids: Collection[str]) -> DraftContent:
    """Return the content with an id for every item of the page."""
    if page in ITEM_LISTS and isinstance(content.get(page), list):
        settle_ids(content[page], former.get(page), published_ids)
    return content


def do_act(content: DraftContent, act: str) -> str:
    """Add, move or remove an entry of a list, and return the name of the entry to show then. Ignore an unknown act.

    An act names its entry or its list: `up:contacts.1`, `down:...`, `remove:...`, `add:contacts.0.phones`.
    """
    verb, _, name = act.partition(":")
    if not name:
        return ""
    steps = name.split(".")
    if verb == "add":
        entries = _list_at(content, steps, makes_it=True)
        if entries is not None and len(entries) < MAX_ITEMS:
            entries.append({})
            return f"{name}.{len(entries) - 1}"
        return ""
    entries, place = _list_at(content, steps[:-1]), int(steps[-1]) if PLACE.fullmatch(steps[-1]) else -1
    if entries is None or not 0 <= place < len(entries):
        return ""
    entry = entries.pop(place)
    if verb == "remove":
        return f"{'.'.join(steps[:-1])}.{min(place, len(entries) - 1)}"
    target = max(0, place - 1) if verb == "up" else place + 1 if verb == "down" else place
    entries.insert(target, entry)
    return f"{'.'.join(steps[:-1])}.{min(target, len(entries) - 1)}"


def _list_at(content: DraftContent, steps: list[str], *, makes_it: bool = False) -> list[Any] | None:
    """Return the list at the place, made where it is absent, or None if there can be none."""
    if not steps:
        return None
    value: Any = content
    for step in steps[:-1]:
        if isinstance(value, list) and PLACE.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return None
    found = value.setdefault(steps[-1], []) if makes_it else value.get(steps[-1])
    return found if isinstance(found, list) else None
