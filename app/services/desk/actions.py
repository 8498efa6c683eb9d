"""The duty team's operations, each with a disclosure in the same transaction, and the events of overdue concerns."""

import datetime as dt
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from app.errors import ConcernErased, NotAcknowledged, OnHold, OutcomeGiven
from app.models.concerns.receipts import ConcernState
from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import INBOX, DeskAct
from app.models.desk.recorded import closing_detail
from app.models.events.tables import EventKind
from app.services.entries import acknowledge_up_to, count_additions
from app.services.events.payloads import concern_payload
from app.store.changes import record_change
from app.store.concerns import erase_sealed, get_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.events import append_event
from app.store.inbox import InboxPosition, InboxQuery, count_states, list_inbox
from app.store.writer import write_operation


@write_operation
def read_inbox(
    session: Session, query: InboxQuery, *, actor: Actor, at: dt.datetime, after: InboxPosition | None, limit: int
) -> list[Row[Any]]:
    """Return one page of the inbox, and one row more if there is a next page. The rows of the page are recorded."""
    rows = list_inbox(session, query, now=at, after=after, limit=limit + 1)
    shown = " ".join(row.reference for row in rows[:limit])
    record_disclosure(session, chain=INBOX, act=DeskAct.LISTED, actor=actor, at=at, detail=shown)
    return rows


@write_operation
def read_summary(session: Session, *, actor: Actor, at: dt.datetime) -> dict[str, int]:
    """Count the concerns in each state, and the additions that wait."""
    record_disclosure(session, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, at=at)
    return count_states(session, now=at) | count_additions(session, now=at)


@write_operation
def acknowledge(
    session: Session, reference: str, *, actor: Actor, at: dt.datetime, up_to_addition: int = 0
) -> ConcernRow:
    """Record that a social worker has seen the concern, and what was added to it, up to the addition of that number.

    Later additions go on waiting: an acknowledgement covers only what it names. Again, it only adds a disclosure.
    Raises `NoSuchConcern`, or `ValidationFailed` if there is no addition of that number.
    """
    concern = get_concern(session, reference)
    detail = f"with additions 1 to {up_to_addition}" if up_to_addition else ""
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor=actor, at=at, detail=detail)
    if concern.state == ConcernState.RECEIVED:
        concern.state, concern.acknowledged_at = ConcernState.ACKNOWLEDGED.value, at
        _announce(session, EventKind.CONCERN_ACKNOWLEDGED, concern, at=at)
    acknowledge_up_to(session, concern, up_to_addition, at=at)
    return concern


@write_operation
def close(session: Session, reference: str, *, outcome: str, shared: bool, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Close the concern with its outcome. Raises `NoSuchConcern`, `NotAcknowledged`, or `OutcomeGiven` for another."""
    detail = closing_detail(outcome, shared=shared)
    concern = get_concern(session, reference)
    was_closed = concern.state == ConcernState.CLOSED
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if was_closed and concern.outcome != outcome:
        raise OutcomeGiven
    record_change(session, concern, DeskAct.CLOSED, actor=actor, at=at, detail=detail)
    concern.state, concern.closed_at = ConcernState.CLOSED.value, concern.closed_at or at
    concern.outcome, concern.outcome_shared = outcome, shared
    if not was_closed:
        _announce(session, EventKind.CONCERN_CLOSED, concern, at=at)
    return concern


@write_operation
def hold(session: Session, reference: str, *, held: bool, reason: str, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Put the concern on hold, so that it is not erased, or release it. Raises `NoSuchConcern`."""
    act = DeskAct.HELD if held else DeskAct.RELEASED
    concern = get_concern(session, reference)
    record_change(session, concern, act, actor=actor, at=at, detail=reason)
    concern.held = held
    return concern


@write_operation
def erase(session: Session, reference: str, *, reason: str, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Erase the concern's text, and what was added to it, for good.

    Raises `NoSuchConcern`, `NotAcknowledged` (if anything that was added waits too), `OnHold` or `ConcernErased`.
    """
    concern = get_concern(session, reference)
    if concern.state == ConcernState.RECEIVED or concern.additions_waiting:
        raise NotAcknowledged
    if concern.held:
        raise OnHold
    if concern.erased_at is not None:
        raise ConcernErased
    record_change(session, concern, DeskAct.ERASED, actor=actor, at=at, detail=reason)
    erase_sealed(session, concern, at=at)
    return concern


def _announce(session: Session, kind: EventKind, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Append the event, unless the concern is a test."""
    if not concern.test:
        append_event(session, kind, at=at, data=concern_payload(concern))
