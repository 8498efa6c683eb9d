"""Verifying hand-overs: each row is compared with what the chain of its concern says."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.recorded import confirmed_detail, handed_over_detail
from app.store.hand_overs import list_hand_overs


def faults_in_hand_overs(session: Session, concern: ConcernRow) -> Iterator[str]:
    """Yield each fault of the hand-overs of the concern."""
    acts = (DeskAct.HANDED_OVER.value, DeskAct.HAND_OVER_CONFIRMED.value)
    chosen = select(DisclosureRow).where(DisclosureRow.chain == concern.reference, col(DisclosureRow.act).in_(acts))
    recorded = {(row.act, row.at, row.detail) for row in session.exec(chosen)}
    there = set()
    for row in list_hand_overs(session, concern.reference):
        there.add((DeskAct.HANDED_OVER.value, row.at, handed_over_detail(row)))
        if row.their_receipt is not None and row.confirmed_at is not None:
            detail = confirmed_detail(row.number, row.their_receipt)
            there.add((DeskAct.HAND_OVER_CONFIRMED.value, row.confirmed_at, detail))
    if there - recorded:
        yield "a hand-over is not the one that is recorded"
    if recorded - there:
        yield "a recorded hand-over, or its receipt, is missing"
