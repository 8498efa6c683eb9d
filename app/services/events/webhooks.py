"""Receivers of events, webhooks and mailboxes, and their audit log entries."""

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import NoSuchWebhook, SetupError, WebhookExists
from app.logs import Log
from app.models.audit.details import WebhookDetails
from app.models.audit.rows import WEBHOOKS, DeskAct
from app.models.base import canonical_json, format_utc
from app.models.events.rows import MAILBOXES, DeliveryRow, DeliveryState, WebhookRow
from app.services.access.access_record import by_operator
from app.services.audit.audit_log import Actor, record_action

REMOVED = "removed"
UNDELIVERED = (DeliveryState.PENDING.value, DeliveryState.DEAD.value)
log = Log(__name__)


def insert_webhook(session: Session, webhook: WebhookRow) -> None:
    """Insert and record a webhook. It replaces a removed one, whose undelivered events are cancelled.

    Raise `WebhookExists`.
    """
    was_removed = col(WebhookRow.name) == webhook.name, col(WebhookRow.disabled_because) == REMOVED
    if session.exec(delete(WebhookRow).where(*was_removed)).rowcount:
        cancel_deliveries(session, webhook.name)
    session.add(webhook)
    try:
        session.flush()
    except IntegrityError:
        raise WebhookExists from None
    record_webhook(session, webhook, by_operator(webhook.added_at))


def get_webhook(session: Session, name: str) -> WebhookRow:
    """Return the webhook. Raise `NoSuchWebhook` if it is unknown or removed."""
    webhook = session.get(WebhookRow, name)
    if webhook is None or webhook.disabled_because == REMOVED:
        raise NoSuchWebhook
    return webhook


def refuse_mailbox(name: str) -> None:
    """Raise `SetupError`: mailboxes come from the settings, and are no webhooks."""
    if name in MAILBOXES:
        raise SetupError(f"{name} is a mailbox, which the settings name (GUIDANCE_SMTP_HOST)")


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Return the webhooks by name, including mailboxes, and disabled or removed ones."""
    return list(session.exec(select(WebhookRow).order_by(WebhookRow.name)))


def list_receivers(session: Session) -> list[WebhookRow]:
    """Return the active webhooks by name, with mailboxes."""
    return [each for each in list_webhooks(session) if each.disabled_at is None]


def record_webhook(session: Session, webhook: WebhookRow, actor: Actor) -> None:
    record_action(session, WEBHOOKS, DeskAct.WEBHOOK_CHANGED, actor, webhook_details(webhook))


def webhook_details(webhook: WebhookRow) -> WebhookDetails:
    columns = {name: getattr(webhook, name) for name in ("name", "url", "kinds", "disabled_because")}
    times = {name: at and format_utc(at) for name, at in (("added", webhook.added_at), ("off", webhook.disabled_at))}
    return WebhookDetails(
        name=webhook.name,
        on=webhook.disabled_at is None,
        sha256=hashlib.sha256(canonical_json(columns | times)).hexdigest(),
        secrets_sha256=hashlib.sha256(canonical_json([*webhook.secrets])).hexdigest(),
    )


def find_changed_webhooks(session: Session, recorded: Mapping[str, WebhookDetails]) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each webhook that is missing, lacks an entry or differs from its last one.

    Mailboxes are left out.
    """
    there = {webhook.name: webhook for webhook in list_webhooks(session)}
    for name, webhook in there.items():
        if name in MAILBOXES:  # mailboxes are in the settings
            continue
        if name not in recorded:
            yield name, "nobody added it"
        elif webhook_details(webhook) != recorded[name]:
            yield name, "it is not as it was recorded"
    yield from ((name, "it is gone") for name in recorded if name not in there)


def cancel_deliveries(session: Session, name: str) -> int:
    """Cancel pending and dead deliveries, and return their number."""
    return session.exec(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state).in_(UNDELIVERED))
        .values(state=DeliveryState.CANCELLED.value)
    ).rowcount
