"""What the record of disclosures says about the receipt of concerns and additions."""

from typing import Any

from sqlmodel import Session

from app.models.concerns.tables import ConcernRow
from app.models.desk.added_texts import AddedKind, AddedText
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.seal_entries import seal_entry
from app.store.additions import NewAddition
from app.store.changes import record_change
from app.store.concerns import NewConcern
from app.store.disclosures import Actor, first_disclosure

REPORTER = Actor("reporter", "not recorded")
"""No network address and no name of a reporter is stored."""


def receipt_disclosure(concern: NewConcern) -> dict[str, Any]:
    """Return the first row of the concern's chain: the digest of what was sealed, and of the clear columns."""
    entry = seal_entry(concern.sealed, concern.recipients, columns=vars(concern))
    return first_disclosure(
        chain=concern.reference, act=DeskAct.RECEIVED, actor=REPORTER, at=concern.received_at, detail=str(entry)
    )


def record_addition(
    session: Session, concern: ConcernRow, addition: NewAddition, *, number: int, immediate_danger: str
) -> None:
    """Record the digest of the addition with that number, and of the concern's columns as they are with it."""
    columns = dict(concern) | {"immediate_danger": immediate_danger}
    entry = seal_entry(
        addition.sealed, addition.recipients, added=AddedText(AddedKind.ADDITION, number), columns=columns
    )
    record_change(session, concern, DeskAct.ADDED, actor=REPORTER, at=addition.received_at, detail=str(entry))
