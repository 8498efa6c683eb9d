"""The duty team's inbox: metadata only, sorted by urgency or by time, a page at a time."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Column, ColumnElement, Row, func, literal, select, tuple_
from sqlmodel import Session

from app.models.concerns.receipts import ConcernState
from app.models.concerns.tables import ConcernRow
from app.models.desk.inbox import InboxFilter, InboxOrder
from app.store.tables import table_of

_CONCERNS = table_of(ConcernRow).c
INBOX_COLUMNS = (
    _CONCERNS.reference,
    _CONCERNS.state,
    _CONCERNS.immediate_danger,
    _CONCERNS.received_at,
    _CONCERNS.acknowledge_by,
    _CONCERNS.acknowledged_at,
    _CONCERNS.closed_at,
    _CONCERNS.added_at,
    _CONCERNS.outcome,
    _CONCERNS.held,
    _CONCERNS.erased_at,
    _CONCERNS.guide,
    _CONCERNS.edition,
    _CONCERNS.referral_source,
    _CONCERNS.recipients,
    _CONCERNS.additions_waiting,
    _CONCERNS.addition_acknowledge_by,
    _CONCERNS.addition_danger,
    _CONCERNS.waiting,
    _CONCERNS.danger,
    _CONCERNS.due,
    _CONCERNS.test,
    _CONCERNS.assigned_to,
    _CONCERNS.changed_at,
)


AFTER_ALL = "~"
"""Comes after every character of a reference."""
DANGER_RANK_LIMIT = 1
"""The rank up to which somebody said that a child is in immediate danger."""


@dataclass(frozen=True)
class InboxFilters:
    """What the inbox is narrowed to. None, or the empty text, is no filter."""

    state: ConcernState | None = None
    overdue: bool | None = None
    danger: str | None = None
    guide: str | None = None
    assigned_to: str | None = None
    """A person; the empty text is nobody."""
    changed_since: dt.datetime | None = None
    reference: str | None = None
    """The first characters of a reference."""
    waits_in_danger: bool = False
    """Only those that wait, and whose reporter said that a child is in immediate danger, first or later."""

    @classmethod
    def of(cls, wanted: InboxFilter, *, me: str | None, **others: Any) -> Self:
        """Return what a person wants, whom `mine` means, with filters that a model cannot say."""
        whose = me if wanted.mine else "" if wanted.unassigned else wanted.assigned_to
        return cls(wanted.state, wanted.overdue, wanted.danger, wanted.guide, whose, **others)

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions of all filters that are set, but for `overdue`."""
        same = {
            _CONCERNS.state: self.state,
            _CONCERNS.immediate_danger: self.danger,
            _CONCERNS.guide: self.guide,
            _CONCERNS.assigned_to: self.assigned_to,
        }
        conditions = [column == value for column, value in same.items() if value is not None]
        if self.waits_in_danger:
            conditions += [_CONCERNS.waiting == 0, _CONCERNS.danger <= DANGER_RANK_LIMIT]
        if self.changed_since is not None:
            conditions.append(_CONCERNS.changed_at >= self.changed_since)
        if self.reference is not None:
            conditions += [_CONCERNS.reference >= self.reference, _CONCERNS.reference <= self.reference + AFTER_ALL]
        return conditions


InboxPosition = tuple[Any, ...]


@dataclass(frozen=True)
class InboxQuery:
    """The order and the filters of a request for the inbox."""

    order: InboxOrder
    filters: InboxFilters
    test: bool = False
    """Whether to list tests alone. They are never among the concerns."""

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns to sort by; the last two are a time and the reference."""
        if self.order is InboxOrder.NEWEST:
            return (_CONCERNS.received_at, _CONCERNS.reference)
        if self.order is InboxOrder.CHANGED:
            return (_CONCERNS.changed_at, _CONCERNS.reference)
        return (_CONCERNS.waiting, _CONCERNS.danger, _CONCERNS.due, _CONCERNS.reference)

    @property
    def column_types(self) -> tuple[type, ...]:
        """The type of each of those columns."""
        return (*(int for _ in self.columns[:-2]), dt.datetime, str)


def list_inbox(
    session: Session, query: InboxQuery, *, now: dt.datetime, after: InboxPosition | None, limit: int
) -> list[Row[Any]]:
    """Return one page, after the position of the last row of the page before.

    `urgent`: concerns that wait for an acknowledgement come first, of themselves or of something added. Among them:
    immediate danger in something added, then immediate danger in the concern, then the longest overdue, then the
    oldest. `newest`: by time of receipt, the latest first. `changed`: by the time of the last change, the latest first.
    """
    wanted = select(_CONCERNS.reference).where(_CONCERNS.test.is_(query.test), *query.filters.conditions)
    overdue = query.filters.overdue
    if overdue is not None:
        wanted = wanted.where(_is_overdue(now) if overdue else ~_is_overdue(now))
    columns = query.columns
    if after is not None:
        bound = tuple_(*(literal(value, column.type) for value, column in zip(after, columns, strict=True)))
        key = tuple_(*columns)
        wanted = wanted.where(key > bound if query.order is InboxOrder.URGENT else key < bound)
    ordered = columns if query.order is InboxOrder.URGENT else [column.desc() for column in columns]
    # An index has all that is sorted and filtered, so only the rows of the page are read.
    page = select(*INBOX_COLUMNS).where(_CONCERNS.reference.in_(wanted.order_by(*ordered).limit(limit)))
    return list(session.execute(page.order_by(*ordered)))


def position_of(row: Row[Any], query: InboxQuery) -> InboxPosition:
    """Return the position of the row in that order."""
    return tuple(row._mapping[column.name] for column in query.columns)


def _is_overdue(now: dt.datetime) -> ColumnElement[bool]:
    """Return the condition that the concern, or something added to it, waits after its time."""
    return (_CONCERNS.waiting == 0) & (_CONCERNS.due < now) & _CONCERNS.test.is_(False)


def count_states(session: Session, *, now: dt.datetime) -> dict[str, int]:
    """Count the concerns in each state, and those that are overdue, of themselves or by something added; no tests."""
    by_state = select(_CONCERNS.state, func.count()).where(_CONCERNS.test.is_(False)).group_by(_CONCERNS.state)
    counted = session.execute(by_state)
    counts = {state.value: 0 for state in ConcernState} | dict(counted.all())
    overdue = select(func.count()).where(_is_overdue(now))
    return counts | {"overdue": session.execute(overdue).scalar_one()}
