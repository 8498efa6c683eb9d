"""What was added to a concern: its acknowledgement, and the events when it is overdue."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from app.errors import NoSuchItem, NotAcknowledged, ValidationFailed
from app.faults import FieldError
from app.models.concerns.tables import ConcernRow, ConcernState
from app.models.desk.disclosure_tables import DeskAct
from app.models.events.tables import EventKind
from app.services.events.payloads import addition_payload
from app.store.added_texts import ADDITIONS
from app.store.additions import acknowledge_additions
from app.store.changes import record_change
from app.store.concerns import get_concern
from app.store.disclosures import Actor
from app.store.events import append_event
from app.store.writer import write_operation

NO_SUCH_ADDITION = "The concern has no addition of that number."


@write_operation
def acknowledge_addition(session: Session, reference: str, number: int, *, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Record that a social worker has seen that addition. Again, it only adds a disclosure.

    Raises `NoSuchConcern`, `NoSuchItem`, or `NotAcknowledged` if the concern itself waits.
    """
    concern = get_concern(session, reference)
    count, _ = ADDITIONS.measure(session, reference)
    if number > count:
        raise NoSuchItem(NO_SUCH_ADDITION)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    detail = f"addition {number}"
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor=actor, at=at, detail=detail)
    _acknowledge(session, concern, first=number, last=number, at=at)
    return concern


def acknowledge_up_to(session: Session, concern: ConcernRow, number: int, *, at: dt.datetime) -> None:
    """Acknowledge the additions up to that number (0: none), in the caller's transaction, which has recorded the act.

    Raises `ValidationFailed` if there is no addition of that number.
    """
    if not number:
        return
    count, _ = ADDITIONS.measure(session, concern.reference)
    if number > count:
        raise ValidationFailed([FieldError(("up_to_addition",), NO_SUCH_ADDITION)])
    _acknowledge(session, concern, first=1, last=number, at=at)


def _acknowledge(session: Session, concern: ConcernRow, *, first: int, last: int, at: dt.datetime) -> None:
    acknowledged = acknowledge_additions(session, concern, first=first, last=last, at=at)
    if not concern.test:
        _announce(session, EventKind.CONCERN_ADDITION_ACKNOWLEDGED, acknowledged, at=at)


def _announce(session: Session, kind: EventKind, additions: Sequence[Row[Any]], *, at: dt.datetime) -> None:
    for row in additions:
        concern = get_concern(session, row.reference)
        data = addition_payload(concern, number=row.number, acknowledge_by=row.acknowledge_by)
        append_event(session, kind, at=at, data=data)
