"""Every guide that has a current edition, as lists for people name it: by letter, by subject and by publisher."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import Session

from app.models.code_lists import Code
from app.models.guidance.guide_tables import EditionRow
from app.services.guidance.reference_data import ReferenceData
from app.services.guidance.subjects import subject_codes, subjects_of_rows
from app.store.current_editions import list_current_rows

LEAD = re.compile(r"^\W*(?:one[- ]minute guide\W*(?:to|on|about|for)?\s+)?(?:(?:a|an|the)\s+)?", re.IGNORECASE)
"""What titles begin with, and nobody looks for."""
OTHER_LETTER = "0"
"""In place of a letter, for a title that begins with something else."""


@dataclass(frozen=True)
class ListedGuide:
    """A guide with its subjects, and what its current edition says of itself."""

    row: EditionRow
    subjects: Sequence[Code]

    @property
    def publisher(self) -> str:
        """The name of the body that publishes it."""
        return str(self.row.publisher["name"])

    @cached_property
    def sort_name(self) -> str:
        """The title without the words that many titles begin with."""
        return LEAD.sub("", self.row.title).casefold() or self.row.title.casefold()

    @property
    def letter(self) -> str:
        """The capital letter under which it is listed."""
        first = self.sort_name[:1].upper()
        return first if "A" <= first <= "Z" else OTHER_LETTER


def list_guides(session: Session, reference_data: ReferenceData) -> list[ListedGuide]:
    """Return every guide, by its title."""
    rows = list_current_rows(session)
    subjects = subjects_of_rows(rows, reference_data)
    listed = [ListedGuide(row, subjects[row.guide]) for row in rows]
    return sorted(listed, key=lambda each: (each.sort_name, each.row.guide))


def group_by_subject(
    listed: Sequence[ListedGuide], reference_data: ReferenceData
) -> list[tuple[Code | None, list[ListedGuide]]]:
    """Return the guides of each subject that has any, in the order of the list; last, those without a subject."""
    codes: list[Code | None] = [*subject_codes(reference_data), None]
    groups = [
        (code, [each for each in listed if (code in each.subjects if code else not each.subjects)]) for code in codes
    ]
    return [(code, guides) for code, guides in groups if guides]
