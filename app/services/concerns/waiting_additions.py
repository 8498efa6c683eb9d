"""Additions that are not acknowledged yet ('waiting'), and their acknowledgement: to test concerns without events."""

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, exists, func, literal_column, select, update
from sqlmodel import Session

from app.db.tables import table_of
from app.errors import FieldError, NoSuchItem, NotAcknowledged, ValidationFailed
from app.models.audit.details import AcknowledgedDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import DeskAct
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.entries import ENTRY_WAITS, EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import LEAST_URGENT_FIRST, ConcernRow
from app.models.events.rows import EventKind
from app.services.access.restrictions import uncounted
from app.services.audit.audit_log import Actor, record_change
from app.services.concerns.entries import entries_of, measure_entries
from app.services.concerns.rows import get_concern
from app.services.events.outbox import append_events, events_about

NO_SUCH_ADDITION = "The concern has no addition with that number."
_TABLE, _CONCERNS = table_of(EntryRow), table_of(ConcernRow).c
_ENTRIES = _TABLE.c
_WAITS: ColumnElement[bool] = literal_column(f"({ENTRY_WAITS})")
_OF_A_TEST = exists().where(_CONCERNS.reference == _ENTRIES.reference, _CONCERNS.test)
_MOST_URGENT = func.max(
    case({each: rank for rank, each in enumerate(LEAST_URGENT_FIRST)}, value=_ENTRIES.immediate_danger)
)


def acknowledge_addition(session: Session, reference: str, number: int, actor: Actor) -> ConcernRow:
    """Acknowledge an addition, with an event unless it was acknowledged before.

    Raise `NoSuchConcern`, `NoSuchItem`, or `NotAcknowledged` if the concern itself is not.
    """
    concern = get_concern(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    if number > count:
        raise NoSuchItem(NO_SUCH_ADDITION)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor, AcknowledgedDetails(addition=number))
    _acknowledge(session, concern, first=number, last=number, at=actor.at)
    return concern


def acknowledge_up_to(session: Session, concern: ConcernRow, number: int, *, at: dt.datetime) -> None:
    """Acknowledge each addition up to a number, once the act is recorded. Raise `ValidationFailed`."""
    if number == 0:
        return
    count, _ = measure_entries(session, EntryKind.ADDITION, concern.reference)
    if number > count:
        raise ValidationFailed([FieldError(("up_to_addition",), NO_SUCH_ADDITION)])
    _acknowledge(session, concern, first=1, last=number, at=at)


def last_waiting_addition(session: Session, reference: str, *, until: dt.datetime) -> int:
    """Return the number of the last waiting addition, or 0 if none waits."""
    waiting = (*entries_of(EntryKind.ADDITION, reference), _WAITS, _ENTRIES.received_at <= until)
    last = select(func.coalesce(func.max(_ENTRIES.number), 0)).where(*waiting)
    return int(session.connection().execute(last).scalar_one())


def first_in_danger(session: Session, reference: str) -> int | None:
    in_danger = (_WAITS, _ENTRIES.immediate_danger == ImmediateDanger.YES.value)
    first = select(func.min(_ENTRIES.number)).where(*entries_of(EntryKind.ADDITION, reference), *in_danger)
    number: int | None = session.connection().execute(first).scalar_one()
    return number


def _acknowledge(session: Session, concern: ConcernRow, *, first: int, last: int, at: dt.datetime) -> None:
    named = (*entries_of(EntryKind.ADDITION, concern.reference), _ENTRIES.number.between(first, last), _WAITS)
    changed = update(_TABLE).where(*named).values(acknowledged_at=at)
    found = session.connection().execute(changed.returning(_ENTRIES.number, _ENTRIES.acknowledge_by)).all()
    update_waiting(session, concern)
    events = []
    for addition in sorted((number, due) for number, due in found):
        events += events_about(EventKind.CONCERN_ADDITION_ACKNOWLEDGED, concern, at=at, addition=addition)
    append_events(session.connection(), events)


def update_waiting(session: Session, concern: ConcernRow) -> None:
    """Store number, earliest deadline and most urgent answer of the waiting additions, which sort the inbox."""
    counted = select(func.count(), func.min(_ENTRIES.acknowledge_by), _MOST_URGENT)
    waiting = counted.where(*entries_of(EntryKind.ADDITION, concern.reference), _WAITS)
    count, earliest, danger = session.connection().execute(waiting).one()
    concern.additions_waiting, concern.addition_acknowledge_by = count, earliest
    concern.addition_danger = None if danger is None else LEAST_URGENT_FIRST[danger]


class WaitingAdditions(NamedTuple):
    """The waiting additions of a concern. `number_due` has the earliest deadline.

    `since` and `danger_due` may be of others. `has_answer` says that one answers a message.
    """

    since: dt.datetime
    has_answer: bool
    number_due: int
    danger_due: str | None


def find_waiting(session: Session, references: Collection[str]) -> dict[str, WaitingAdditions]:
    """Return the additions by reference, from metadata only."""
    if not references:
        return {}
    message = _TABLE.alias("message").c
    is_answer = exists().where(
        message.reference == _ENTRIES.reference,
        message.kind == EntryKind.MESSAGE.value,
        message.answered_by == _ENTRIES.number,
    )
    waiting = (
        select(
            _ENTRIES.reference,
            _ENTRIES.came_at,
            case((is_answer, 1), else_=0),
            _ENTRIES.number,
            _ENTRIES.immediate_danger,
        )
        .where(_ENTRIES.reference.in_(references), _ENTRIES.kind == EntryKind.ADDITION.value, _WAITS)
        .order_by(_ENTRIES.reference, _ENTRIES.acknowledge_by, _ENTRIES.number)
    )
    found: dict[str, WaitingAdditions] = {}
    for reference, came_at, answers, number, danger in session.connection().execute(waiting):
        first = found.get(reference) or WaitingAdditions(came_at, False, number, danger)
        found[reference] = first._replace(has_answer=first.has_answer or bool(answers))
    return found


def count_additions(session: Session, *, now: dt.datetime, actor: Actor | None = None) -> dict[str, int]:
    """Return `additions_waiting` and `additions_overdue`, leaving out test and `uncounted` concerns."""
    is_late = case((_ENTRIES.acknowledge_by < now, 1))
    counted = select(func.count(), func.count(is_late)).where(_WAITS, ~_OF_A_TEST)
    counted = counted.where(_ENTRIES.reference.not_in(uncounted(actor)))
    waiting, overdue = session.connection().execute(counted).one()
    return {"additions_waiting": waiting, "additions_overdue": overdue}
