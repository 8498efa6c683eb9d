"""The rows of webhooks: addresses that events are pushed to."""

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import NoSuchWebhook, WebhookExists
from app.models.events.tables import DeliveryRow, DeliveryState, WebhookRow

REMOVED = "removed"
UNDELIVERED = (DeliveryState.PENDING.value, DeliveryState.DEAD.value)


def insert_webhook(session: Session, webhook: WebhookRow) -> None:
    """Insert the webhook, in place of one of its name that was removed. Raises `WebhookExists` if the name is in use.

    Deliveries to the former address stay as a record. None of them goes to the new one.
    """
    was_removed = col(WebhookRow.name) == webhook.name, col(WebhookRow.disabled_because) == REMOVED
    if session.exec(delete(WebhookRow).where(*was_removed)).rowcount:
        _cancel_deliveries(session, webhook.name)
    session.add(webhook)
    try:
        session.flush()
    except IntegrityError:
        raise WebhookExists from None


def get_webhook(session: Session, name: str) -> WebhookRow:
    """Return the webhook of that name, unless it was removed. Raises `NoSuchWebhook`."""
    webhook = session.get(WebhookRow, name)
    if webhook is None or webhook.disabled_because == REMOVED:
        raise NoSuchWebhook
    return webhook


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Return every webhook by name, with those that are disabled or removed."""
    return list(session.exec(select(WebhookRow).order_by(WebhookRow.name)))


def disable(session: Session, name: str, *, because: str, at: dt.datetime) -> None:
    """Disable the webhook. If it is already disabled, its time and reason stay. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_because = at, because


def remove(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove the webhook: nothing more goes to it, and its name is free. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    webhook.disabled_at, webhook.disabled_because = at, REMOVED
    _cancel_deliveries(session, name)


def _cancel_deliveries(session: Session, name: str) -> None:
    session.exec(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state).in_(UNDELIVERED))
        .values(state=DeliveryState.CANCELLED.value)
    )
