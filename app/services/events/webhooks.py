"""Addresses that events are pushed to: adding, rotating their secrets, replaying what could not be delivered."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable

from sqlalchemy import Connection

from app.errors import SetupError
from app.models.base import SLUG_PATTERN
from app.models.events.tables import EventKind, WebhookRow
from app.services.events.ssrf_guard import SsrfGuard
from app.store.events import revive
from app.store.webhooks import get_webhook, insert_webhook, set_secrets

SECRET_BYTES = 32
OVERLAPPING = 2


def add_webhook(
    connection: Connection,
    *,
    name: str,
    url: str,
    kinds: Iterable[EventKind],
    addresses: SsrfGuard,
    at: dt.datetime,
) -> str:
    """Add an address, and give the secret that signs what is sent to it (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` where the address may not be called.
    """
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    addresses.check(url)
    secret = _new_secret()
    wanted = sorted({kind.value for kind in kinds})
    insert_webhook(connection, WebhookRow(name=name, url=url, kinds=wanted, secrets=[secret], added_at=at))
    return secret


def rotate_secret(connection: Connection, *, name: str) -> str:
    """Give a new secret. What is sent carries both signatures, until the next rotation. Raises `NoSuchWebhook`."""
    secret = _new_secret()
    standing = get_webhook(connection, name).secrets
    set_secrets(connection, name=name, secrets=[secret, *standing][:OVERLAPPING])
    return secret


def drop_old_secret(connection: Connection, *, name: str) -> None:
    """Sign with the newest secret alone. Raises `NoSuchWebhook`."""
    set_secrets(connection, name=name, secrets=get_webhook(connection, name).secrets[:1])


def replay(connection: Connection, *, name: str, now: dt.datetime) -> int:
    """Make everything that could not be delivered due again, and give its number. Raises `NoSuchWebhook`."""
    get_webhook(connection, name)
    return revive(connection, webhook=name, now=now)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
