"""The duty team's inbox: metadata only, in the order in which it wants attention, at any size."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Row, func, literal, select, tuple_
from sqlmodel import Session

from app.models.concerns.tables import ConcernRow, ConcernState
from app.store.tables import table_of

CONCERNS = table_of(ConcernRow).c
SHOWN = (
    CONCERNS.reference,
    CONCERNS.state,
    CONCERNS.immediate_danger,
    CONCERNS.received_at,
    CONCERNS.acknowledge_by,
    CONCERNS.acknowledged_at,
    CONCERNS.closed_at,
    CONCERNS.added_at,
    CONCERNS.outcome,
    CONCERNS.held,
    CONCERNS.erased_at,
    CONCERNS.guide,
    CONCERNS.edition,
    CONCERNS.referral_source,
    CONCERNS.recipients,
    CONCERNS.waiting,
    CONCERNS.danger,
)


class InboxOrder(StrEnum):
    """How the inbox is sorted: never by anything that indicators say."""

    URGENT = "urgent"
    NEWEST = "newest"


@dataclass(frozen=True)
class InboxQuery:
    """What of the inbox is asked for."""

    order: InboxOrder
    state: ConcernState | None
    overdue: bool | None

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """What the order goes by; the last two are a time and the reference."""
        if self.order is InboxOrder.NEWEST:
            return (CONCERNS.received_at, CONCERNS.reference)
        urgency = (CONCERNS.danger, CONCERNS.acknowledge_by, CONCERNS.reference)
        return urgency if self.state is not None else (CONCERNS.waiting, *urgency)

    @property
    def kinds(self) -> tuple[type, ...]:
        """The kind of each of those columns."""
        return (*(int for _ in self.columns[:-2]), dt.datetime, str)


InboxPosition = tuple[Any, ...]


def list_inbox(
    session: Session, wanted: InboxQuery, *, now: dt.datetime, after: InboxPosition | None, limit: int
) -> list[Row[Any]]:
    """One page, after the place of the last row of the page before.

    `urgent`: those that wait for an acknowledgement first; among them immediate danger, then the longest overdue, then
    the oldest. `newest`: by time of receipt, the latest first.
    """
    found = select(*SHOWN)
    if wanted.state is not None:
        found = found.where(CONCERNS.state == wanted.state)
    if wanted.overdue is not None:
        is_overdue = (CONCERNS.state == ConcernState.RECEIVED.value) & (CONCERNS.acknowledge_by < now)
        found = found.where(is_overdue if wanted.overdue else ~is_overdue)
    columns = wanted.columns
    if after is not None:
        bound = tuple_(*(literal(value, column.type) for value, column in zip(after, columns, strict=True)))
        found = found.where(tuple_(*columns) > bound if wanted.order is InboxOrder.URGENT else tuple_(*columns) < bound)
    ordered = columns if wanted.order is InboxOrder.URGENT else [column.desc() for column in columns]
    return list(session.execute(found.order_by(*ordered).limit(limit)))


def place_of(row: Row[Any], wanted: InboxQuery) -> InboxPosition:
    """Where the row stands in that order."""
    return tuple(row._mapping[column.name] for column in wanted.columns)


def count_states(session: Session, *, now: dt.datetime) -> dict[str, int]:
    """How many concerns stand in each state, and how many are overdue: for the team's own work."""
    counted = session.execute(select(CONCERNS.state, func.count()).group_by(CONCERNS.state))
    told = {state.value: 0 for state in ConcernState} | dict(counted.all())
    overdue = select(func.count()).where(CONCERNS.state == ConcernState.RECEIVED.value, CONCERNS.acknowledge_by < now)
    return told | {"overdue": session.execute(overdue).scalar_one()}
