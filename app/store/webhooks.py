"""The rows of webhooks: addresses that events are pushed to."""

import datetime as dt

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from app.errors import NoSuchWebhook, WebhookExists
from app.models.events.tables import WebhookRow


def insert_webhook(session: Session, webhook: WebhookRow) -> None:
    """Insert the webhook; raises `WebhookExists` if the name is already used."""
    session.add(webhook)
    try:
        session.flush()
    except IntegrityError:
        raise WebhookExists from None


def get_webhook(session: Session, name: str) -> WebhookRow:
    """Return the webhook of that name; raises `NoSuchWebhook`."""
    webhook = session.get(WebhookRow, name)
    if webhook is None:
        raise NoSuchWebhook
    return webhook


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Return every webhook by name, with those that are disabled."""
    return list(session.exec(select(WebhookRow).order_by(WebhookRow.name)))


def disable(session: Session, name: str, *, because: str, at: dt.datetime) -> None:
    """Disable the webhook. If it is already disabled, its time and reason stay. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_because = at, because
