"""Lists about retention: concerns to be erased soon, concerns on hold, requests for an erasure, and erased concerns."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, case, func, true, tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from app.db.writer import Writer
from app.errors import FaultCode, FieldError, InvalidQuery
from app.models.audit.details import HeldDetails, ReasonDetails, ShownDetails, details_of
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import INBOX, AuditEntryRow, DeskAct
from app.models.concerns.entries import EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.services.access.restrictions import hidden_from, may_open
from app.services.audit.audit_log import Actor, person_of, record_action
from app.services.clock.working_days import LONDON
from app.services.csv_sheets import csv_sheet
from app.services.desk.actions import find_erasure_request
from app.services.desk.retention import TEST_LIFETIME, RetentionPeriods, erasable, in_state, limited_states

_LAST_ACKNOWLEDGED = func.max(EntryRow.acknowledged_at).filter(col(EntryRow.kind) == EntryKind.ADDITION.value)
REQUESTED_WITHIN = dt.timedelta(days=90)
MOST_LISTED = 500
MOST_IN_A_SHEET = 20_000
TOO_MANY = "There are more than 20,000 concerns in this list."
COLUMNS = ("reference", "state", "day", "by", "until", "reason")


class RetentionList(StrEnum):
    DUE = "due"
    HELD = "held"
    REQUESTED = "requested"
    ERASED = "erased"


class RetentionQuery(BaseModel, extra="ignore", frozen=True):
    """One list, of concerns in one state or in all. `days` is how far `due` looks ahead."""

    chosen: RetentionList = Field(default=RetentionList.DUE, alias="list")
    state: ConcernState | Literal[""] = ""
    days: int = Field(default=60, ge=1, le=366)

    @property
    def condition(self) -> ColumnElement[bool]:
        return col(ConcernRow.state) == self.state if self.state else true()


@dataclass(frozen=True)
class RetentionEntry:
    """A line of the list. `day`, in London, is that of erasure, hold or request.

    A coming erasure has no `by` and `reason`.
    """

    reference: str
    state: str
    day: dt.date
    by: str = ""
    reason: str = ""
    until: dt.date | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        until = "" if self.until is None else str(self.until)
        return self.reference, self.state, str(self.day), self.by, until, self.reason


def erasure_day(session: Session, concern: ConcernRow, periods: RetentionPeriods) -> dt.date | None:
    """Return London's day of erasure, or None if the concern is held, erased, waiting or kept for ever.

    A test's is the day after receipt.
    """
    if concern.held or concern.erased_at is not None:
        return None
    if concern.test:
        return _day(concern.received_at + TEST_LIFETIME)
    if concern.state == ConcernState.RECEIVED or concern.additions_waiting:
        return None
    is_closed = concern.state == ConcernState.CLOSED
    days = periods.closed_days if is_closed else periods.acknowledged_days
    since = concern.closed_at if is_closed else concern.reopened_at or concern.acknowledged_at
    if days is None or since is None:
        return None
    last = session.exec(select(_LAST_ACKNOWLEDGED).where(EntryRow.reference == concern.reference)).one()
    return _day(max(since, last or since) + dt.timedelta(days=days))


def read_list(
    writer: Writer, query: RetentionQuery, periods: RetentionPeriods, *, actor: Actor, limit: int = MOST_LISTED
) -> Sequence[RetentionEntry]:
    """Record the reading. One more than `limit`, not recorded, says that there are more. Raise `StoreBusy`.

    `due` is by day; `erased` most recent first; `held`, and `requested` that still count, by reference.
    """
    with Session(writer.engine) as session:
        if query.chosen is RetentionList.DUE:
            found = _list_due(session, query, periods, actor, limit + 1)
        else:
            lists = {
                RetentionList.HELD: _list_held,
                RetentionList.REQUESTED: _list_requested,
                RetentionList.ERASED: _list_erased,
            }
            found = lists[query.chosen](session, query, actor, limit + 1)
    shown = ShownDetails(what=f"retention, {query.chosen}", references=tuple(each.reference for each in found[:limit]))
    writer.run(record_action, INBOX, DeskAct.LISTED, actor, shown)
    return found


def read_list_sheet(writer: Writer, query: RetentionQuery, periods: RetentionPeriods, *, actor: Actor) -> bytes:
    """Return CSV. More than `MOST_IN_A_SHEET` raise `InvalidQuery`, which is recorded. Raise `StoreBusy`."""
    found = read_list(writer, query, periods, actor=actor, limit=MOST_IN_A_SHEET)
    if len(found) > MOST_IN_A_SHEET:
        raise InvalidQuery([FieldError((), TOO_MANY, FaultCode.TOO_MANY, "query", "list")])
    return csv_sheet(COLUMNS, (each.cells for each in found))


def _list_due(
    session: Session, query: RetentionQuery, periods: RetentionPeriods, actor: Actor, limit: int
) -> list[RetentionEntry]:
    found = []
    last = select(_LAST_ACKNOWLEDGED).where(EntryRow.reference == ConcernRow.reference).scalar_subquery()
    for state, since, days in limited_states(periods):
        period = dt.timedelta(days=days)
        due = erasable(in_state(state, since, before=actor.at + dt.timedelta(days=query.days - days)))
        starts = case((last > since, last), else_=since)
        due = due.where(col(ConcernRow.test).is_(False), may_open(actor), query.condition)
        rows = session.execute(due.order_by(None).order_by(starts).add_columns(starts).limit(limit))
        found += [RetentionEntry(name, state.value, _day(start + period)) for name, start in rows]
    return sorted(found, key=lambda each: (each.day, each.reference))[:limit]


def _list_held(session: Session, query: RetentionQuery, actor: Actor, limit: int) -> list[RetentionEntry]:
    held = select(ConcernRow.reference, ConcernRow.state).where(
        col(ConcernRow.held).is_(True), may_open(actor), query.condition
    )
    return _with_last_act(session, held.order_by(ConcernRow.reference).limit(limit), DeskAct.HELD)


def _list_erased(session: Session, query: RetentionQuery, actor: Actor, limit: int) -> list[RetentionEntry]:
    erased_at = col(ConcernRow.erased_at)
    erased = select(ConcernRow.reference, ConcernRow.state).where(
        erased_at.is_not(None), ~col(ConcernRow.test), may_open(actor), query.condition
    )
    return _with_last_act(session, erased.order_by(erased_at.desc()).limit(limit), DeskAct.ERASED)


def _with_last_act(session: Session, statement: Select[str, str], act: DeskAct) -> list[RetentionEntry]:
    """Leave out concerns without such an entry."""
    rows = session.exec(statement).all()
    acts = _last_acts(session, [name for name, _state in rows], act)
    return [_entry_of(name, state, acts[name]) for name, state in rows if name in acts]


def _list_requested(session: Session, query: RetentionQuery, actor: Actor, limit: int) -> list[RetentionEntry]:
    requests = select(AuditEntryRow.chain).where(
        AuditEntryRow.at >= actor.at - REQUESTED_WITHIN,
        AuditEntryRow.act == DeskAct.ERASURE_REQUESTED.value,
        col(AuditEntryRow.chain).not_in(hidden_from(actor)),
        col(AuditEntryRow.chain).in_(select(ConcernRow.reference).where(query.condition)),
    )
    chains = session.exec(requests.distinct().order_by(AuditEntryRow.chain)).all()
    found = ((chain, find_erasure_request(session, chain)) for chain in chains)
    standing = dict(islice(((chain, request) for chain, request in found if request is not None), limit))
    states = select(ConcernRow.reference, ConcernRow.state).where(col(ConcernRow.reference).in_(standing))
    return [
        _entry_of(name, state, standing[name]) for name, state in session.exec(states.order_by(ConcernRow.reference))
    ]


def _last_acts(session: Session, references: Sequence[str], act: DeskAct) -> dict[str, AuditEntryRow]:
    found: dict[str, AuditEntryRow] = {}
    for start in range(0, len(references), MOST_LISTED):
        some = references[start : start + MOST_LISTED]
        of_kind = select(AuditEntryRow.chain, func.max(AuditEntryRow.number)).where(
            col(AuditEntryRow.chain).in_(some), AuditEntryRow.act == act.value
        )
        last = session.exec(of_kind.group_by(AuditEntryRow.chain)).all()
        rows = select(AuditEntryRow).where(tuple_(AuditEntryRow.chain, AuditEntryRow.number).in_(last))
        found |= {row.chain: row for row in session.exec(rows)} if last else {}
    return found


def _entry_of(reference: str, state: str, act: AuditEntryRow) -> RetentionEntry:
    try:
        details = details_of(act)
    except (ValueError, LookupError):  # the entry was altered
        details = ReasonDetails()
    until = details.until if isinstance(details, HeldDetails) else None
    return RetentionEntry(reference, state, _day(act.at), person_of(act.client), details.reason, until)


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(LONDON).date()
