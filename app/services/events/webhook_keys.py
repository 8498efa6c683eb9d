"""Secrets of webhooks: encrypted in the database, rotated, and re-encrypted under a new key."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Session

from app.config import Settings
from app.db.writer import Writer
from app.errors import SetupError, WebhookSecretUnreadable
from app.models.base import SLUG_PATTERN
from app.models.events.rows import EMAIL, EventKind, WebhookRow
from app.services.access.access_record import by_operator
from app.services.events.address_guard import SsrfGuard
from app.services.events.webhooks import (
    REMOVED,
    cancel_deliveries,
    get_webhook,
    insert_webhook,
    list_webhooks,
    record_webhook,
    refuse_mailbox,
)
from app.services.key_files import FileKey, KeyFile

WEBHOOK_KEY = "webhook-key.txt"
FORMAT_VERSION = "v1"
NONCE_BYTES = 12
SECRET_BYTES = 32
MAX_SECRETS = 2


class WebhookKeys(KeyFile):
    """The keys that encrypt secrets (AES-256-GCM). The webhook's name is authenticated too.

    A key file that is not configured is created when the first secret is encrypted.
    """

    purpose = "the secrets of webhooks are encrypted under"
    command = "guidance keys rotate-webhooks"

    def encrypt(self, webhook: str, secret: str) -> str:
        """Encrypt a secret of the webhook under the newest key."""
        key = self._newest()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(key.value).encrypt(nonce, secret.encode(), webhook.encode())
        return ".".join((FORMAT_VERSION, key.id, base64.urlsafe_b64encode(sealed).decode()))

    def decrypt_all(self, webhook: str, stored: Iterable[str]) -> tuple[str, ...]:
        """Decrypt the secrets of the webhook. Raises `WebhookSecretUnreadable`."""
        return tuple(self._decrypt(webhook, each) for each in stored)

    def can_decrypt(self, webhook: str, stored: str) -> bool:
        """Return True if `decrypt_all` would return the secret."""
        with suppress(WebhookSecretUnreadable):
            self._decrypt(webhook, stored)
            return True
        return False

    def is_newest(self, stored: str) -> bool:
        """Return True if the secret is encrypted under the newest key."""
        return stored.startswith(f"{FORMAT_VERSION}.{self._newest().id}.")

    def renew(self, webhook: str, stored: str) -> str:
        """Return the secret encrypted under the newest key; unchanged if it already is or cannot be decrypted."""
        if self.is_newest(stored) or not self.can_decrypt(webhook, stored):
            return stored
        return self.encrypt(webhook, self._decrypt(webhook, stored))

    def _decrypt(self, webhook: str, stored: str) -> str:
        try:
            version, key_id, sealed = stored.split(".")
            found = base64.urlsafe_b64decode(sealed)
            value = self._find(key_id)
            if version != FORMAT_VERSION or value is None:
                raise WebhookSecretUnreadable
            return AESGCM(value).decrypt(found[:NONCE_BYTES], found[NONCE_BYTES:], webhook.encode()).decode()
        except (ValueError, InvalidTag):
            raise WebhookSecretUnreadable from None

    def _find(self, key_id: str) -> bytes | None:
        """Return the key with that ID. Reads the file again if necessary: a key may have been added."""
        if key_id not in dict(self.keys):
            self.read()
        return dict(self.keys).get(key_id)

    def _newest(self) -> FileKey:
        if not self.keys:
            self.read()
        if not self.keys and not self.is_configured:
            self.make()
        if not self.keys:
            self.load()
        return self.keys[0]


def open_webhook_keys(settings: Settings) -> WebhookKeys:
    """Return the keys from the configured file, or from the data folder if none is configured."""
    configured = settings.webhook_key_file
    return WebhookKeys(configured or settings.data_dir / WEBHOOK_KEY, is_configured=configured is not None)


@dataclass(frozen=True)
class NewWebhook:
    """A webhook to add: its name, URL and kinds of events."""

    name: str
    url: str
    kinds: Iterable[EventKind]


def add_webhook(writer: Writer, webhook: NewWebhook, *, guard: SsrfGuard, keys: WebhookKeys, at: dt.datetime) -> str:
    """Add a webhook. Return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the URL may not be called.
    """
    refuse_mailbox(webhook.name)
    if not re.fullmatch(SLUG_PATTERN, webhook.name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.resolve(webhook.url)
    secret = _new_secret()
    stored, kinds = keys.encrypt(webhook.name, secret), sorted({kind.value for kind in webhook.kinds})

    def write(session: Session) -> None:
        row = WebhookRow(name=webhook.name, url=webhook.url, kinds=kinds, secrets=[stored], added_at=at)
        insert_webhook(session, row)

    writer.run(write)
    return secret


def rotate_secret(session: Session, name: str, *, keys: WebhookKeys, at: dt.datetime) -> str:
    """Add a new secret and return it. Messages carry both signatures until the next rotation. Raises `NoSuchWebhook`.

    An old secret that can no longer be decrypted is dropped.
    """
    refuse_mailbox(name)
    secret = _new_secret()
    webhook = get_webhook(session, name)
    readable = [stored for stored in webhook.secrets if keys.can_decrypt(name, stored)]
    webhook.secrets = [keys.encrypt(name, secret), *readable][:MAX_SECRETS]
    record_webhook(session, webhook, by_operator(at))
    return secret


def drop_old_secret(session: Session, name: str, *, at: dt.datetime) -> None:
    """Sign only with the newest secret. Raises `NoSuchWebhook`."""
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.secrets = webhook.secrets[:1]
    record_webhook(session, webhook, by_operator(at))


def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove the webhook and cancel its deliveries. Another one may then use its name. Raises `NoSuchWebhook`."""
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.disabled_at, webhook.disabled_because = at, REMOVED
    record_webhook(session, webhook, by_operator(at))
    cancel_deliveries(session, name)


def encrypt_again(session: Session, *, keys: WebhookKeys, at: dt.datetime, with_new_key: bool = False) -> int:
    """Re-encrypt every secret under the newest key. Return the number of webhooks whose secrets are all under it.

    The transaction admits one writer at a time, so that no two processes change the key file simultaneously.
    """
    if with_new_key:
        keys.add()
    webhooks = list_webhooks(session)
    for webhook in webhooks:
        webhook.secrets = [keys.renew(webhook.name, stored) for stored in webhook.secrets]
        if webhook.name != EMAIL:
            record_webhook(session, webhook, by_operator(at))
    return sum(all(keys.is_newest(stored) for stored in webhook.secrets) for webhook in webhooks)


def drop_old_keys(session: Session, *, keys: WebhookKeys) -> None:
    """Drop every key but the newest from the file. Raises `WebhookSecretUnreadable` if a secret needs an older one."""
    for webhook in list_webhooks(session):
        if any(keys.can_decrypt(webhook.name, stored) and not keys.is_newest(stored) for stored in webhook.secrets):
            raise WebhookSecretUnreadable
    keys.drop_old()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
