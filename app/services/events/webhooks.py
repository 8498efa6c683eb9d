"""Addresses that events are pushed to: adding, rotating their secrets, replaying what could not be delivered."""

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
OVERLAPPING = 2


def add_webhook(
    writer: Writer,
    *,
    name: str,
    url: str,
    kinds: Iterable[EventKind],
    addresses: SsrfGuard,
    at: dt.datetime,
) -> str:
    """Add an address, and return the secret that signs what is sent to it (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` where the address may not be called.
    """
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    addresses.check(url)
    secret = _new_secret()
    wanted = sorted({kind.value for kind in kinds})

    def write(session: Session) -> None:
        insert_webhook(session, WebhookRow(name=name, url=url, kinds=wanted, secrets=[secret], added_at=at))

    writer.run(write)
    return secret


def rotate_secret(writer: Writer, name: str) -> str:
    """Return a new secret. What is sent carries both signatures, until the next rotation. Raises `NoSuchWebhook`."""
    secret = _new_secret()

    def write(session: Session) -> None:
        webhook = get_webhook(session, name)
        webhook.secrets = [secret, *webhook.secrets][:OVERLAPPING]

    writer.run(write)
    return secret


def drop_old_secret(writer: Writer, name: str) -> None:
    """Sign with the newest secret alone. Raises `NoSuchWebhook`."""

    def write(session: Session) -> None:
        webhook = get_webhook(session, name)
        webhook.secrets = webhook.secrets[:1]

    writer.run(write)


def replay(writer: Writer, name: str, *, now: dt.datetime) -> int:
    """Make everything that could not be delivered due again, and return its number. Raises `NoSuchWebhook`."""

    def write(session: Session) -> int:
        get_webhook(session, name)
        return requeue_dead(session, webhook=name, now=now)

    return writer.run(write)


def remove_webhook(writer: Writer, name: str, *, at: dt.datetime) -> None:
    """Send nothing more to the address. Raises `NoSuchWebhook`."""
    writer.run(partial(disable, name=name, because="removed", at=at))


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
