"""Changes of a concern, each on its record first."""

import datetime as dt

from sqlmodel import Session

from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.store.disclosures import Actor, record_disclosure


def record_change(
    session: Session, concern: ConcernRow, act: DeskAct, *, actor: Actor, at: dt.datetime, detail: str = ""
) -> None:
    """Append an act that changes the concern to its chain, before the change itself, and note when it was."""
    record_disclosure(session, chain=concern.reference, act=act, actor=actor, at=at, detail=detail)
    concern.changed_at = at
