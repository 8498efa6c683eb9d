"""The subjects of guides: codes of one list."""

from collections.abc import Collection, Sequence

from sqlmodel import Session

from app.models.code_lists import SUBJECTS, Code
from app.models.guidance.guide_tables import EditionRow
from app.services.guidance.reference_data import ReferenceData
from app.store.current_editions import list_current_rows


def subjects_by_guide(session: Session, reference_data: ReferenceData) -> dict[str, tuple[Code, ...]]:
    """Return the subjects of each guide that has a current edition, in the order of the list."""
    return subjects_of_rows(list_current_rows(session), reference_data)


def subjects_of_rows(rows: Sequence[EditionRow], reference_data: ReferenceData) -> dict[str, tuple[Code, ...]]:
    """Return the subjects of each guide of which there is a row, in the order of the list.

    A guide whose edition names no subject has those that its related codes name.
    """
    codes = subject_codes(reference_data)
    return {
        row.guide: tuple(_subjects_of(codes, row.subjects, [each["code"] for each in row.related_codes]))
        for row in rows
    }


def guides_about(session: Session, reference_data: ReferenceData, subject: str) -> list[str]:
    """Return the guides that are about that subject, by name."""
    found = subjects_by_guide(session, reference_data)
    return sorted(guide for guide, codes in found.items() if subject in {each.code for each in codes})


def subject_codes(reference_data: ReferenceData) -> Sequence[Code]:
    """Return the list of subjects; empty where the seed folder has none."""
    found = reference_data.code_lists.get(SUBJECTS)
    return found.codes if found is not None else ()


def _subjects_of(codes: Sequence[Code], named: Collection[str], related: Collection[str]) -> list[Code]:
    if named:
        return [each for each in codes if each.code in named]
    return [each for each in codes if not set(related).isdisjoint(each.assessment_factors)]
