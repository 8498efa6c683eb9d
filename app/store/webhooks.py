"""The rows of addresses that events are pushed to."""

import datetime as dt

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.errors import NoSuchWebhook, WebhookExists
from app.models.events.tables import WebhookRow
from app.store.tables import table_of


def insert_webhook(connection: Connection, webhook: WebhookRow) -> None:
    """Insert it; raises `WebhookExists` where its name was used before."""
    try:
        connection.execute(insert(WebhookRow), [webhook.model_dump()])
    except IntegrityError:
        raise WebhookExists from None


def get_webhook(connection: Connection | Session, name: str) -> WebhookRow:
    """The address of that name; raises `NoSuchWebhook`."""
    webhooks = table_of(WebhookRow)
    row = connection.execute(select(webhooks).where(webhooks.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NoSuchWebhook
    return WebhookRow(**row)


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Every address, disabled ones too, by name."""
    return list(session.scalars(select(WebhookRow).order_by(col(WebhookRow.name))))


def set_secrets(connection: Connection, *, name: str, secrets: list[str]) -> None:
    """Sign with those secrets from now on."""
    connection.execute(update(WebhookRow).where(col(WebhookRow.name) == name).values(secrets=secrets))


def disable(connection: Connection, *, name: str, because: str, at: dt.datetime) -> None:
    """Send nothing more to the address."""
    connection.execute(
        update(WebhookRow)
        .where(col(WebhookRow.name) == name, col(WebhookRow.disabled_at).is_(None))
        .values(disabled_at=at, disabled_because=because)
    )
