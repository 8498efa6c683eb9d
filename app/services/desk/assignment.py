"""Assigning concerns to people: each change is on the record, and its answer has what it replaced."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sqlmodel import Session, col, select

from app.errors import AssignmentChanged
from app.models.base import format_utc
from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.recorded import ASSIGNING_ACTS
from app.store.changes import record_change
from app.store.concerns import get_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import Writer, write_operation

UNASSIGNING_BATCH_SIZE = 100
LEFT = "the person left the desk"


@dataclass(frozen=True)
class Assigned:
    """The person that a concern is assigned to, and the act that did it. `version` grows with every change."""

    person: str | None = None
    at: dt.datetime | None = None
    by: str | None = None
    version: int = 0

    @classmethod
    def by_act(cls, act: DisclosureRow | None) -> Self:
        """Return the assignment that the act made; without an act, that nobody ever assigned the concern."""
        return (
            cls()
            if act is None
            else cls(act.detail if act.act == DeskAct.ASSIGNED else None, act.at, act.client, act.number)
        )

    def __str__(self) -> str:
        """Return it in a sentence."""
        if self.at is None:
            return "Nobody ever assigned it."
        return f"It is assigned to {self.person or 'nobody'} since {format_utc(self.at)}, by {self.by}."


@dataclass(frozen=True)
class Change:
    """The assignment before and after a request. They are the same if it was refused."""

    before: Assigned
    after: Assigned
    is_refused: bool = False


ExpectedVersion = Callable[[int], bool]

"""Says whether the version is the one that the caller expects."""


def any_version(_version: int) -> bool:
    """Return True: nothing is expected."""
    return True


@write_operation
def read_assignment(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> Assigned:
    """Return who has the concern. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_disclosure(session, chain=concern.reference, act=DeskAct.LISTED, actor=actor, at=at, detail="assignment")
    return Assigned.by_act(_find_last(session, reference))


def assign(
    writer: Writer, reference: str, person: str | None, *, actor: Actor, at: dt.datetime, precondition: ExpectedVersion
) -> Change:
    """Assign the concern to the person, or to nobody, and return the assignment before and after.

    Every request is on the record. Raises `NoSuchConcern`, or `AssignmentChanged` if the precondition does not hold.
    """
    change = _assign(writer, reference, person, actor=actor, at=at, precondition=precondition)
    if change.is_refused:
        raise AssignmentChanged(f"{change.before} Nothing was changed. The attempt is on record.")
    return change


@write_operation
def _assign(
    session: Session,
    reference: str,
    person: str | None,
    *,
    actor: Actor,
    at: dt.datetime,
    precondition: ExpectedVersion,
) -> Change:
    concern = get_concern(session, reference)
    before = Assigned.by_act(_find_last(session, reference))
    if not precondition(before.version):
        detail = f"to {person or 'nobody'}"
        record_disclosure(session, chain=reference, act=DeskAct.ASSIGNMENT_REFUSED, actor=actor, at=at, detail=detail)
        return Change(before, before, is_refused=True)
    act = DeskAct.UNASSIGNED if person is None else DeskAct.ASSIGNED
    record_change(session, concern, act, actor=actor, at=at, detail=person or "")
    concern.assigned_to = person or ""
    return Change(before, Assigned.by_act(_find_last(session, reference)))


def unassign_all(writer: Writer, person: str, *, actor: Actor, at: dt.datetime) -> tuple[str, ...]:
    """Assign to nobody all that is assigned to the person, who leaves, and return the references.

    Other work goes on between two batches. What is assigned to the person meanwhile is taken too.
    """
    taken: list[str] = []
    while batch := _unassign_some(writer, person, actor=actor, at=at):
        taken += batch
    return tuple(taken)


@write_operation
def _unassign_some(session: Session, person: str, *, actor: Actor, at: dt.datetime) -> list[str]:
    assigned = select(ConcernRow.reference).where(ConcernRow.assigned_to == person)
    references = session.exec(assigned.limit(UNASSIGNING_BATCH_SIZE)).all()
    for reference in references:
        concern = get_concern(session, reference)
        record_change(session, concern, DeskAct.UNASSIGNED, actor=actor, at=at, detail=LEFT)
        concern.assigned_to = ""
        session.flush()
    return list(references)


def _find_last(session: Session, reference: str) -> DisclosureRow | None:
    """Return the last act that assigned the concern to somebody or to nobody, or None."""
    acts = select(DisclosureRow).where(DisclosureRow.chain == reference, col(DisclosureRow.act).in_(ASSIGNING_ACTS))
    return session.exec(acts.order_by(col(DisclosureRow.number).desc()).limit(1)).first()
