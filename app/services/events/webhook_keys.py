"""The secrets that sign messages to webhooks, encrypted in the database, and the keys that encrypt them."""

import base64
import datetime as dt
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Session

from app.config import Settings
from app.db.writer import Writer
from app.errors import SetupError, WebhookSecretUnreadable
from app.models.base import SLUG_PATTERN
from app.models.events.rows import MAILBOXES, EventKind, WebhookRow
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
    """The keys, newest first, that encrypt secrets of webhooks (AES-256-GCM).

    The name is bound in, so that no secret can be moved.
    """

    purpose = "the secrets of webhooks are encrypted under"
    command = "guidance keys rotate-webhooks"

    def encrypt(self, webhook: str, secret: str) -> str:
        key = self._newest()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(key.value).encrypt(nonce, secret.encode(), webhook.encode())
        return ".".join((FORMAT_VERSION, key.id, base64.urlsafe_b64encode(sealed).decode()))

    def decrypt_all(self, webhook: str, stored: Iterable[str]) -> tuple[str, ...]:
        """Return the decrypted secrets in order. Raise `WebhookSecretUnreadable`."""
        return tuple(self._decrypt(webhook, each) for each in stored)

    def can_decrypt(self, webhook: str, stored: str) -> bool:
        with suppress(WebhookSecretUnreadable):
            self._decrypt(webhook, stored)
            return True
        return False

    def is_newest(self, stored: str) -> bool:
        return stored.startswith(f"{FORMAT_VERSION}.{self._newest().id}.")

    def renew(self, webhook: str, stored: str) -> str:
        """Encrypt a secret again with the newest key. It is unchanged if it has that key or cannot be decrypted."""
        if self.is_newest(stored) or not self.can_decrypt(webhook, stored):
            return stored
        return self.encrypt(webhook, self._decrypt(webhook, stored))

    def _decrypt(self, webhook: str, stored: str) -> str:
        try:
            version, key_id, sealed = stored.split(".")
            found = base64.urlsafe_b64decode(sealed)
            value = self.look_twice(lambda: dict(self.keys).get(key_id))
            if version != FORMAT_VERSION or value is None:
                raise WebhookSecretUnreadable
            return AESGCM(value).decrypt(found[:NONCE_BYTES], found[NONCE_BYTES:], webhook.encode()).decode()
        except (ValueError, InvalidTag):
            raise WebhookSecretUnreadable from None

    def _newest(self) -> FileKey:
        if not self.keys:
            self.read()
        if not self.keys and not self.is_configured:
            self.make()
        if not self.keys:
            self.load()
        return self.keys[0]


def open_webhook_keys(settings: Settings) -> WebhookKeys:
    """Return the keys. Their file is read later."""
    configured = settings.webhook_key_file
    return WebhookKeys(configured or settings.data_dir / WEBHOOK_KEY, is_configured=configured is not None)


def add_webhook(
    writer: Writer,
    name: str,
    url: str,
    kinds: Iterable[EventKind],
    *,
    guard: SsrfGuard,
    keys: WebhookKeys,
    at: dt.datetime,
) -> str:
    """Add and record a webhook. Return the secret that signs its messages (Standard Webhooks 1.0).

    Raise `SetupError` (name, key file), `AddressNotAllowed`, `WebhookExists` or `StoreBusy`.
    """
    refuse_mailbox(name)
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.resolve(url)
    secret = _new_secret()
    stored, chosen = keys.encrypt(name, secret), sorted({kind.value for kind in kinds})
    writer.run(insert_webhook, WebhookRow(name=name, url=url, kinds=chosen, secrets=[stored], added_at=at))
    return secret


def rotate_secret(session: Session, name: str, *, keys: WebhookKeys, at: dt.datetime) -> str:
    """Record and return a new secret. Both sign until the next rotation or `drop_old_secret`.

    A previous secret that cannot be decrypted is dropped. Raise `NoSuchWebhook`, or `SetupError` for a mailbox or the
    key file.
    """
    refuse_mailbox(name)
    secret = _new_secret()
    webhook = get_webhook(session, name)
    readable = [stored for stored in webhook.secrets if keys.can_decrypt(name, stored)]
    webhook.secrets = [keys.encrypt(name, secret), *readable][:MAX_SECRETS]
    record_webhook(session, webhook, by_operator(at))
    return secret


def drop_old_secret(session: Session, name: str, *, at: dt.datetime) -> None:
    """Drop the previous secret. Raise `NoSuchWebhook`, or `SetupError` for a mailbox."""
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.secrets = webhook.secrets[:1]
    record_webhook(session, webhook, by_operator(at))


def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove and record a webhook, and cancel its undelivered events. Its name is free again.

    Raise as `drop_old_secret`.
    """
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.disabled_at, webhook.disabled_because = at, REMOVED
    record_webhook(session, webhook, by_operator(at))
    cancel_deliveries(session, name)


def encrypt_again(session: Session, *, keys: WebhookKeys, at: dt.datetime, with_new_key: bool = False) -> int:
    """Encrypt all secrets with the newest key.

    Return how many receivers have secrets under that key only, also removed ones. Secrets that cannot be decrypted
    stay. Call in a write transaction: it keeps two processes from changing the key file. Raise `SetupError`.
    """
    if with_new_key:
        keys.add()
    webhooks = list_webhooks(session)
    for webhook in webhooks:
        webhook.secrets = [keys.renew(webhook.name, stored) for stored in webhook.secrets]
        if webhook.name not in MAILBOXES:
            record_webhook(session, webhook, by_operator(at))
    return sum(all(keys.is_newest(stored) for stored in webhook.secrets) for webhook in webhooks)


def drop_old_keys(session: Session, *, keys: WebhookKeys) -> None:
    """Keep only the newest key. Raise `WebhookSecretUnreadable`, and keep all, if an older key still encrypts a secret.

    Raise `SetupError`.
    """
    for webhook in list_webhooks(session):
        if any(keys.can_decrypt(webhook.name, stored) and not keys.is_newest(stored) for stored in webhook.secrets):
            raise WebhookSecretUnreadable
    keys.drop_old()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
