"""The comparison of two editions, and its response."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from pydantic import Field, JsonValue

from app.models.base import ResponseModel
from app.models.guides.editions import EditionContent
from app.models.guides.guides import GUIDANCE_LINKS, Item, WithCautions
from app.models.guides.items import Caution
from app.models.guides.sections import ITEM_LISTS
from app.models.links import Links

COMPARED_FIELDS = tuple(name for name in EditionContent.model_fields if name not in (*ITEM_LISTS, "change_note"))
SWAPPED = 2


class WordChange(StrEnum):
    """The kind of change to a run of words."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


class WordRun(ResponseModel):
    """A run of words, with the kind of change."""

    change: WordChange = Field(description="Kind of change.", examples=["added"])
    text: str = Field(description="The words.", examples=["or online"])


class Reworded(ResponseModel):
    """An item of both editions whose text or fields changed."""

    id: str = Field(description="The item's id.", examples=["secrecy"])
    fields: tuple[str, ...] = Field(description="The fields that differ.", examples=[["text"]])
    before: Item | Caution = Field(description="Item in the earlier edition.")
    after: Item | Caution = Field(description="The item in the later edition.")
    words: tuple[WordRun, ...] = Field(
        description="Word-level differences of the text; empty if it is the same or absent."
    )


class Moved(ResponseModel):
    """An item whose order changed among the items of both editions."""

    id: str = Field(description="The item's id.", examples=["secrecy"])
    position_before: int = Field(description="Position in the earlier edition.", examples=[2])
    position_after: int = Field(description="Position in the later edition.", examples=[5])


class SectionChanges(ResponseModel):
    """Changes in one section."""

    added: tuple[Item | Caution, ...] = Field(description="Items only in the later edition.")
    removed: tuple[Item | Caution, ...] = Field(description="Items only in the earlier edition.")
    reworded: tuple[Reworded, ...] = Field(description="Items whose text or other fields differ.")
    moved: tuple[Moved, ...] = Field(
        description="The smallest set of moved items that explains the new order; both items if two swapped places."
    )


class FieldChange(ResponseModel):
    """A changed field of the edition itself."""

    field: str = Field(description="The field.", examples=["title"])
    before: JsonValue = Field(description="Its value in the earlier edition.", examples=["A title"])
    after: JsonValue = Field(description="Its value in the later edition.", examples=["Another title"])


class ChangesResponse(WithCautions):
    """Changes between two editions.

    `edition`, `digest` and `cautions` belong to the later edition, which the path names.
    """

    since: int = Field(description="Number of the earlier edition.", examples=[1])
    change_note: str = Field(description="The publisher's note on the changes.", examples=["One indicator added."])
    sections: dict[str, SectionChanges] = Field(
        description="Changed sections by key. Absent sections did not change.",
        examples=[{"indicators": {"added": [], "removed": [], "reworded": [], "moved": []}}],
    )
    fields: tuple[FieldChange, ...] = Field(description="Changed fields of the edition itself.")
    links: Links = GUIDANCE_LINKS


def changed_sections(before: EditionContent, after: EditionContent) -> dict[str, SectionChanges]:
    """Return the changes of cautions and sections by the key of the list. Lists without changes are left out."""
    compared = {name: _compare(getattr(before, name), getattr(after, name)) for name in ITEM_LISTS}
    return {name: changes for name, changes in compared.items() if any(dict(changes).values())}


def changed_fields(before: EditionContent, after: EditionContent) -> tuple[FieldChange, ...]:
    """Return the fields of the edition itself that differ between `before` and `after`, outside its lists of items.

    Leave out the change note, because it is different in every edition.
    """
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(
        FieldChange(field=name, before=old[name], after=new[name]) for name in COMPARED_FIELDS if old[name] != new[name]
    )


def changed_words(before: str, after: str) -> tuple[WordRun, ...]:
    """Return both texts as one sequence of runs of words: unchanged, only in `before`, or only in `after`."""
    old, new = before.split(), after.split()
    runs: list[WordRun] = []
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        changes = {WordChange.REMOVED: old[i:j], WordChange.ADDED: new[k:m]}
        found = {WordChange.KEPT: old[i:j]} if kind == "equal" else changes
        runs += [WordRun(change=change, text=" ".join(words)) for change, words in found.items() if words]
    return tuple(runs)


def moved_items(before: list[str], after: list[str]) -> tuple[Moved, ...]:
    """Return the items that moved within a list, given the ids in the two editions, in order.

    Items that only shift because others were added or removed have not moved. If two items changed places, both are
    returned; otherwise the fewest items whose moves explain the new order. Positions are from 1.
    """
    old = [id_ for id_ in before if id_ in after]
    new = [id_ for id_ in after if id_ in before]
    displaced = [id_ for place, id_ in enumerate(new) if old[place] != id_]
    moved = (
        displaced if len(displaced) <= SWAPPED else [id_ for id_ in new if id_ not in _longest_common_order(old, new)]
    )
    return tuple(
        Moved(id=id_, position_before=before.index(id_) + 1, position_after=after.index(id_) + 1) for id_ in moved
    )


def _compare(before: Sequence[Any], after: Sequence[Any]) -> SectionChanges:
    old, new = {item.id: item for item in before}, {item.id: item for item in after}
    rewordings = (_reword(old[id_], item) for id_, item in new.items() if id_ in old)
    return SectionChanges(
        added=tuple(item for id_, item in new.items() if id_ not in old),
        removed=tuple(item for id_, item in old.items() if id_ not in new),
        reworded=tuple(reworded for reworded in rewordings if reworded is not None),
        moved=moved_items(list(old), list(new)),
    )


def _reword(before: Any, after: Any) -> Reworded | None:
    fields = tuple(
        name
        for name in type(after).model_fields
        if name != "position" and getattr(before, name) != getattr(after, name)
    )
    if not fields:
        return None
    words = changed_words(before.text, after.text) if "text" in fields else ()
    return Reworded(id=after.id, fields=fields, before=before, after=after, words=words)


def _longest_common_order(old: list[str], new: list[str]) -> set[str]:
    """Return the largest set of items that are in the same order in both lists.

    Both lists contain the same items. The result is the longest increasing subsequence of the positions in `old`.
    """
    best: list[list[int]] = []
    for place in (old.index(id_) for id_ in new):
        longest = max((run for run in best if run[-1] < place), key=len, default=[])
        best.append([*longest, place])
    return {old[place] for place in max(best, key=len, default=[])}
