"""What a draft changes against the current edition, and what its check says, as the pages show it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.faults import FieldError
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import GuideDraftRow
from app.models.guidance.partial_editions import read_partly
from app.models.guidance.sections import CAUTIONS, ITEM_LISTS
from app.pages.edit.fields import DETAILS, FIELD_LABELS
from app.pages.guide.changed_words import TextChange, describe_field_changes, describe_section_changes

BACKTICKED = re.compile("`([^`]+)`")
"""A key or an example in a sentence of the check."""


@dataclass(frozen=True)
class DraftComparison:
    """The changes by the name of their page, and the pages that have faults and are not compared whole."""

    changes: dict[str, list[TextChange]]
    unread: frozenset[str]


@dataclass(frozen=True)
class Remark:
    """What the check says, with the page and the name of the field that it is about."""

    words: str
    page: str
    name: str


def compare_with(draft: GuideDraftRow, current: EditionContent) -> DraftComparison:
    """Return what the draft changes."""
    after, unread = read_partly(draft.read(), current)
    by_heading = describe_section_changes(changed_sections(current, after))
    changes = {key: by_heading[entry.heading] for key, entry in ITEM_LISTS.items() if entry.heading in by_heading}
    fields = describe_field_changes(changed_fields(current, after))
    pages = frozenset(name if name in ITEM_LISTS else DETAILS for name in unread if name != "change_note")
    return DraftComparison(({DETAILS: fields} if fields else {}) | changes, pages)


def remarks_of(faults: Sequence[FieldError]) -> list[Remark]:
    """Return what the check found, each with the place where an editor corrects it."""
    return [_remark(each) for each in faults]


def _remark(fault: FieldError) -> Remark:
    words = BACKTICKED.sub(_label, fault.detail.replace("the file", "the guide"))
    page = str(fault.at[0]) if fault.at and fault.at[0] in ITEM_LISTS else DETAILS
    return Remark(words[:1].upper() + words[1:], page, ".".join(map(str, fault.at)))


def _label(found: re.Match[str]) -> str:
    """Return a key as the form names it; anything else between quotes."""
    heading = CAUTIONS.heading if found[1] == CAUTIONS.path else found[1]
    return f"‘{FIELD_LABELS.get(found[1], heading)}’"
