"""Search in the audit log: who did what, when and to which concern."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, false, func, literal, or_, select, tuple_
from sqlmodel import Session
from sqlmodel import select as select_rows

from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import FaultCode, FieldError, InvalidCursor, InvalidQuery
from app.models.access.people import PersonRow
from app.models.audit.details import LogDetails, details_of, sentence_of
from app.models.audit.log_filters import LISTS, LogFilter, LogOrder
from app.models.audit.rows import AUDIT, CARDS, AuditEntryRow, DeskAct
from app.models.base import format_utc
from app.models.references import find_reference
from app.services.audit.audit_log import NO_DETAILS, Actor, person_of, record_action
from app.services.audit.chains import find_end
from app.services.csv_sheets import csv_sheet
from app.services.cursors import NOT_OURS

_ENTRIES = table_of(AuditEntryRow).c
SHORT_CHAIN = 2000
"""Longer chains are searched in the order of the whole log: sorting would take longer."""
MOST_CARD_ENTRIES = 2000
"""How many `cards` entries `find_readings` reads. Each says that cards of some concerns were given."""
MOST_LISTED = 200
"""Concerns listed because their cards were given."""
REFERENCES_AT_ONCE = 500
NAMING_ACTS = frozenset(
    {DeskAct.LISTED, DeskAct.OPENED, DeskAct.EVENTS_READ, DeskAct.DISCLOSURES_READ, DeskAct.STATEMENT_SIGNED}
)
"""Their details may name concerns other than that of the chain."""
SEARCHED = ("client", "person", "act", "first_day", "last_day")
MOST_IN_A_SHEET = 20_000
SHEET_COLUMNS = ("at", "person", "client", "act", "chain", "number", "detail", "address")
LOG_SHEET_HEADERS = {"Content-Disposition": 'attachment; filename="audit-log.csv"'}
TOO_MANY_FOR_A_SHEET = "There are more than 20,000 entries. Choose fewer days."
NO_SUCH_CHAIN = f"This is neither the reference of a concern nor a list: {', '.join(LISTS)}."
NO_SUCH_CONCERN = "No concern has this reference."
NO_SUCH_PERSON = "The audit log has nobody of this name."


@dataclass(frozen=True)
class LogQuery:
    """A search of the log. `clients` are a person's names in it, or None for everybody.

    `hidden` concerns lose their reference.
    """

    session: Session
    actor: Actor
    log_filter: LogFilter
    chain: str | None
    clients: Sequence[str] | None
    hiding: Select[Any]
    hidden: Collection[str]

    def page(self, after: int | None, limit: int) -> list[AuditEntryRow]:
        """Return a page. For one concern it has also the entries of `cards` that name it. Raise `InvalidCursor`."""
        conditions = self._conditions
        if after is not None:
            conditions = [*conditions, self._comes_after(after)]
        chosen = [conditions]
        if self.chain is not None:
            chosen = [[*conditions, self._of_chain], [*conditions, *self._gives_cards]]
        found = [row for each in chosen for row in self._rows(each, limit)]
        rows = sorted(found, key=self._key, reverse=self._is_newest_first)[:limit]
        if self.log_filter.person == self.actor.person and not self.actor.is_lead:
            # the number of an event would tell a program how many events it cannot see
            nothing = {"detail": NO_DETAILS}
            numbers = DeskAct.EVENTS_CONFIRMED
            rows = [AuditEntryRow(**row.model_dump() | nothing) if row.act == numbers else row for row in rows]
        return [_without(self.hidden, row) for row in rows] if self.hidden else rows

    def find_readings(self) -> "Readings":
        conditions = self._conditions if self.chain is None else [*self._conditions, self._of_chain]
        opened = select(_ENTRIES.chain).where(*conditions, _ENTRIES.act == DeskAct.OPENED.value).distinct()
        references = list(self.session.execute(opened.order_by(_ENTRIES.chain)).scalars())
        cards = select(_ENTRIES.act, _ENTRIES.detail).where(
            *self._conditions,
            *self._gives_cards,
            _ENTRIES.act == DeskAct.CARDS_GIVEN.value,
        )
        entries = self.session.execute(cards.limit(MOST_CARD_ENTRIES + 1)).all()
        positions = {place for entry in entries[:MOST_CARD_ENTRIES] for place in _positions_in(entry)}
        if self.chain is not None:
            positions &= set(_first_positions(self.session, [self.chain]))
        positions -= set(_first_positions(self.session, [*references, *self.hidden]))
        listed = select(_ENTRIES.chain).where(_ENTRIES.position.in_(sorted(positions)[:MOST_LISTED]))
        as_cards = list(self.session.execute(listed.order_by(_ENTRIES.chain)).scalars())
        return Readings(references, as_cards, len(positions), is_complete=len(entries) <= MOST_CARD_ENTRIES)

    @cached_property
    def _conditions(self) -> list[ColumnElement[bool]]:
        log_filter = self.log_filter
        conditions: list[ColumnElement[bool]] = [_ENTRIES.chain.not_in(self.hiding)] if self.hidden else []
        if self.clients is not None:
            one = len(self.clients) == 1
            conditions.append(_ENTRIES.client == self.clients[0] if one else _ENTRIES.client.in_(self.clients))
        if log_filter.client is not None:
            of_client = func.substr(_ENTRIES.client, 1, len(log_filter.client) + 1) == f"{log_filter.client}/"
            conditions.append(or_(_ENTRIES.client == log_filter.client, of_client))
        if log_filter.act is not None:
            conditions.append(_ENTRIES.act == log_filter.act.value)
        elif not log_filter.received:
            conditions.append(_ENTRIES.act != DeskAct.RECEIVED.value)
        if log_filter.since is not None:
            conditions.append(_ENTRIES.at >= log_filter.since)
        if log_filter.until is not None:
            conditions.append(_ENTRIES.at < log_filter.until)
        return conditions

    @cached_property
    def _gives_cards(self) -> list[ColumnElement[bool]]:
        if self.chain in self.hidden:
            return [false()]
        return [] if self.chain is None else _gives_cards_of(self.session, self.chain)

    @cached_property
    def _of_chain(self) -> ColumnElement[bool]:
        is_short = find_end(self.session.connection(), self.chain or "").number <= SHORT_CHAIN
        # SQLite would sort a long chain. `coalesce` hides the column's index, so SQLite reads in the order of the log.
        return (_ENTRIES.chain if is_short else func.coalesce(_ENTRIES.chain, "")) == self.chain

    @property
    def _is_newest_first(self) -> bool:
        return self.log_filter.order is LogOrder.NEWEST

    @property
    def _is_by_time(self) -> bool:
        """False if the order is by position. The two can differ, since each node has its own clock."""
        return self._is_newest_first or self.log_filter.since is not None or self.log_filter.until is not None

    def _key(self, row: AuditEntryRow) -> tuple[Any, ...]:
        return (row.at, row.position) if self._is_by_time else (row.position,)

    def _comes_after(self, position: int) -> ColumnElement[bool]:
        if not self._is_by_time:
            return _ENTRIES.position > position
        at = self.session.execute(select(_ENTRIES.at).where(_ENTRIES.position == position)).scalar_one_or_none()
        if at is None:
            raise InvalidCursor(NOT_OURS)
        key = tuple_(_ENTRIES.at, _ENTRIES.position)
        bound = tuple_(literal(at, _ENTRIES.at.type), literal(position))
        return key < bound if self._is_newest_first else key > bound

    def _rows(self, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[AuditEntryRow]:
        columns = (_ENTRIES.at, _ENTRIES.position) if self._is_by_time else (_ENTRIES.position,)
        ordered = [column.desc() if self._is_newest_first else column for column in columns]
        # An index has every column of the order and of most filters, so only the rows of the page are read.
        chosen = select(_ENTRIES.position).where(*conditions).order_by(*ordered).limit(limit)
        statement = select_rows(AuditEntryRow).where(_ENTRIES.position.in_(chosen))
        return list(self.session.exec(statement))


@dataclass(frozen=True)
class Readings:
    """What a person read.

    `as_cards` are at most `MOST_LISTED` of the `cards_only_count` concerns whose cards, which have names, were given
    but which were not opened. If there are more than `MOST_CARD_ENTRIES`, `is_complete` is False.
    """

    opened: Sequence[str]
    as_cards: Sequence[str]
    cards_only_count: int
    is_complete: bool = True


@dataclass(frozen=True)
class LogPage:
    """A page of the log. `next_position` is None on the last page. `readings` are there only if requested."""

    entries: Sequence[AuditEntryRow]
    next_position: int | None = None
    readings: Readings | None = None


def read_log(
    writer: Writer,
    log_filter: LogFilter,
    *,
    actor: Actor,
    hiding: Select[Any],
    after: int | None,
    limit: int,
    with_readings: bool = False,
) -> LogPage:
    """Record the reading, and return the page after `after`, without the concerns that `hiding` selects.

    Raise `InvalidCursor`. Raise `InvalidQuery`, which is not recorded, for an unknown person other than `actor`, or for
    a chain that is neither a list nor a concern that `actor` may open. For own entries any reference is accepted.
    """
    with Session(writer.engine) as session:
        query = _query_of(session, log_filter, actor, hiding)
        rows = query.page(after, limit + 1)
        readings = query.find_readings() if with_readings else None
    searched = LogDetails(chain=query.chain, **{name: getattr(log_filter, name) for name in SEARCHED})
    writer.run(record_action, AUDIT, DeskAct.DISCLOSURES_READ, actor, searched)
    page = rows[:limit]
    next_position = page[-1].position if len(rows) > limit else None
    return LogPage(page, next_position, readings)


def read_log_sheet(writer: Writer, log_filter: LogFilter, *, actor: Actor, hiding: Select[Any]) -> bytes:
    """Return every entry as CSV. Raise as `read_log`, and `InvalidQuery` (recorded) above `MOST_IN_A_SHEET`."""
    found = read_log(writer, log_filter, actor=actor, hiding=hiding, after=None, limit=MOST_IN_A_SHEET)
    if found.next_position is not None:
        raise InvalidQuery([FieldError((), TOO_MANY_FOR_A_SHEET, FaultCode.TOO_MANY, "query", "from")])
    return csv_sheet(SHEET_COLUMNS, map(_cells_of, found.entries))


def _cells_of(row: AuditEntryRow) -> tuple[str, ...]:
    at, number = format_utc(row.at), str(row.number)
    return at, person_of(row.client), row.client, row.act, row.chain, number, sentence_of(row), row.address


def list_people_of_log(session: Session) -> list[str]:
    """Return the people, sorted. Programs count as people: the service, and all reporters under one name."""
    return sorted({person_of(each) for each in _list_clients(session)})


def _list_clients(session: Session) -> list[str]:
    """Return the clients, sorted. The query makes one index look-up for each, however many entries it has."""
    first = select(func.min(_ENTRIES.client).label("client")).cte("names", recursive=True)
    following = select(func.min(_ENTRIES.client)).where(_ENTRIES.client > first.c.client)
    names = first.union_all(select(following.scalar_subquery()).where(first.c.client.is_not(None)))
    return list(session.execute(select(names.c.client).where(names.c.client.is_not(None))).scalars())


def _query_of(session: Session, log_filter: LogFilter, actor: Actor, hiding: Select[Any]) -> LogQuery:
    """Raise `InvalidQuery` with each fault, as `read_log` says, so that none reveals whether a concern exists."""
    faults: list[FieldError] = []
    is_own, clients = log_filter.person == actor.person, None
    hidden = set(session.execute(hiding).scalars())
    if log_filter.person is not None:
        clients = [each for each in _list_clients(session) if person_of(each) == log_filter.person]
        if not (clients or is_own or session.get(PersonRow, log_filter.person) is not None):
            faults.append(_fault("person", NO_SUCH_PERSON))
    chain = None
    if log_filter.chain is not None:
        chain = log_filter.chain.strip() if log_filter.chain.strip() in LISTS else find_reference(log_filter.chain)
        if chain is None:
            faults.append(_fault("chain", NO_SUCH_CHAIN))
        elif not (is_own or chain in LISTS or (chain not in hidden and find_end(session.connection(), chain).number)):
            faults.append(_fault("chain", NO_SUCH_CONCERN))
    if faults:
        raise InvalidQuery(faults)
    return LogQuery(session, actor, log_filter, chain, clients, hiding, hidden)


def _positions_in(entry: Row[Any]) -> Iterator[int]:
    with suppress(ValueError, LookupError):
        yield from details_of(entry).positions


def _without(hidden: Collection[str], row: AuditEntryRow) -> AuditEntryRow:
    """Unreadable details are left out."""
    if row.act not in NAMING_ACTS:
        return row
    try:
        details = details_of(row)
    except (ValueError, LookupError):  # the entry was altered, and may name any concern
        return AuditEntryRow(**row.model_dump() | {"detail": NO_DETAILS})
    if isinstance(details, LogDetails):
        left = details.model_copy(update={"chain": None}) if details.chain in hidden else details
    else:
        left = details.model_copy(
            update={"references": tuple(each for each in details.references if each not in hidden)}
        )
    return row if left == details else AuditEntryRow(**row.model_dump() | {"detail": left.stored})


def _fault(parameter: str, sentence: str) -> FieldError:
    return FieldError((), sentence, FaultCode.INVALID, "query", parameter)


def _gives_cards_of(session: Session, chain: str) -> list[ColumnElement[bool]]:
    """Match entries whose `positions` contain the position of the concern's first entry."""
    position = next(iter(_first_positions(session, [] if chain in LISTS else [chain])), None)
    if position is None:
        return [false()]
    named = (_ENTRIES.detail.contains(f"{before}{position}{after}") for before in "[," for after in ",]")
    return [_ENTRIES.chain == CARDS, _ENTRIES.position > position, or_(*named)]


def _first_positions(session: Session, references: Sequence[str]) -> Iterator[int]:
    for start in range(0, len(references), REFERENCES_AT_ONCE):
        some = references[start : start + REFERENCES_AT_ONCE]
        statement: Select[Any] = select(_ENTRIES.position).where(_ENTRIES.chain.in_(some), _ENTRIES.number == 1)
        yield from session.execute(statement).scalars()
