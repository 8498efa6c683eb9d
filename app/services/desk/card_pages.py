"""Pages of sealed cards. The audit log has one entry for each page, which names all concerns on the page.

Sorted by time of receipt and reference, which never change, so that no card is missed or returned twice. What arrives
or changes between two pages is returned by a later request with `changed_since`.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, Select, exists, func, literal, or_, select, tuple_
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import CardsRefused
from app.models.access.roles import role_with
from app.models.audit.details import CardsGivenDetails
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import CARDS, AuditEntryRow, DeskAct
from app.models.concerns.card_rows import OF_THE_CONCERN, CardRow
from app.models.concerns.entries import EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.desk.card_pages import CardParameters, CardScope, CardsResponse, SealedCard
from app.services.access.restrictions import find_hidden, may_open
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import PAGE_BYTES
from app.services.cursors import decode_position, encode_position

RECENT = dt.timedelta(days=90)
"""How long after its last change a closed concern counts as current."""
NO_LABEL = "-"
_CONCERNS, _CARDS = table_of(ConcernRow).c, table_of(CardRow).c
_ENTRIES, _ACTS = table_of(EntryRow).c, table_of(AuditEntryRow).c
_KEY = (_CONCERNS.received_at, _CONCERNS.reference)
_LABELS = table_of(EntryRow).alias("labels").c
_NEWEST_LABEL = (
    select(_LABELS.sealed)
    .where(_LABELS.reference == _CARDS.reference, _LABELS.kind == EntryKind.LABEL.value)
    .where(_CARDS.addition == OF_THE_CONCERN)
    .order_by(_LABELS.number.desc())
    .limit(1)
    .correlate(table_of(CardRow))
    .scalar_subquery()
)
_ADDED_AT = (
    select(_ENTRIES.received_at)
    .where(_ENTRIES.reference == _CARDS.reference, _ENTRIES.kind == EntryKind.ADDITION.value)
    .where(_ENTRIES.number == _CARDS.addition)
    .correlate(table_of(CardRow))
    .scalar_subquery()
)
_POSITION = (
    select(_ACTS.position)
    .where(_ACTS.chain == _CARDS.reference, _ACTS.number == 1)
    .correlate(table_of(CardRow))
    .scalar_subquery()
)
# Subqueries, not joins: PostgreSQL would read the first entry of every chain for a join.
_GIVEN: Select[Any] = (
    select(
        _CARDS.reference,
        _CARDS.addition,
        _CARDS.sealed,
        _NEWEST_LABEL.label("label"),
        _CONCERNS.received_at,
        _CONCERNS.changed_at,
        _ADDED_AT.label("added_at"),
        _POSITION.label("position"),
    )
    .join(table_of(ConcernRow), _CONCERNS.reference == _CARDS.reference)
    .where(_CARDS.sealed.is_not(None))
    .order_by(_CONCERNS.received_at.desc(), _CONCERNS.reference.desc(), _CARDS.addition)
)
_LAST_POSITION = select(func.coalesce(func.max(_ACTS.position), 0))


def require_role_for_cards(scopes: Collection[str], roles: Collection[str]) -> None:
    role = role_with(scopes)
    if role is None or role not in roles:
        raise CardsRefused


@dataclass(frozen=True)
class CardQuery:
    """A query for one page of at most `limit` concerns. Current ones are not closed, or changed at `recent` or later.

    All pages of one reading have the same `recent`, so that none becomes outdated between two pages. `after` is the
    time of receipt and the reference of the last concern on the page before.
    """

    scope: CardScope
    changed_since: dt.datetime | None
    recent: dt.datetime
    after: tuple[dt.datetime, str] | None
    limit: int

    @classmethod
    def of(cls, parameters: CardParameters, cursor: str | None, limit: int, *, now: dt.datetime) -> Self:
        """Make the query of a request. Raise `InvalidCursor`."""
        position = decode_position(cursor, (dt.datetime, dt.datetime, str))
        recent, after = (now - RECENT, None) if position is None else (position[0], (position[1], position[2]))
        return cls(parameters.scope, parameters.changed_since, recent, after, limit)

    def concerns(self, actor: Actor) -> Select[Any]:
        """Select the newest first, without tests, and one more if a page follows. It reads only an index."""
        is_current = or_(_CONCERNS.state != ConcernState.CLOSED.value, _CONCERNS.changed_at >= self.recent)
        has_card = exists().where(_CARDS.reference == _CONCERNS.reference, _CARDS.sealed.is_not(None))
        conditions: list[ColumnElement[bool]] = [
            _CONCERNS.test.is_(False),
            may_open(actor),
            is_current if self.scope is CardScope.CURRENT else ~is_current,
            has_card,
        ]
        if self.changed_since is not None:
            conditions.append(_CONCERNS.changed_at >= self.changed_since)
        if self.after is not None:
            bound = tuple_(*(literal(value, column.type) for value, column in zip(self.after, _KEY, strict=True)))
            conditions.append(tuple_(*_KEY) < bound)
        ordered = (column.desc() for column in _KEY)
        return select(*_KEY).where(*conditions).order_by(*ordered).limit(self.limit + 1)

    def cursor_after(self, received_at: dt.datetime, reference: str) -> str:
        return encode_position((self.recent, received_at, reference))


def read_cards(
    writer: Writer,
    query: CardQuery,
    *,
    actor: Actor,
    slack: dt.timedelta,
    links: Callable[[str | None], dict[str, str]],
) -> CardsResponse:
    """Record the page, and return it without what was erased or restricted while it was read. Raise `StoreBusy`.

    `next_changed_since` is earlier than the request by `slack`: a change may take so long to be stored. `links` gets
    the next cursor.
    """
    with Session(writer.engine) as session:
        log = session.connection().execute(_LAST_POSITION).scalar_one()
        found, next_cursor = _find(session, query, actor)
    cards = writer.run(_record, query, found, log, actor)
    return CardsResponse(
        cards=tuple(map(_present, cards)),
        next_changed_since=actor.at - slack,
        next_cursor=next_cursor,
        links=links(next_cursor),
    )


def digest_of_cards(lines: Iterable[tuple[int, int, str, str | None]]) -> str:
    """Return the digest that the audit log records.

    A line is a card: the position of the entry that received the concern, the number of the addition or 0, its SHA-256,
    and for the concern's own card that of the newest label.
    """
    ordered = sorted(lines, key=lambda line: line[:2])
    whole = "".join(f"{position} {number} {card} {label or NO_LABEL}\n" for position, number, card, label in ordered)
    return hashlib.sha256(whole.encode()).hexdigest()


def _find(session: Session, query: CardQuery, actor: Actor) -> tuple[list[Row[Any]], str | None]:
    """With the next cursor. Ends at `PAGE_BYTES`, never between the cards of one concern, which it has at least."""
    connection = session.connection()
    keys = connection.execute(query.concerns(actor)).all()
    references = [key.reference for key in keys[: query.limit]]
    rows = connection.execute(_GIVEN.where(_CARDS.reference.in_(references))).all() if references else []
    cards: list[Row[Any]] = []
    size = 0
    for _, of_concern in groupby(rows, lambda row: row.reference):
        together = list(of_concern)
        size += sum(len(row.sealed) for row in together)
        if cards and size > PAGE_BYTES:
            last = cards[-1]
            return cards, query.cursor_after(last.received_at, last.reference)
        cards += together
    last_key = keys[query.limit - 1] if len(keys) > query.limit else None
    return cards, None if last_key is None else query.cursor_after(*last_key)


def _record(session: Session, query: CardQuery, found: Sequence[Row[Any]], log: int, actor: Actor) -> list[Row[Any]]:
    references = {row.reference for row in found}
    erased = select(_CONCERNS.reference).where(_CONCERNS.reference.in_(references), _CONCERNS.erased_at.is_not(None))
    gone = set(session.connection().execute(erased).scalars()) if references else set()
    gone |= find_hidden(session, references, actor)
    cards = [row for row in found if row.reference not in gone]
    details = CardsGivenDetails(
        scope=query.scope.value,
        changed_since=query.changed_since,
        log=log,
        positions=tuple(sorted({row.position for row in cards})),
        sha256=digest_of_cards(_lines(cards)),
    )
    record_action(session, CARDS, DeskAct.CARDS_GIVEN, actor, details)
    return cards


def _lines(cards: Sequence[Row[Any]]) -> Iterable[tuple[int, int, str, str | None]]:
    for row in cards:
        label = None if row.label is None else hashlib.sha256(row.label).hexdigest()
        yield row.position, row.addition, hashlib.sha256(row.sealed).hexdigest(), label


def _present(row: Row[Any]) -> SealedCard:
    is_addition = row.addition != OF_THE_CONCERN
    return SealedCard(
        reference=row.reference,
        addition=row.addition if is_addition else None,
        received_at=row.added_at if is_addition else row.received_at,
        card=base64.b64encode(row.sealed).decode(),
        label=None if row.label is None else base64.b64encode(row.label).decode(),
        changed_at=row.changed_at,
    )
