"""The comparison of two editions."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from app.models.guidance.changes import FieldChange, Moved, Reworded, SectionChanges, WordChange, WordRun
from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ITEM_LISTS

COMPARED_FIELDS = tuple(name for name in EditionContent.model_fields if name not in (*ITEM_LISTS, "change_note"))
SWAPPED = 2


def changed_sections(before: EditionContent, after: EditionContent) -> dict[str, SectionChanges]:
    """Each section in which anything changed."""
    compared = {name: _compare(getattr(before, name), getattr(after, name)) for name in ITEM_LISTS}
    return {name: changes for name, changes in compared.items() if any(dict(changes).values())}


def changed_fields(before: EditionContent, after: EditionContent) -> tuple[FieldChange, ...]:
    """Return each of the edition's own fields that differs, without the change note, which always does."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(
        FieldChange(field=name, before=old[name], after=new[name]) for name in COMPARED_FIELDS if old[name] != new[name]
    )


def changed_words(before: str, after: str) -> tuple[WordRun, ...]:
    """Return both texts as runs of words that are unchanged, removed or added."""
    old, new = before.split(), after.split()
    runs: list[WordRun] = []
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        changes = {WordChange.REMOVED: old[i:j], WordChange.ADDED: new[k:m]}
        found = {WordChange.KEPT: old[i:j]} if kind == "equal" else changes
        runs += [WordRun(change=change, text=" ".join(words)) for change, words in found.items() if words]
    return tuple(runs)


def moved_items(before: list[str], after: list[str]) -> tuple[Moved, ...]:
    """Return the items whose order among the common items changed. Added and removed neighbours move no item."""
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
    """Return the largest set of items that have the same order in both (a longest increasing subsequence)."""
    best: list[list[int]] = []
    for place in (old.index(id_) for id_ in new):
        longest = max((run for run in best if run[-1] < place), key=len, default=[])
        best.append([*longest, place])
    return {old[place] for place in max(best, key=len, default=[])}
