"""The rows of the outbox: append events, claim deliveries, record attempts, read by pull."""

import datetime as dt
import secrets
from typing import Any

from sqlalchemy import insert
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.errors import RowNotStored
from app.models.events.tables import DeliveryRow, DeliveryState, EventKind, EventRow, WebhookRow
from app.store.tables import table_of

# Executed with every concern: built once.
_NEW_EVENT = insert(table_of(EventRow)).returning(table_of(EventRow).c.id)
_ACTIVE_WEBHOOKS = select_columns(table_of(WebhookRow).c.name, table_of(WebhookRow).c.kinds).where(
    table_of(WebhookRow).c.disabled_at.is_(None)
)


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
