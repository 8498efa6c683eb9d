"""The outbox's rows: telling, claiming, settling, and reading by pull."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, tuple_, update
from sqlmodel import Session, col

from app.models.events.tables import DeliveryRow, DeliveryState, EventKind, EventReaderRow, EventRow, WebhookRow
from app.store.tables import table_of

# Told with every concern: built once.
_NEW_EVENT = insert(table_of(EventRow))
_NEW_EVENT_NUMBERED = _NEW_EVENT.returning(table_of(EventRow).c.id, sort_by_parameter_order=True)
_WEBHOOKS_AT_WORK = select(table_of(WebhookRow).c.name, table_of(WebhookRow).c.kinds).where(
    table_of(WebhookRow).c.disabled_at.is_(None)
)


class NewEvent(NamedTuple):
    """What is told of one happening, and when it happened."""

    at: dt.datetime
    data: dict[str, Any]


def tell(connection: Connection, kind: EventKind, *, at: dt.datetime, data: dict[str, Any]) -> None:
    """Write the event, and a delivery to each address that asked for its kind, in the caller's transaction."""
    tell_all(connection, kind, [NewEvent(at, data)])


def tell_all(connection: Connection, kind: EventKind, events: Sequence[NewEvent]) -> None:
    """Write the events, in their order, and their deliveries, as if each was told by itself."""
    rows = [{"kind": kind.value, "at": event.at, "data": event.data} for event in events]
    webhooks = [name for name, kinds in connection.execute(_WEBHOOKS_AT_WORK) if kind in kinds]
    if not webhooks:
        connection.execute(_NEW_EVENT, rows)
        return
    numbers = connection.execute(_NEW_EVENT_NUMBERED, rows).scalars()
    deliveries = [
        {
            "event_id": number,
            "webhook": name,
            "message": f"msg_{secrets.token_hex(16)}",
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "due": event.at,
        }
        for number, event in zip(numbers, events, strict=True)
        for name in webhooks
    ]
    connection.execute(insert(table_of(DeliveryRow)), deliveries)


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that this worker may try until its lease ends."""

    event_id: int
    webhook: str
    message: str
    attempts: int
    kind: str
    at: dt.datetime
    data: dict[str, Any]
    url: str
    secrets: tuple[str, ...]


def claim_due(connection: Connection, *, now: dt.datetime, lease: dt.timedelta, limit: int) -> list[ClaimedDelivery]:
    """Claim what is due, by putting it off until the lease ends: a worker that dies gives it back by dying.

    One statement decides who has it (PostgreSQL: SKIP LOCKED; SQLite: one writer at a time).
    """
    deliveries, webhooks = table_of(DeliveryRow), table_of(WebhookRow)
    due = (
        select(deliveries.c.event_id, deliveries.c.webhook)
        .where(
            deliveries.c.state == DeliveryState.PENDING.value,
            deliveries.c.due <= now,
            deliveries.c.webhook.in_(select(webhooks.c.name).where(webhooks.c.disabled_at.is_(None))),
        )
        .order_by(deliveries.c.due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = connection.execute(
        update(deliveries)
        .where(tuple_(deliveries.c.event_id, deliveries.c.webhook).in_(due))
        .values(due=now + lease, attempts=deliveries.c.attempts + 1)
        .returning(deliveries.c.event_id, deliveries.c.webhook, deliveries.c.message, deliveries.c.attempts)
    ).all()
    return [_claimed(connection, *row) for row in claimed]


def _claimed(connection: Connection, event_id: int, webhook: str, message: str, attempts: int) -> ClaimedDelivery:
    events, webhooks = table_of(EventRow).c, table_of(WebhookRow).c
    kind, at, data = connection.execute(select(events.kind, events.at, events.data).where(events.id == event_id)).one()
    url, keys = connection.execute(select(webhooks.url, webhooks.secrets).where(webhooks.name == webhook)).one()
    return ClaimedDelivery(event_id, webhook, message, attempts, kind, at, data, url, tuple(keys))


def settle(
    connection: Connection,
    delivery: ClaimedDelivery,
    *,
    state: DeliveryState,
    answer: str,
    due: dt.datetime | None = None,
) -> None:
    """Write what came of an attempt; `due` is when to try again."""
    values: dict[str, Any] = {"state": state.value, "last_answer": answer}
    if due is not None:
        values["due"] = due
    connection.execute(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.event_id) == delivery.event_id,
            col(DeliveryRow.webhook) == delivery.webhook,
            col(DeliveryRow.state) == DeliveryState.PENDING.value,
        )
        .values(**values)
    )


def revive(connection: Connection, *, webhook: str, now: dt.datetime) -> int:
    """Make the address's dead deliveries due again, and give their number."""
    revived = connection.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == webhook, col(DeliveryRow.state) == DeliveryState.DEAD.value)
        .values(state=DeliveryState.PENDING.value, attempts=0, due=now)
    )
    return revived.rowcount


def count_deliveries(session: Session | Connection) -> dict[tuple[str, str], int]:
    """How many deliveries stand in each state, by address; those delivered are left out."""
    counted = session.execute(
        select(col(DeliveryRow.webhook), col(DeliveryRow.state), func.count())
        .where(col(DeliveryRow.state) != DeliveryState.DELIVERED.value)
        .group_by(col(DeliveryRow.webhook), col(DeliveryRow.state))
    )
    return {(webhook, state): count for webhook, state, count in counted}


def events_after(session: Session | Connection, *, after: int, limit: int) -> Sequence[EventRow]:
    """The events after that one, in the order in which they were committed."""
    events = table_of(EventRow)
    rows = session.execute(select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)).mappings()
    return [EventRow(**row) for row in rows]


def confirmed_by(connection: Connection | Session, *, client: str) -> int:
    """The last event that the client confirmed; 0 where it confirmed none."""
    readers = table_of(EventReaderRow).c
    return connection.execute(select(readers.confirmed).where(readers.client == client)).scalar_one_or_none() or 0


def confirm(connection: Connection, *, client: str, event_id: int) -> None:
    """The client has every event up to that one. It never goes back."""
    known = connection.execute(select(col(EventReaderRow.client)).where(col(EventReaderRow.client) == client)).first()
    if known is None:
        connection.execute(insert(EventReaderRow), [{"client": client, "confirmed": event_id}])
    else:
        connection.execute(
            update(EventReaderRow)
            .where(col(EventReaderRow.client) == client, col(EventReaderRow.confirmed) < event_id)
            .values(confirmed=event_id)
        )
