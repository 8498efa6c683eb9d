"""Webhooks: adding and removing them, rotating their secrets, replaying dead deliveries."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable
from functools import partial

from sqlmodel import Session

from app.errors import SetupError
from app.models.base import SLUG_PATTERN
from app.models.events.tables import EventKind, WebhookRow
from app.services.events.ssrf_guard import SsrfGuard
from app.store.events import requeue_dead
from app.store.webhooks import disable, get_webhook, insert_webhook
from app.store.writer import Writer

SECRET_BYTES = 32
MAX_SECRETS = 2


def add_webhook(
    writer: Writer,
    *,
    name: str,
    url: str,
    kinds: Iterable[EventKind],
    guard: SsrfGuard,
    at: dt.datetime,
) -> str:
    """Add a webhook, and return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the address may not be called.
    """
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.check(url)
    secret = _new_secret()
    subscribed = sorted({kind.value for kind in kinds})

    def write(session: Session) -> None:
        insert_webhook(session, WebhookRow(name=name, url=url, kinds=subscribed, secrets=[secret], added_at=at))

    writer.run(write)
    return secret


def rotate_secret(writer: Writer, name: str) -> str:
    """Return a new secret. Messages carry both signatures, until the next rotation. Raises `NoSuchWebhook`."""
    secret = _new_secret()

    def write(session: Session) -> None:
        webhook = get_webhook(session, name)
        webhook.secrets = [secret, *webhook.secrets][:MAX_SECRETS]

    writer.run(write)
    return secret


def drop_old_secret(writer: Writer, name: str) -> None:
    """Sign only with the newest secret. Raises `NoSuchWebhook`."""

    def write(session: Session) -> None:
        webhook = get_webhook(session, name)
        webhook.secrets = webhook.secrets[:1]

    writer.run(write)


def replay_deliveries(writer: Writer, name: str, *, now: dt.datetime) -> int:
    """Make the webhook's dead deliveries due again, and return their number. Raises `NoSuchWebhook`."""

    def write(session: Session) -> int:
        get_webhook(session, name)
        return requeue_dead(session, webhook=name, now=now)

    return writer.run(write)


def remove_webhook(writer: Writer, name: str, *, at: dt.datetime) -> None:
    """Disable the webhook for good. Raises `NoSuchWebhook`."""
    writer.run(partial(disable, name=name, because="removed", at=at))


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
