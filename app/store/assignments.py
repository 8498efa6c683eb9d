"""The people that concerns are assigned to, as their chains say it."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.recorded import ASSIGNING_ACTS


def find_last_assignment(session: Session, reference: str) -> DisclosureRow | None:
    """Return the last act that assigned the concern to somebody or to nobody, or None."""
    acts = select(DisclosureRow).where(DisclosureRow.chain == reference, col(DisclosureRow.act).in_(ASSIGNING_ACTS))
    return session.exec(acts.order_by(col(DisclosureRow.number).desc()).limit(1)).first()


def list_assigned(session: Session, person: str, *, limit: int) -> Sequence[str]:
    """Return the references of concerns that are assigned to the person."""
    return session.exec(select(ConcernRow.reference).where(ConcernRow.assigned_to == person).limit(limit)).all()


def assigned_person(act: DisclosureRow) -> str | None:
    """Return the person that the act assigned the concern to; None for nobody."""
    return act.detail if act.act == DeskAct.ASSIGNED else None
