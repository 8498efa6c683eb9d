"""The changes between two editions as runs of words: removed, added and unchanged."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.models.guidance.comparison import FieldChange, Reworded, SectionChanges, WordChange, WordRun, changed_words
from app.models.guidance.sections import ITEM_LISTS
from app.pages.text_format import day

FIELD_WORDS = {
    "verified_on": "checked on",
    "phones": "phone numbers",
    "url": "web address",
    "when": "when to call",
    "text_relay": "text relay",
}
"""Names of fields in a heading, where their own are not clear to a reader."""
HIDDEN_MEMBERS = frozenset({"id", "position"})


@dataclass(frozen=True)
class TextChange:
    """One change, with its own heading."""

    heading: str
    runs: tuple[WordRun, ...]


def describe_field_changes(changes: Sequence[FieldChange]) -> list[TextChange]:
    """Return each changed field of the edition itself."""
    return [
        TextChange(_title(change.field), changed_words(_to_text(change.before), _to_text(change.after)))
        for change in changes
    ]


def describe_section_changes(changes: Mapping[str, SectionChanges]) -> dict[str, list[TextChange]]:
    """Return the changes in each changed section by its heading, in the order of the page."""
    return {
        entry.heading: list(_describe_changes(changes[name])) for name, entry in ITEM_LISTS.items() if name in changes
    }


def _describe_changes(changes: SectionChanges) -> Iterator[TextChange]:
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
        heading = "Reworded" if field == "text" else f"{_name(change)}: {_field_words(field)}"
        before, after = _to_text(getattr(change.before, field)), _to_text(getattr(change.after, field))
        yield TextChange(heading, changed_words(before, after))


def _name(change: Reworded) -> str:
    """Return the name of the item as people know it, or the words of its id where it has no name."""
    name: str | None = getattr(change.after, "name", None)
    return name or _title(change.id)


def _field_words(field: str) -> str:
    return FIELD_WORDS.get(field, _title(field).lower())


def _title(id_: str) -> str:
    return id_.replace("-", " ").replace("_", " ").capitalize()


def _to_text(value: Any) -> str:
    """Return any value of an edition as one line of text."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, dict):
        return ", ".join(_to_text(member) for name, member in value.items() if member and name not in HIDDEN_MEMBERS)
    if isinstance(value, list | tuple):
        return "; ".join(_to_text(member) for member in value)
    return "" if value is None else str(value)
