"""Webhooks: adding and removing them, their secrets, and sending again what did not arrive."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import SetupError, WebhookSecretUnreadable
from app.logs import Log
from app.models.base import SLUG_PATTERN
from app.models.events.tables import EventKind, WebhookRow
from app.models.links import GUIDES
from app.services.events.ssrf_guard import SsrfGuard
from app.services.events.webhook_keys import WebhookKeys
from app.services.events.webhook_sender import SendResult, WebhookSender
from app.store.events import ClaimedDelivery, make_due_now, new_message_id, requeue_dead
from app.store.webhooks import get_webhook, insert_webhook, list_webhooks, remove
from app.store.writer import Writer, write_operation

SECRET_BYTES = 32
MAX_SECRETS = 2
TEST_NOTICE = "webhook.test"
"""The type of a notice by which an operator tries a webhook. Nothing happened, so it is not a kind of event."""

log = Log(__name__)


def add_webhook(
    writer: Writer,
    *,
    name: str,
    url: str,
    kinds: Iterable[EventKind],
    guard: SsrfGuard,
    keys: WebhookKeys,
    at: dt.datetime,
) -> str:
    """Add a webhook, and return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the address may not be called.
    """
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.resolve(url)
    secret = _new_secret()
    stored, subscribed = keys.encrypt(name, secret), sorted({kind.value for kind in kinds})

    def write(session: Session) -> None:
        insert_webhook(session, WebhookRow(name=name, url=url, kinds=subscribed, secrets=[stored], added_at=at))

    writer.run(write)
    return secret


@write_operation
def rotate_secret(session: Session, name: str, *, keys: WebhookKeys) -> str:
    """Return a new secret. Messages carry both signatures, until the next rotation. Raises `NoSuchWebhook`.

    An old secret that cannot be decrypted any more is dropped.
    """
    secret = _new_secret()
    webhook = get_webhook(session, name)
    readable = [stored for stored in webhook.secrets if keys.can_decrypt(name, stored)]
    webhook.secrets = [keys.encrypt(name, secret), *readable][:MAX_SECRETS]
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
def retry_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make the webhook's waiting deliveries due now, and return their number. Raises `NoSuchWebhook`."""
    get_webhook(session, name)
    return make_due_now(session, webhook=name, now=now)


@write_operation
def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove the webhook; another one may have its name afterwards. Raises `NoSuchWebhook`."""
    remove(session, name, at=at)


async def send_test_notice(
    engine: Engine, sender: WebhookSender, name: str, *, keys: WebhookKeys, at: dt.datetime
) -> SendResult:
    """Send a notice that says it is a test, signed like every notice, and return what came of it.

    Nothing is stored, and nothing is tried again. Raises `NoSuchWebhook` or `WebhookSecretUnreadable`.
    """
    with Session(engine) as session:
        webhook = get_webhook(session, name)
    notice = ClaimedDelivery(
        event_id=0,
        webhook=name,
        message=new_message_id(),
        attempts=1,
        kind=TEST_NOTICE,
        at=at,
        data={"test": True, "webhook": name, "links": {"guides": GUIDES}},
        url=webhook.url,
        secrets=keys.decrypt_all(name, webhook.secrets),
    )
    return await sender.send(notice, at)


@write_operation
def encrypt_again(session: Session, *, keys: WebhookKeys, with_new_key: bool = False) -> int:
    """Encrypt every secret under the newest key, and return the number of webhooks whose secrets are under it.

    The transaction admits one writer at a time, so that no two processes change the file at once.
    """
    if with_new_key:
        keys.add()
    webhooks = list_webhooks(session)
    for webhook in webhooks:
        webhook.secrets = [keys.renew(webhook.name, stored) for stored in webhook.secrets]
    return sum(all(keys.is_newest(stored) for stored in webhook.secrets) for webhook in webhooks)


@write_operation
def drop_old_keys(session: Session, *, keys: WebhookKeys) -> None:
    """Drop every key but the newest from the file. Raises `WebhookSecretUnreadable` if a secret still needs another."""
    for webhook in list_webhooks(session):
        if any(keys.can_decrypt(webhook.name, stored) and not keys.is_newest(stored) for stored in webhook.secrets):
            raise WebhookSecretUnreadable
    keys.drop_old()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
