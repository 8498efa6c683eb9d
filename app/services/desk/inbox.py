"""The inbox: pages of concerns without their text, sorted by urgency or by time. Readings raise `StoreBusy`."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import Column, ColumnElement, Row, and_, case, func, literal, or_, select, true, tuple_
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.details import ShownDetails
from app.models.audit.rows import INBOX, DeskAct
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import BY_URGENCY, CLOSED_RANK, ConcernRow
from app.models.desk.inbox import InboxEntry
from app.models.desk.inbox_filters import NO_BURST, InboxFilter, InboxOrder
from app.services.access.restrictions import has_lead, hidden_from, may_open, uncounted
from app.services.audit.audit_log import Actor, names_a_person, record_action
from app.services.concerns.rows import closed_count
from app.services.concerns.waiting_additions import count_additions
from app.services.desk.presented_concerns import entry_of

_CONCERNS = table_of(ConcernRow).c
SHOWN = {*InboxEntry.model_fields, "message_key", "limited_to", "waiting", "danger", "due"}
INBOX_COLUMNS = tuple(column for column in _CONCERNS if column.name in SHOWN)
"""Shown or sorted by, without the sealed text."""
AFTER_ALL = "~"
NOT_TIMES: Mapping[str, type] = {"waiting": int, "danger": int, "reference": str}
"""Types of sort columns that are no times."""
DANGER_RANK_LIMIT = 1
"""The highest `danger` that means immediate, in an addition or the concern."""
_IS_ADDED_DANGER = _CONCERNS.danger < DANGER_RANK_LIMIT
_PARTS = (*(and_(_IS_ADDED_DANGER, _CONCERNS.waiting == rank) for rank in range(CLOSED_RANK + 1)), ~_IS_ADDED_DANGER)
"""Conditions: an index sorts the concerns of each and is read no further, so a page merges the first rows of all."""
URGENCY = tuple(
    case((_IS_ADDED_DANGER, DANGER_RANK_LIMIT), else_=column) if column is _CONCERNS.danger else column
    for column in (_CONCERNS[name] for name in BY_URGENCY)
)
"""Immediate danger first, in the concern or an addition, then possible danger. Then by deadline, then the oldest."""
COUNT_LIMIT = 500
"""Counted exactly up to it, then '500+'."""
InboxPosition = tuple[Any, ...]


@dataclass(frozen=True)
class InboxQuery:
    """Filters and order of the inbox. A filter of None does not filter.

    `assigned_to` is empty for unassigned, and `burst` is `NO_BURST` for concerns without one. `is_open`: not closed, or
    an addition waits. `waits_in_danger`: unacknowledged, and in immediate danger by the concern or an addition.
    """

    order: InboxOrder
    test: bool = False
    state: ConcernState | None = None
    overdue: bool | None = None
    danger: str | None = None
    guide: str | None = None
    burst: str | None = None
    channel: str | None = None
    assigned_to: str | None = None
    changed_since: dt.datetime | None = None
    reference: str | None = None
    waits_in_danger: bool = False
    is_open: bool = False
    is_restricted: bool = False

    @classmethod
    def of(cls, order: InboxOrder, inbox_filter: InboxFilter, *, me: str, **others: Any) -> Self:
        """Make the query of the person `me`: the filter `mine` selects the concerns assigned to them."""
        whose = me if inbox_filter.mine else "" if inbox_filter.unassigned else inbox_filter.assigned_to
        named = {
            name: getattr(inbox_filter, name) for name in ("state", "overdue", "danger", "guide", "burst", "channel")
        }
        return cls(order, assigned_to=whose, **named, **others)

    def conditions(self, actor: Actor) -> list[ColumnElement[bool]]:
        """Select only concerns that `actor` may open. `actor.at` decides which are overdue."""
        same = {
            _CONCERNS.state: self.state,
            _CONCERNS.immediate_danger: self.danger,
            _CONCERNS.guide: self.guide,
            _CONCERNS.burst: "" if self.burst == NO_BURST else self.burst,
            _CONCERNS.assigned_to: self.assigned_to,
            _CONCERNS.channel: self.channel,
        }
        conditions = [
            _CONCERNS.test.is_(self.test),
            may_open(actor),
            *(each == value for each, value in same.items() if value is not None),
        ]
        if self.overdue is not None:
            conditions.append(is_overdue(actor.at) if self.overdue else ~is_overdue(actor.at))
        if self.is_open:
            conditions.append(_CONCERNS.waiting < CLOSED_RANK)
        if self.is_restricted:
            conditions.append(_CONCERNS.restricted == 1)
        if self.waits_in_danger:
            conditions += [_CONCERNS.waiting == 0, _CONCERNS.danger <= DANGER_RANK_LIMIT]
        if self.changed_since is not None:
            conditions.append(_CONCERNS.changed_at >= self.changed_since)
        if self.reference is not None:
            conditions += [_CONCERNS.reference >= self.reference, _CONCERNS.reference <= self.reference + AFTER_ALL]
        return conditions

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        if self.order is InboxOrder.URGENT:
            return tuple(_CONCERNS[name] for name in BY_URGENCY)
        time = _CONCERNS.received_at if self.order is InboxOrder.NEWEST else _CONCERNS.changed_at
        return (time, _CONCERNS.reference)

    @property
    def column_types(self) -> tuple[type, ...]:
        return tuple(NOT_TIMES.get(column.name, dt.datetime) for column in self.columns)


def list_inbox(
    session: Session, query: InboxQuery, *, actor: Actor, after: InboxPosition | None, limit: int
) -> list[Row[Any]]:
    """Return up to `limit` rows after `after` that `actor` may open. The caller records the reading.

    `urgent`: first those that need an acknowledgement, of text or addition, then other open ones, then closed ones,
    each in the order of `URGENCY`. `newest` is by receipt and `changed` by last change, most recent first.
    """
    is_urgent, columns = query.order is InboxOrder.URGENT, query.columns
    directed = columns if is_urgent else [column.desc() for column in columns]
    found = []
    for part in _PARTS if is_urgent else (true(),):
        statement = select(_CONCERNS.reference).where(part, *query.conditions(actor))
        if after is not None:
            bound = tuple_(*(literal(value, column.type) for value, column in zip(after, columns, strict=True)))
            key = tuple_(*(URGENCY if is_urgent and part is not _PARTS[-1] else columns))
            statement = statement.where(key > bound if is_urgent else key < bound)
        # An index has every sort and filter column, so only the rows of the page are read.
        found.append(_CONCERNS.reference.in_(statement.order_by(*directed).limit(limit)))
    page = select(*INBOX_COLUMNS).where(or_(*found)).order_by(*(URGENCY if is_urgent else directed))
    return list(session.execute(page.limit(limit)))


def list_entries(session: Session, references: Collection[str], *, now: dt.datetime) -> list[InboxEntry]:
    """In any order. The caller has checked that the concerns may be opened, and records the reading."""
    rows = session.execute(select(*INBOX_COLUMNS).where(_CONCERNS.reference.in_(references)))
    return [entry_of(row._mapping, now=now) for row in rows]


def position_of(row: Row[Any] | ConcernRow, query: InboxQuery) -> InboxPosition:
    values = {column.name: getattr(row, column.name) for column in query.columns}
    return tuple((values | {"danger": max(row.danger or 0, DANGER_RANK_LIMIT)})[name] for name in values)


def is_overdue(now: dt.datetime) -> ColumnElement[bool]:
    return (_CONCERNS.waiting == 0) & (_CONCERNS.due < now) & _CONCERNS.test.is_(False)


def count_open(session: Session, queries: Sequence[InboxQuery], *, actor: Actor) -> list[int]:
    """Return at most `COUNT_LIMIT` + 1 for each count. The cost does not grow with the closed concerns."""
    found = []
    for query in queries:
        matching = select(_CONCERNS.reference).where(*replace(query, is_open=True).conditions(actor))
        bounded = matching.limit(COUNT_LIMIT + 1).subquery()
        found.append(session.execute(select(func.count()).select_from(bounded)).scalar_one())
    return found


def count_states(session: Session, *, now: dt.datetime, actor: Actor | None = None) -> dict[str, int]:
    """Return numbers by state, and as `overdue`, without test concerns and those `uncounted` for `actor`.

    An overdue addition counts too. The cost does not depend on the number of closed concerns.
    """
    left_out = _CONCERNS.reference.in_(uncounted(actor)) & _CONCERNS.test.is_(False)
    closed = (
        closed_count()
        - select(func.count()).where(left_out, _CONCERNS.state == ConcernState.CLOSED.value).scalar_subquery()
    )
    states = (ConcernState.RECEIVED.value, ConcernState.ACKNOWLEDGED.value)
    counted = [func.count().filter(_CONCERNS.state == state) for state in states]
    is_open = (_CONCERNS.waiting < CLOSED_RANK, _CONCERNS.test.is_(False), ~left_out)
    found = session.execute(select(*counted, func.count().filter(is_overdue(now)), closed).where(*is_open))
    return dict(zip((*states, "overdue", ConcernState.CLOSED.value), found.one(), strict=True))


def count_hidden(session: Session, actor: Actor) -> dict[str, int]:
    """Count open concerns that `actor` may not open, and overdue ones among them, without test concerns.

    A person who is not a lead is told of both only if one is overdue: otherwise a person whom a concern is about could
    infer that it came.
    """
    counted = select(func.count(), func.count().filter(is_overdue(actor.at))).where(
        _CONCERNS.waiting < CLOSED_RANK, _CONCERNS.test.is_(False), _CONCERNS.reference.in_(hidden_from(actor))
    )
    hidden, overdue = session.execute(counted).one()
    is_told = overdue or actor.is_lead or not names_a_person(actor.client)
    return {"restricted": hidden if is_told else 0, "restricted_overdue": overdue}


@dataclass(frozen=True)
class RestrictionNotice:
    """Numbers as in `count_hidden`. `lacks_lead`: some open concerns are restricted, and the desk has no lead.

    Everyone at the desk may then open those that name nobody who still works there.
    """

    restricted: int
    restricted_overdue: int
    lacks_lead: bool


def find_restriction_notice(session: Session, actor: Actor) -> RestrictionNotice:
    any_restricted = select(_CONCERNS.reference).where(
        _CONCERNS.restricted == 1, _CONCERNS.waiting < CLOSED_RANK, _CONCERNS.test.is_(False)
    )
    lacks_lead = not has_lead(session) and session.execute(any_restricted.limit(1)).first() is not None
    return RestrictionNotice(**count_hidden(session, actor), lacks_lead=lacks_lead)


def read_inbox(
    writer: Writer,
    query: InboxQuery,
    *,
    actor: Actor,
    after: InboxPosition | None,
    limit: int,
    beside: Sequence[str] = (),
) -> list[Row[Any]]:
    """Record and return a page. `beside` is recorded too, because it is shown beside the page.

    One more row, which is not recorded, means that a page follows.
    """
    with Session(writer.engine) as session:
        rows = list_inbox(session, query, actor=actor, after=after, limit=limit + 1)
    shown = ShownDetails(references=(*beside, *(row.reference for row in rows[:limit])))
    writer.run(record_action, INBOX, DeskAct.LISTED, actor, shown)
    return rows


def read_next(writer: Writer, query: InboxQuery, *, actor: Actor, after: InboxPosition) -> str | None:
    """Record and return the concern after `after`.

    The concern just seen, its last value, may have moved and is left out.
    """
    with Session(writer.engine) as session:
        rows = list_inbox(session, query, actor=actor, after=after, limit=2)
    found = next((str(row.reference) for row in rows if row.reference != after[-1]), None)
    if found is not None:
        writer.run(record_action, INBOX, DeskAct.LISTED, actor, ShownDetails(references=(found,)))
    return found


def count_work(session: Session, actor: Actor) -> dict[str, int]:
    """Return the numbers of `count_states`, `count_additions` and `count_hidden`."""
    additions = count_additions(session, now=actor.at, actor=actor)
    return count_states(session, now=actor.at, actor=actor) | additions | count_hidden(session, actor)


def read_summary(writer: Writer, *, actor: Actor) -> dict[str, int]:
    with Session(writer.engine) as session:
        counts = count_work(session, actor)
    writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, actor)
    return counts
