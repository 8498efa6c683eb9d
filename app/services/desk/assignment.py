"""Assignment of concerns to people of the duty team."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.writer import Writer
from app.errors import AssignmentChanged, FieldError, SameAssignment, ValidationFailed
from app.models.audit.audit_log import AuditEntryRow, DeskAct
from app.models.audit.details import (
    ASSIGNING_ACTS,
    AssignmentRefusedDetails,
    Details,
    PersonDetails,
    ReasonDetails,
    ShownDetails,
    details_of,
)
from app.models.base import format_utc
from app.models.concerns.rows import CLOSED_RANK, ConcernRow
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.audit.restrictions import MAY_NOT_OPEN, is_openable_by, may_be_opened_by, may_open
from app.services.concerns.rows import get_concern
from app.services.desk.inbox import URGENCY

BATCH_SIZE = 100
LEFT = "the person left the desk"


@dataclass(frozen=True)
class Assigned:
    """An assignment of a concern: the person, the time `at`, and the client `by` that made the assignment.

    `person` is None if the concern is unassigned. `version` is the number of the audit log entry of the assignment, so
    a later assignment has a greater `version`. `version` is 0 if the concern was never assigned.
    """

    person: str | None = None
    at: dt.datetime | None = None
    by: str | None = None
    version: int = 0

    @classmethod
    def by_act(cls, act: AuditEntryRow) -> Self:
        """Return the assignment that `act` records. `act` is an audit log entry of an assignment or unassignment."""
        person = details_of(act).person if act.act == DeskAct.ASSIGNED else None
        return cls(person, act.at, act.client, act.number)

    def __str__(self) -> str:
        """Return the assignment as a sentence."""
        if self.at is None:
            return "It has never been assigned."
        return f"It is assigned to {self.person or 'nobody'} since {format_utc(self.at)}, by {self.by}."


@dataclass(frozen=True)
class Reassignment:
    """The person to whom all open concerns of a colleague are assigned, and the reason.

    `person` is empty if the concerns are to be unassigned.
    """

    person: str
    reason: str


def read_assignment(session: Session, reference: str, actor: Actor) -> Assigned:
    """Record the reading in the audit log, and return the current assignment of the concern.

    Raise `NoSuchConcern` if the reference is unknown.
    """
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
    """Assign the concern to `person`, or unassign it if `person` is None. Return the assignment before and after.

    `precondition` is called with the version of the current assignment. If it returns False, change nothing, record the
    attempt in the audit log, and raise `AssignmentChanged`. Otherwise record the change.

    Raise `NoSuchConcern` if the reference is unknown, or `ValidationFailed` if the concern is restricted and `person`
    may not open it. Raise `ChangedMeanwhile` if another client changed the assignment after `actor.seen`. Raise
    `StoreBusy` if the change could not be stored in time.
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
    """Unassign every concern of `person`, who leaves the desk. Return the references of the concerns.

    Closed concerns and test concerns are unassigned too. Record each change in the audit log. Other writers can run
    between batches of concerns. A concern that is assigned to `person` between two batches is unassigned too. Raise
    `StoreBusy` if a batch could not be stored in time.
    """
    return _in_batches(writer, _every(person), Reassignment("", LEFT), actor)


def give_all(writer: Writer, person: str, to: Reassignment, *, actor: Actor) -> tuple[str, ...]:
    """Assign every open concern of `person` to `to.person`, or unassign the concerns if `to.person` is empty.

    Return the references of the concerns. Record each change in the audit log with the reason `to.reason`. Leave out
    test concerns, and concerns that `actor` or `to.person` may not open. Other writers can run between batches of
    concerns. A concern that is assigned to `person` between two batches is reassigned too. Raise `SameAssignment` if
    `to.person` is `person`, or `StoreBusy` if a batch could not be stored in time.
    """
    if to.person == person:
        raise SameAssignment
    wanted = open_concerns_of(person, actor)
    if to.person:
        wanted = wanted.where(may_be_opened_by(to.person))
    return _in_batches(writer, wanted, to, actor)


def open_concerns_of(person: str, actor: Actor) -> SelectOfScalar[str]:
    """Return a query for the references of the open concerns of `person` that `actor` may open, most urgent first.

    Leave out test concerns. A closed concern with an unacknowledged addition counts as open.
    """
    is_open = (col(ConcernRow.waiting) < CLOSED_RANK) & col(ConcernRow.test).is_(False)
    return _every(person).where(is_open, may_open(actor)).order_by(*URGENCY)


def _every(person: str) -> SelectOfScalar[str]:
    return select(ConcernRow.reference).where(ConcernRow.assigned_to == person)


def _in_batches(writer: Writer, wanted: SelectOfScalar[str], to: Reassignment, actor: Actor) -> tuple[str, ...]:
    changed: list[str] = []
    while batch := writer.run(_give_some, wanted, to, actor=actor):
        changed += batch
    return tuple(changed)


def _give_some(session: Session, wanted: SelectOfScalar[str], to: Reassignment, *, actor: Actor) -> list[str]:
    details: Details
    act, details = DeskAct.UNASSIGNED, ReasonDetails(reason=to.reason)
    if to.person:
        act, details = DeskAct.ASSIGNED, PersonDetails(person=to.person, reason=to.reason)
    references = session.exec(wanted.limit(BATCH_SIZE)).all()
    for reference in references:
        concern = get_concern(session, reference)
        record_change(session, concern, act, actor, details)
        concern.assigned_to = to.person
        session.flush()
    return list(references)


def list_last_assignments(session: Session, reference: str, *, limit: int) -> list[Assigned]:
    """Return the last `limit` assignments and unassignments of the concern, most recent first.

    The caller must record the reading in the audit log.
    """
    acts = select(AuditEntryRow).where(AuditEntryRow.chain == reference, col(AuditEntryRow.act).in_(ASSIGNING_ACTS))
    return [
        Assigned.by_act(each) for each in session.exec(acts.order_by(col(AuditEntryRow.number).desc()).limit(limit))
    ]


def find_assignment(session: Session, reference: str) -> Assigned:
    """Return the current assignment of the concern. The caller must record the reading in the audit log."""
    return next(iter(list_last_assignments(session, reference, limit=1)), Assigned())
