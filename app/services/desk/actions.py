"""The duty team's acts. Each is written on the record of disclosures in the same transaction, or does not happen."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from app.errors import ConcernErased, NotAcknowledged, OnHold, OutcomeGiven
from app.models.concerns.tables import AdditionRow, ConcernRow, ConcernState
from app.models.desk.disclosure_tables import AUDIT, INBOX, DeskAct, DisclosureRow
from app.models.events.tables import EventKind
from app.services.events.payloads import concern_data
from app.store.concerns import erase_sealed, get_concern, list_additions, update_concern
from app.store.disclosures import Actor, end_of_chain, list_disclosures, record_disclosure
from app.store.disclosures import DisclosurePosition as DisclosurePlace
from app.store.events import tell
from app.store.inbox import InboxPosition, InboxQuery, count_states, list_inbox


@dataclass(frozen=True)
class SealedConcern:
    """A concern and its additions, still sealed, once the opening is on the record."""

    concern: ConcernRow
    additions: tuple[AdditionRow, ...]


def browse_inbox(
    connection: Connection,
    wanted: InboxQuery,
    *,
    actor: Actor,
    at: dt.datetime,
    after: InboxPosition | None,
    limit: int,
) -> list[Row[Any]]:
    """One page of the inbox, and one row more where there is a next page. What was shown stands on the record."""
    rows = list_inbox(connection, wanted, now=at, after=after, limit=limit + 1)
    shown = " ".join(row.reference for row in rows[:limit])
    record_disclosure(connection, chain=INBOX, act=DeskAct.LISTED, actor=actor, at=at, detail=shown)
    return rows


def read_summary(connection: Connection, *, actor: Actor, at: dt.datetime) -> dict[str, int]:
    """How many concerns stand in each state."""
    record_disclosure(connection, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, at=at)
    return count_states(connection, now=at)


def fetch_sealed(connection: Connection, reference: str, *, actor: Actor, at: dt.datetime, how: str) -> SealedConcern:
    """The sealed texts of a concern, for opening. Raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_concern(connection, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    record_disclosure(connection, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=how)
    return SealedConcern(concern, tuple(list_additions(connection, reference)))


def acknowledge(connection: Connection, reference: str, *, actor: Actor, at: dt.datetime) -> ConcernRow:
    """A social worker has seen it. Doing so again changes nothing but the record. Raises `NoSuchConcern`."""
    concern = get_concern(connection, reference)
    record_disclosure(connection, chain=reference, act=DeskAct.ACKNOWLEDGED, actor=actor, at=at)
    if concern.state == ConcernState.RECEIVED:
        update_concern(connection, reference, state=ConcernState.ACKNOWLEDGED.value, acknowledged_at=at)
        concern = get_concern(connection, reference)
        tell(connection, EventKind.CONCERN_ACKNOWLEDGED, at=at, data=concern_data(concern))
    return concern


def close(
    connection: Connection, reference: str, *, outcome: str, shared: bool, actor: Actor, at: dt.datetime
) -> ConcernRow:
    """Close it with its outcome. Raises `NoSuchConcern`, `NotAcknowledged`, `OutcomeGiven` where another was given."""
    concern = get_concern(connection, reference)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if concern.state == ConcernState.CLOSED and concern.outcome != outcome:
        raise OutcomeGiven
    detail = f"{outcome}, {'shared' if shared else 'not shared'} with the reporter"
    record_disclosure(connection, chain=reference, act=DeskAct.CLOSED, actor=actor, at=at, detail=detail)
    update_concern(
        connection,
        reference,
        state=ConcernState.CLOSED.value,
        closed_at=concern.closed_at or at,
        outcome=outcome,
        outcome_shared=shared,
    )
    closed = get_concern(connection, reference)
    if concern.state != ConcernState.CLOSED:
        tell(connection, EventKind.CONCERN_CLOSED, at=at, data=concern_data(closed))
    return closed


def hold(
    connection: Connection, reference: str, *, held: bool, reason: str, actor: Actor, at: dt.datetime
) -> ConcernRow:
    """Keep it from being erased, or lift that. Raises `NoSuchConcern`."""
    get_concern(connection, reference)
    act = DeskAct.HELD if held else DeskAct.RELEASED
    record_disclosure(connection, chain=reference, act=act, actor=actor, at=at, detail=reason)
    update_concern(connection, reference, held=held)
    return get_concern(connection, reference)


def read_disclosures(
    connection: Connection,
    *,
    chain: str | None,
    client: str | None,
    actor: Actor,
    at: dt.datetime,
    after: DisclosurePlace | None,
    limit: int,
) -> list[DisclosureRow]:
    """One page of the record; that it was read stands on the record too."""
    rows = list_disclosures(connection, chain=chain, client=client, after=after, limit=limit)
    detail = " ".join(word for word in (chain, client) if word)
    record_disclosure(connection, chain=AUDIT, act=DeskAct.DISCLOSURES_READ, actor=actor, at=at, detail=detail)
    return rows


def read_end_of_chain(connection: Connection, chain: str, *, actor: Actor, at: dt.datetime) -> tuple[int, str]:
    """The length and the last hash of a chain, for a signed statement."""
    end = end_of_chain(connection, chain)
    record_disclosure(connection, chain=AUDIT, act=DeskAct.STATEMENT_SIGNED, actor=actor, at=at, detail=chain)
    return end


def erase(connection: Connection, reference: str, *, reason: str, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Take the words away for good. Raises `NoSuchConcern`, `NotAcknowledged`, `OnHold` or `ConcernErased`."""
    concern = get_concern(connection, reference)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    if concern.held:
        raise OnHold
    if concern.sealed is None:
        raise ConcernErased
    record_disclosure(connection, chain=reference, act=DeskAct.ERASED, actor=actor, at=at, detail=reason)
    erase_sealed(connection, reference, at=at)
    return get_concern(connection, reference)
