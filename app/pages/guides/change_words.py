"""Changes between two editions in words: items that were added, removed, moved and reworded, and changed fields."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.models.guides.comparison import (
    Reworded,
    SectionChanges,
    WordChange,
    WordRun,
    changed_fields,
    changed_sections,
    changed_words,
)
from app.models.guides.contacts import OpeningHours, Phone
from app.models.guides.editions import EditionContent
from app.pages.text_format import day
from app.services.clock.working_hours import hours_text

DETAILS = "details"
"""Key for the edition's own fields, where sections have their names."""
FIELD_WORDS = {
    "verified_on": "checked on",
    "phones": "phone numbers",
    "url": "web address",
    "when": "when to call",
    "text_relay": "text relay",
    "review_by": "review by",
}
HIDDEN_MEMBERS = frozenset({"id", "position"})
LONGEST_VALUE = 60
"""Longer values are compared word by word; shorter ones read `old is now new`."""
IS_NOW = WordRun(change=WordChange.KEPT, text="is now")
REWORDED = "Reworded"
DATES = frozenset({"review_by"})
"""Written as in the API."""


@dataclass(frozen=True)
class TextChange:
    """A heading, and runs of kept, removed and added words."""

    heading: str
    runs: tuple[WordRun, ...]


def describe_changes(before: EditionContent, after: EditionContent) -> dict[str, list[TextChange]]:
    """Return changed sections in the order of the page. `DETAILS` has the edition's own fields."""
    fields = changed_fields(before, after)
    own = [TextChange(_label(each.field), _runs(each.field, each.before, each.after)) for each in fields]
    lists = {key: [*_describe_list(each)] for key, each in changed_sections(before, after).items()}
    return ({DETAILS: own} if own else {}) | lists


def _describe_list(changes: SectionChanges) -> Iterator[TextChange]:
    for item in changes.added:
        yield TextChange("Added", (WordRun(change=WordChange.ADDED, text=_to_text(item)),))
    for item in changes.removed:
        yield TextChange("Removed", (WordRun(change=WordChange.REMOVED, text=_to_text(item)),))
    for change in changes.reworded:
        yield from _describe_rewording(change)
    for moved in changes.moved:
        text = f"{_title(moved.id)}: from place {moved.position_before} to place {moved.position_after}"
        yield TextChange("Moved", (WordRun(change=WordChange.KEPT, text=text),))


def _describe_rewording(change: Reworded) -> Iterator[TextChange]:
    for field in change.fields:
        name = getattr(change.after, "name", None) or _title(change.id)  # an item's name is clearer than its id
        before, after = getattr(change.before, field), getattr(change.after, field)
        if field == "phones":
            yield TextChange(name, _changed_phones(before, after))
        elif field == "text":
            yield TextChange(REWORDED, changed_words(before, after))
        else:
            yield TextChange(f"{name}: {_label(field).lower()}", _runs("", before, after))


def _changed_phones(before: Sequence[Phone], after: Sequence[Phone]) -> tuple[WordRun, ...]:
    """Compare phones as they are dialled, removed ones first. If one replaces one, `is now` is between them."""
    old, new = (
        [phone for phone in phones if phone not in others] for phones, others in ((before, after), (after, before))
    )
    if len(old) == len(new) == 1:
        has_new_option = old[0].option != new[0].option
        return _replaced(*(_to_text(each) if has_new_option else each.dialled for each in (old[0], new[0])))
    removed = [WordRun(change=WordChange.REMOVED, text=_to_text(each)) for each in old]
    return (*removed, *(WordRun(change=WordChange.ADDED, text=_to_text(each)) for each in new))


def _runs(field: str, before: Any, after: Any) -> tuple[WordRun, ...]:
    """Put `is now` between two short values. Compare other values word by word."""
    old, new = (_to_text(dt.date.fromisoformat(each) if field in DATES and each else each) for each in (before, after))
    if old and new and max(len(old), len(new)) <= LONGEST_VALUE:
        return _replaced(old, new)
    return changed_words(old, new)


def _replaced(old: str, new: str) -> tuple[WordRun, ...]:
    removed, added = WordRun(change=WordChange.REMOVED, text=old), WordRun(change=WordChange.ADDED, text=new)
    return removed, IS_NOW, added


def _label(field: str) -> str:
    return FIELD_WORDS.get(field, _title(field)).capitalize()


def _title(id_: str) -> str:
    return id_.replace("-", " ").replace("_", " ").capitalize()


def _to_text(value: Any) -> str:
    """Return one line, without ids, positions and empty values."""
    if isinstance(value, Phone):
        return f"{value.dialled}{value.option_text}"
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, tuple) and value and isinstance(value[0], OpeningHours):
        return hours_text(value)
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, dict):
        return ", ".join(_to_text(member) for name, member in value.items() if member and name not in HIDDEN_MEMBERS)
    if isinstance(value, list | tuple):
        return "; ".join(_to_text(member) for member in value)
    return "" if value is None else str(value)
