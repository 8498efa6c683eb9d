"""The rows of the outbox: append events, claim deliveries, record attempts, read by pull."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.errors import CursorAhead, RowNotStored
from app.models.events.tables import DeliveryRow, DeliveryState, EventKind, EventReaderRow, EventRow, WebhookRow
from app.store.tables import table_of
from app.store.writer import write_operation

# Executed with every concern: built once.
_NEW_EVENT = insert(table_of(EventRow)).returning(table_of(EventRow).c.id)
_ACTIVE_WEBHOOKS = select_columns(table_of(WebhookRow).c.name, table_of(WebhookRow).c.kinds).where(
    table_of(WebhookRow).c.disabled_at.is_(None)
)


UNDER_WAY = "under way"
"""The `last_answer` of a delivery while a worker tries it, or where the worker died."""


def new_message_id() -> str:
    """Return the id of a new message, which is the same on every attempt."""
    return f"msg_{secrets.token_hex(16)}"


def append_event(session: Session, kind: EventKind, *, at: dt.datetime, data: dict[str, Any]) -> None:
    """Write the event, and a delivery to each webhook that subscribes to its kind, in the caller's transaction."""
    connection = session.connection()
    number = connection.execute(_NEW_EVENT, {"kind": kind.value, "at": at, "data": data}).scalar_one_or_none()
    if number is None:
        raise RowNotStored
    deliveries = [
        {
            "event_id": number,
            "webhook": name,
            "message": new_message_id(),
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "due": at,
        }
        for name, kinds in connection.execute(_ACTIVE_WEBHOOKS)
        if kind in kinds
    ]
    if deliveries:
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


def find_webhooks_due(session: Session, *, now: dt.datetime) -> list[str]:
    """Return the names of the webhooks for which a delivery is due."""
    deliveries, webhooks = table_of(DeliveryRow), table_of(WebhookRow)
    is_due = exists().where(deliveries.c.webhook == webhooks.c.name, *_due_at(now))
    active = select_columns(webhooks.c.name).where(webhooks.c.disabled_at.is_(None), is_due)
    return list(session.connection().execute(active.order_by(webhooks.c.name)).scalars())


def claim_due(
    session: Session, *, webhook: str, now: dt.datetime, lease: dt.timedelta, limit: int
) -> list[ClaimedDelivery]:
    """Claim due deliveries of one webhook, by moving their due time to the end of the lease.

    If a worker dies, they become due again. Writers take turns, so no two workers claim the same.
    """
    target = session.get(WebhookRow, webhook)
    if target is None or target.disabled_at is not None:
        return []
    deliveries = table_of(DeliveryRow)
    due = (
        select_columns(deliveries.c.event_id, deliveries.c.webhook)
        .where(deliveries.c.webhook == webhook, *_due_at(now))
        .order_by(deliveries.c.due)
        .limit(limit)
    )
    claimed = session.exec(
        update(deliveries)
        .where(tuple_(deliveries.c.event_id, deliveries.c.webhook).in_(due))
        .values(due=now + lease, attempts=deliveries.c.attempts + 1, last_answer=UNDER_WAY)
        .returning(deliveries.c.event_id, deliveries.c.message, deliveries.c.attempts)
    ).all()
    return [_build_claimed(session, target, *row) for row in claimed]


def _due_at(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    deliveries = table_of(DeliveryRow)
    return deliveries.c.state == DeliveryState.PENDING.value, deliveries.c.due <= now


def _build_claimed(session: Session, target: WebhookRow, event_id: int, message: str, attempts: int) -> ClaimedDelivery:
    event = session.get_one(EventRow, event_id)
    return ClaimedDelivery(
        event_id, target.name, message, attempts, event.kind, event.at, event.data, target.url, tuple(target.secrets)
    )


def record_attempt(
    session: Session, claimed: ClaimedDelivery, *, state: DeliveryState, answer: str, due: dt.datetime | None = None
) -> None:
    """Write the result of an attempt, unless another worker already wrote one; `due` is when to try again."""
    delivery = session.get_one(DeliveryRow, (claimed.event_id, claimed.webhook))
    if delivery.state != DeliveryState.PENDING:
        return
    delivery.state, delivery.last_answer = state.value, answer
    if due is not None:
        delivery.due = due


def requeue_dead(session: Session, *, webhook: str, now: dt.datetime) -> int:
    """Make the webhook's dead deliveries due again, and return their number."""
    requeued = session.exec(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == webhook, col(DeliveryRow.state) == DeliveryState.DEAD.value)
        .values(state=DeliveryState.PENDING.value, attempts=0, due=now)
    )
    return requeued.rowcount


def make_due_now(session: Session, *, webhook: str, now: dt.datetime) -> int:
    """Make the webhook's waiting deliveries due now, but for those under way, and return their number."""
    hastened = session.exec(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.webhook) == webhook,
            col(DeliveryRow.state) == DeliveryState.PENDING.value,
            col(DeliveryRow.last_answer).is_distinct_from(UNDER_WAY),
        )
        .values(due=now)
    )
    return hastened.rowcount


def count_deliveries(session: Session) -> dict[tuple[str, str], int]:
    """Count the deliveries that wait, and those that failed for good, by webhook and state."""
    counted = session.exec(
        select(DeliveryRow.webhook, DeliveryRow.state, func.count())
        .where(col(DeliveryRow.state).in_((DeliveryState.PENDING.value, DeliveryState.DEAD.value)))
        .group_by(DeliveryRow.webhook, DeliveryRow.state)
    )
    return {(webhook, state): count for webhook, state, count in counted}


def events_after(session: Session, *, after: int, limit: int) -> Sequence[EventRow]:
    """Return the events after that one. Writers take turns, so none is committed later with a number before these."""
    wanted = select(EventRow).where(col(EventRow.id) > after)
    return session.exec(wanted.order_by(col(EventRow.id)).limit(limit)).all()


def confirmed_by(session: Session, *, client: str) -> int:
    """Return the last event that the client confirmed; 0 where it confirmed none, or one that does not exist."""
    reader = session.get(EventReaderRow, client)
    return reader.confirmed if reader is not None and reader.confirmed <= _last_event(session) else 0


@write_operation
def confirm_events(session: Session, *, client: str, event_id: int) -> None:
    """Record that the client has every event up to that one. The number never decreases, unless no event has it.

    Raises `CursorAhead` if there is no such event yet.
    """
    last = _last_event(session)
    if event_id > last:
        raise CursorAhead
    reader = session.get(EventReaderRow, client)
    if reader is None:
        session.add(EventReaderRow(client=client, confirmed=event_id))
    elif reader.confirmed < event_id or reader.confirmed > last:
        reader.confirmed = event_id


def _last_event(session: Session) -> int:
    return session.exec(select(func.max(EventRow.id))).one() or 0
