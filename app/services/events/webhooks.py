"""Webhooks: adding and removing them, rotating their secrets, replaying dead deliveries."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable

from sqlmodel import Session

from app.errors import SetupError
from app.models.base import SLUG_PATTERN
from app.models.events.tables import EventKind, WebhookRow
from app.services.events.ssrf_guard import SsrfGuard
from app.store.events import requeue_dead
from app.store.webhooks import disable, get_webhook, insert_webhook
from app.store.writer import Writer, write_operation

SECRET_BYTES = 32
MAX_SECRETS = 2


def add_webhook(
    writer: Writer, *, name: str, url: str, kinds: Iterable[EventKind], guard: SsrfGuard, at: dt.datetime
) -> str:
    """Add a webhook, and return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the address may not be called.
    """
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.resolve(url)
    secret = _new_secret()
    subscribed = sorted({kind.value for kind in kinds})

    def write(session: Session) -> None:
        insert_webhook(session, WebhookRow(name=name, url=url, kinds=subscribed, secrets=[secret], added_at=at))

    writer.run(write)
    return secret


@write_operation
def rotate_secret(session: Session, name: str) -> str:
    """Return a new secret. Messages carry both signatures, until the next rotation. Raises `NoSuchWebhook`."""
    secret = _new_secret()
    webhook = get_webhook(session, name)
    webhook.secrets = [secret, *webhook.secrets][:MAX_SECRETS]
    return secret


@write_operation
def drop_old_secret(session: Session, name: str) -> None:
    """Sign only with the newest secret. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    webhook.secrets = webhook.secrets[:1]


@write_operation
def replay_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make the webhook's dead deliveries due again, and return their number. Raises `NoSuchWebhook`."""
    get_webhook(session, name)
    return requeue_dead(session, webhook=name, now=now)


@write_operation
def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Disable the webhook for good. Raises `NoSuchWebhook`."""
    disable(session, name, because="removed", at=at)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
