"""The duty team's operations. Each writes a disclosure in the same transaction."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from app.errors import ConcernErased, NotAcknowledged, OnHold, OutcomeGiven
from app.models.concerns.tables import AdditionRow, ConcernRow, ConcernState
from app.models.desk.disclosure_tables import INBOX, DeskAct
from app.models.events.tables import EventKind
from app.services.events.payloads import concern_payload
from app.store.concerns import erase_sealed, get_concern, list_additions
from app.store.disclosures import Actor, record_disclosure
from app.store.events import append_event
from app.store.inbox import InboxPosition, InboxQuery, count_states, list_inbox
from app.store.writer import Writer


@dataclass(frozen=True)
class SealedConcern:
    """A concern and its additions, still sealed; the opening is recorded."""

    concern: ConcernRow
    additions: tuple[AdditionRow, ...]


def read_inbox(
    writer: Writer, query: InboxQuery, *, actor: Actor, at: dt.datetime, after: InboxPosition | None, limit: int
) -> list[Row[Any]]:
    """Return one page of the inbox, and one row more if there is a next page. The rows of the page are recorded."""

    def write(session: Session) -> list[Row[Any]]:
        rows = list_inbox(session, query, now=at, after=after, limit=limit + 1)
        shown = " ".join(row.reference for row in rows[:limit])
        record_disclosure(session, chain=INBOX, act=DeskAct.LISTED, actor=actor, at=at, detail=shown)
        return rows

    return writer.run(write)


def read_summary(writer: Writer, *, actor: Actor, at: dt.datetime) -> dict[str, int]:
    """Count the concerns in each state."""

    def write(session: Session) -> dict[str, int]:
        record_disclosure(session, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, at=at)
        return count_states(session, now=at)

    return writer.run(write)


def fetch_sealed(writer: Writer, reference: str, *, actor: Actor, at: dt.datetime, how: str) -> SealedConcern:
    """Return the sealed texts of a concern, for opening. Raises `NoSuchConcern` or `ConcernErased`."""

    def write(session: Session) -> SealedConcern:
        concern = get_concern(session, reference)
        if concern.erased_at is not None:
            raise ConcernErased
        record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=how)
        return SealedConcern(concern, tuple(list_additions(session, reference)))

    return writer.run(write)


def acknowledge(writer: Writer, reference: str, *, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Record that a social worker has seen the concern. Again, it only adds a disclosure. Raises `NoSuchConcern`."""

    def write(session: Session) -> ConcernRow:
        concern = get_concern(session, reference)
        record_disclosure(session, chain=reference, act=DeskAct.ACKNOWLEDGED, actor=actor, at=at)
        if concern.state == ConcernState.RECEIVED:
            concern.state, concern.acknowledged_at = ConcernState.ACKNOWLEDGED.value, at
            append_event(session, EventKind.CONCERN_ACKNOWLEDGED, at=at, data=concern_payload(concern))
        return concern

    return writer.run(write)


def close(writer: Writer, reference: str, *, outcome: str, shared: bool, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Close the concern with its outcome. Raises `NoSuchConcern`, `NotAcknowledged`, or `OutcomeGiven` for another."""
    detail = f"{outcome}, {'shared' if shared else 'not shared'} with the reporter"

    def write(session: Session) -> ConcernRow:
        concern = get_concern(session, reference)
        was_closed = concern.state == ConcernState.CLOSED
        if concern.state == ConcernState.RECEIVED:
            raise NotAcknowledged
        if was_closed and concern.outcome != outcome:
            raise OutcomeGiven
        record_disclosure(session, chain=reference, act=DeskAct.CLOSED, actor=actor, at=at, detail=detail)
        concern.state, concern.closed_at = ConcernState.CLOSED.value, concern.closed_at or at
        concern.outcome, concern.outcome_shared = outcome, shared
        if not was_closed:
            append_event(session, EventKind.CONCERN_CLOSED, at=at, data=concern_payload(concern))
        return concern

    return writer.run(write)


def hold(writer: Writer, reference: str, *, held: bool, reason: str, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Put the concern on hold, so that it is not erased, or release it. Raises `NoSuchConcern`."""
    act = DeskAct.HELD if held else DeskAct.RELEASED

    def write(session: Session) -> ConcernRow:
        concern = get_concern(session, reference)
        record_disclosure(session, chain=reference, act=act, actor=actor, at=at, detail=reason)
        concern.held = held
        return concern

    return writer.run(write)


def erase(writer: Writer, reference: str, *, reason: str, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Erase the concern's text for good. Raises `NoSuchConcern`, `NotAcknowledged`, `OnHold` or `ConcernErased`."""

    def write(session: Session) -> ConcernRow:
        concern = get_concern(session, reference)
        if concern.state == ConcernState.RECEIVED:
            raise NotAcknowledged
        if concern.held:
            raise OnHold
        if concern.sealed is None:
            raise ConcernErased
        record_disclosure(session, chain=reference, act=DeskAct.ERASED, actor=actor, at=at, detail=reason)
        erase_sealed(session, concern, at=at)
        return concern

    return writer.run(write)
