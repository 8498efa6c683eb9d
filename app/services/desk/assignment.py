"""Assignment of concerns to people of the duty team."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.writer import Writer
from app.errors import AssignmentChanged, FieldError, SameAssignment, ValidationFailed
from app.models.audit.details import (
    ASSIGNING_ACTS,
    AssignmentRefusedDetails,
    Details,
    PersonDetails,
    ReasonDetails,
    ShownDetails,
    details_of,
)
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import format_utc
from app.models.concerns.rows import CLOSED_RANK, ConcernRow
from app.services.access.restrictions import MAY_NOT_OPEN, is_openable_by, may_be_opened_by, may_open
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.concerns.rows import get_concern
from app.services.desk.inbox import URGENCY

BATCH_SIZE = 100
LEFT = "the person left the desk"


@dataclass(frozen=True)
class Assigned:
    """An assignment. `version` is the number of its audit entry, 0 if there never was one.

    `person` is None if unassigned.
    """

    person: str | None = None
    at: dt.datetime | None = None
    by: str | None = None
    version: int = 0

    @classmethod
    def by_act(cls, act: AuditEntryRow) -> Self:
        person = details_of(act).person if act.act == DeskAct.ASSIGNED else None
        return cls(person, act.at, act.client, act.number)

    def __str__(self) -> str:
        if self.at is None:
            return "It has never been assigned."
        return f"It is assigned to {self.person or 'nobody'} since {format_utc(self.at)}, by {self.by}."


def read_assignment(session: Session, reference: str, actor: Actor) -> Assigned:
    """Return the assignment, and record the reading. Raise `NoSuchConcern`."""
    get_concern(session, reference)
    record_action(session, reference, DeskAct.LISTED, actor, ShownDetails(what="assignment"))
    return find_assignment(session, reference)


def assign(
    writer: Writer,
    reference: str,
    person: str | None,
    actor: Actor,
    precondition: Callable[[int], bool] = lambda _version: True,
) -> tuple[Assigned, Assigned]:
    """Assign the concern, or unassign it if `person` is None. Return the assignment before and after.

    If `precondition` of the current version is False, record the attempt and raise `AssignmentChanged`. Raise
    `NoSuchConcern`, `ValidationFailed` if `person` may not open the concern, `ChangedMeanwhile` or `StoreBusy`.
    """
    before, after = writer.run(_assign, reference, person, actor, precondition)
    if after is None:
        raise AssignmentChanged(f"{before} Your change was not made. The attempt is recorded.")
    return before, after


def _assign(
    session: Session, reference: str, person: str | None, actor: Actor, precondition: Callable[[int], bool]
) -> tuple[Assigned, Assigned | None]:
    concern = get_concern(session, reference)
    before = find_assignment(session, reference)
    if person is not None and concern.limited_to and not is_openable_by(session, reference, person):
        raise ValidationFailed([FieldError(("person",), MAY_NOT_OPEN)])
    if not precondition(before.version):
        record_action(session, reference, DeskAct.ASSIGNMENT_REFUSED, actor, AssignmentRefusedDetails(person=person))
        return before, None
    act = DeskAct.UNASSIGNED if person is None else DeskAct.ASSIGNED
    details = None if person is None else PersonDetails(person=person)
    version = record_change(session, concern, act, actor, details).number
    concern.assigned_to = person or ""
    return before, Assigned(person, actor.at, actor.client, version)


def unassign_all(writer: Writer, person: str, *, actor: Actor) -> tuple[str, ...]:
    """Unassign in batches every concern of a person who leaves, also closed and test ones. Raise `StoreBusy`."""
    return _in_batches(writer, _every(person), "", LEFT, actor)


def give_all(writer: Writer, person: str, to: str, reason: str, *, actor: Actor) -> tuple[str, ...]:
    """Assign to `to`, or nobody if empty, the open concerns that they and `actor` may open, but no test concerns.

    Raise `SameAssignment` if it is the same person, or `StoreBusy`.
    """
    if to == person:
        raise SameAssignment
    statement = open_concerns_of(person, actor)
    if to:
        statement = statement.where(may_be_opened_by(to))
    return _in_batches(writer, statement, to, reason, actor)


def open_concerns_of(person: str, actor: Actor) -> SelectOfScalar[str]:
    """Select a person's open concerns by urgency, without tests. One with an unacknowledged addition is open."""
    is_open = (col(ConcernRow.waiting) < CLOSED_RANK) & col(ConcernRow.test).is_(False)
    return _every(person).where(is_open, may_open(actor)).order_by(*URGENCY)


def _every(person: str) -> SelectOfScalar[str]:
    return select(ConcernRow.reference).where(ConcernRow.assigned_to == person)


def _in_batches(writer: Writer, statement: SelectOfScalar[str], to: str, reason: str, actor: Actor) -> tuple[str, ...]:
    changed: list[str] = []
    while batch := writer.run(_give_some, statement, to, reason, actor=actor):
        changed += batch
    return tuple(changed)


def _give_some(session: Session, statement: SelectOfScalar[str], to: str, reason: str, *, actor: Actor) -> list[str]:
    details: Details
    act, details = DeskAct.UNASSIGNED, ReasonDetails(reason=reason)
    if to:
        act, details = DeskAct.ASSIGNED, PersonDetails(person=to, reason=reason)
    references = session.exec(statement.limit(BATCH_SIZE)).all()
    for reference in references:
        concern = get_concern(session, reference)
        record_change(session, concern, act, actor, details)
        concern.assigned_to = to
        session.flush()
    return list(references)


def list_last_assignments(session: Session, reference: str, *, limit: int) -> list[Assigned]:
    """Return the last assignments, most recent first. The caller records the reading."""
    acts = select(AuditEntryRow).where(AuditEntryRow.chain == reference, col(AuditEntryRow.act).in_(ASSIGNING_ACTS))
    return [
        Assigned.by_act(each) for each in session.exec(acts.order_by(col(AuditEntryRow.number).desc()).limit(limit))
    ]


def find_assignment(session: Session, reference: str) -> Assigned:
    """Return the assignment of a concern. The caller records the reading."""
    return next(iter(list_last_assignments(session, reference, limit=1)), Assigned())
