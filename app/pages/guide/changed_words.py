"""What changed between two editions, told as people read changes: runs of words, struck and added."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.models.guidance.changes import FieldChange, Reworded, SectionChanges, WordChange, WordRun
from app.models.guidance.comparison import changed_words
from app.models.guidance.sections import ITEM_LISTS

UNTOLD = frozenset({"id", "position"})


@dataclass(frozen=True)
class TextChange:
    """One change, with a heading of its own."""

    what: str
    words: tuple[WordRun, ...]


@dataclass(frozen=True)
class SectionTextChanges:
    """What changed in one section."""

    name: str
    changes: tuple[TextChange, ...]


@dataclass(frozen=True)
class FieldTextChange:
    """A field of the edition itself that changed."""

    name: str
    words: tuple[WordRun, ...]


def describe_field_changes(changes: Sequence[FieldChange]) -> list[FieldTextChange]:
    """Each field of the edition itself that changed."""
    return [
        FieldTextChange(_name(change.field), changed_words(_as_words(change.before), _as_words(change.after)))
        for change in changes
    ]


def describe_section_changes(changes: Mapping[str, SectionChanges]) -> list[SectionTextChanges]:
    """Each section that changed, in the order of the page."""
    return [
        SectionTextChanges(entry.heading, tuple(_said(changes[name])))
        for name, entry in ITEM_LISTS.items()
        if name in changes
    ]


def _said(changes: SectionChanges) -> Iterator[TextChange]:
    for item in changes.added:
        yield TextChange("Added", (WordRun(change=WordChange.ADDED, text=_as_words(item)),))
    for item in changes.removed:
        yield TextChange("Taken out", (WordRun(change=WordChange.REMOVED, text=_as_words(item)),))
    for each in changes.reworded:
        yield from _reworded(each)
    for moved in changes.moved:
        where = f"{_name(moved.id)}: from place {moved.position_before} to place {moved.position_after}"
        yield TextChange("Moved", (WordRun(change=WordChange.KEPT, text=where),))


def _reworded(change: Reworded) -> Iterator[TextChange]:
    for field in change.fields:
        words = changed_words(_as_words(getattr(change.before, field)), _as_words(getattr(change.after, field)))
        yield TextChange("Reworded" if field == "text" else f"{_name(change.id)}: {_name(field).lower()}", words)


def _name(id_: str) -> str:
    return id_.replace("-", " ").replace("_", " ").capitalize()


def _as_words(value: Any) -> str:
    """Any part of an edition, on one line."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return ", ".join(_as_words(member) for name, member in value.items() if member and name not in UNTOLD)
    if isinstance(value, list | tuple):
        return "; ".join(_as_words(member) for member in value)
    return "" if value is None else str(value)
