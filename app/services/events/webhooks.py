"""Webhooks: adding and removing them, where they may lead, their secrets, and sending again what did not arrive."""

import base64
import datetime as dt
import hashlib
import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.config import Settings
from app.errors import AddressNotAllowed, NoSuchWebhook, SetupError, WebhookExists, WebhookSecretUnreadable
from app.models.base import SLUG_PATTERN
from app.models.events.tables import DeliveryRow, DeliveryState, EventKind, WebhookRow
from app.services.access.key_files import write_key_file
from app.store.writer import Writer, write_operation

HTTPS = "https"
WEBHOOK_KEY = "webhook-key.txt"
FORMAT_VERSION = "v1"
WEBHOOK_KEY_BYTES, NONCE_BYTES = 32, 12
EXPLANATION = "# Secrets of webhooks are encrypted under the first key. The others still decrypt.\n"
SECRET_BYTES = 32
MAX_SECRETS = 2
REMOVED = "removed"
UNDELIVERED = (DeliveryState.PENDING.value, DeliveryState.DEAD.value)


def insert_webhook(session: Session, webhook: WebhookRow) -> None:
    """Insert the webhook, in place of one of its name that was removed. Raises `WebhookExists` if the name is in use.

    Deliveries to the former address stay as a record. None of them goes to the new one.
    """
    was_removed = col(WebhookRow.name) == webhook.name, col(WebhookRow.disabled_because) == REMOVED
    if session.exec(delete(WebhookRow).where(*was_removed)).rowcount:
        _cancel_deliveries(session, webhook.name)
    session.add(webhook)
    try:
        session.flush()
    except IntegrityError:
        raise WebhookExists from None


def get_webhook(session: Session, name: str) -> WebhookRow:
    """Return the webhook of that name, unless it was removed. Raises `NoSuchWebhook`."""
    webhook = session.get(WebhookRow, name)
    if webhook is None or webhook.disabled_because == REMOVED:
        raise NoSuchWebhook
    return webhook


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Return every webhook by name, with those that are disabled or removed."""
    return list(session.exec(select(WebhookRow).order_by(WebhookRow.name)))


def disable(session: Session, name: str, *, because: str, at: dt.datetime) -> None:
    """Disable the webhook. If it is already disabled, its time and reason stay. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_because = at, because


def _cancel_deliveries(session: Session, name: str) -> None:
    session.exec(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state).in_(UNDELIVERED))
        .values(state=DeliveryState.CANCELLED.value)
    )


@dataclass(frozen=True)
class SsrfGuard:
    """Checks URLs. `allowed_hosts` may resolve to private addresses; this machine itself is allowed over http."""

    allowed_hosts: frozenset[str] = frozenset()

    def resolve(self, url: str) -> tuple[httpx.URL, str]:
        """Return the URL with the host's IP address, and the host's name for TLS. Raises `AddressNotAllowed`."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise AddressNotAllowed("it is not an address") from None
        if parsed.scheme not in (HTTPS, "http") or not parsed.host or parsed.userinfo or parsed.fragment:
            raise AddressNotAllowed("it must be an https address, without a name or password in it")
        addresses = _resolve_host(parsed.host, parsed.port or (443 if parsed.scheme == HTTPS else 80))
        for address in addresses:
            self._check_address(address, parsed)
        return parsed.copy_with(host=str(addresses[0])), parsed.host

    def _check_address(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, parsed: httpx.URL) -> None:
        if address.is_loopback and parsed.host in ("localhost", "127.0.0.1", "::1"):
            return
        if parsed.scheme != HTTPS:
            raise AddressNotAllowed("it must be https, unless it is on this machine")
        if not address.is_global and parsed.host not in self.allowed_hosts:
            raise AddressNotAllowed(
                "it leads into a private network; allow its name in WEBHOOK_ALLOWED_HOSTS if it should"
            )


def _resolve_host(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]


class WebhookKey(NamedTuple):
    """A key of AES-256-GCM, and the id that an encrypted secret names it by."""

    id: str
    value: bytes


class WebhookKeys:
    """The keys of one file, one to a line: the first encrypts, all decrypt. The name of the webhook is authenticated.

    A file that is not configured is made when the first secret is encrypted. So it is by `add`.
    """

    def __init__(self, path: Path, *, is_configured: bool) -> None:
        self.path = path
        self._is_configured = is_configured
        self._keys: list[WebhookKey] = []

    def load(self) -> None:
        """Read the file again. Raises `SetupError` if it has no keys, or is configured and absent."""
        self._keys = self._read()
        if not self._keys and (self._is_configured or self.path.exists()):
            raise SetupError(f"{self.path} has no key (guidance keys rotate-webhooks makes one)")

    def add(self) -> None:
        """Write a new key in the first line of the file. One process at a time may do so."""
        self._write([_new_key(), *self._read()], replace=True)

    def drop_old(self) -> None:
        """Leave only the newest key in the file. One process at a time may do so."""
        if keys := self._read():
            self._write(keys[:1], replace=True)

    def encrypt(self, webhook: str, secret: str) -> str:
        """Encrypt a secret of that webhook under the newest key."""
        key = self._newest()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(key.value).encrypt(nonce, secret.encode(), webhook.encode())
        return ".".join((FORMAT_VERSION, key.id, base64.urlsafe_b64encode(sealed).decode()))

    def decrypt_all(self, webhook: str, stored: Iterable[str]) -> tuple[str, ...]:
        """Decrypt the secrets of that webhook. Raises `WebhookSecretUnreadable`."""
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
        """Return the secret encrypted under the newest key; as it is, if it is so already or cannot be decrypted."""
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
        """Return the key of that id. A new one may have been written to the file since it was read."""
        if key_id not in dict(self._keys):
            self._keys = self._read()
        return dict(self._keys).get(key_id)

    def _newest(self) -> WebhookKey:
        if not self._keys:
            self._keys = self._read()
        if not self._keys and not self._is_configured:
            with suppress(FileExistsError):  # another process was first: its key is used
                self._write([_new_key()], replace=False)
            self._keys = self._read()
        if not self._keys:
            self.load()
        return self._keys[0]

    def _read(self) -> list[WebhookKey]:
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
            return [_key_of(base64.urlsafe_b64decode(line)) for line in lines if line.strip() and line[0] != "#"]
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            raise SetupError(f"{self.path} cannot be read as keys of webhooks") from None

    def _write(self, keys: list[WebhookKey], *, replace: bool) -> None:
        lines = [base64.urlsafe_b64encode(key.value).decode() for key in keys]
        write_key_file(self.path, (EXPLANATION + "\n".join(lines) + "\n").encode(), replace=replace)
        self._keys = keys


def open_webhook_keys(settings: Settings) -> WebhookKeys:
    """Return the keys that the settings name: the configured file, else one in the data folder."""
    configured = settings.webhook_key_file
    return WebhookKeys(configured or settings.data_dir / WEBHOOK_KEY, is_configured=configured is not None)


def _new_key() -> WebhookKey:
    return _key_of(secrets.token_bytes(WEBHOOK_KEY_BYTES))


def _key_of(value: bytes) -> WebhookKey:
    if len(value) != WEBHOOK_KEY_BYTES:
        raise ValueError
    return WebhookKey(hashlib.sha256(value).hexdigest()[:8], value)


@dataclass(frozen=True)
class NewWebhook:
    """An address to add, with the kinds of events that are pushed to it."""

    name: str
    url: str
    kinds: Iterable[EventKind]


def add_webhook(writer: Writer, webhook: NewWebhook, *, guard: SsrfGuard, keys: WebhookKeys, at: dt.datetime) -> str:
    """Add a webhook, and return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the address may not be called.
    """
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
def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove the webhook: nothing more goes to it, and another one may have its name. Raises `NoSuchWebhook`."""
    webhook = get_webhook(session, name)
    webhook.disabled_at, webhook.disabled_because = at, REMOVED
    _cancel_deliveries(session, name)


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
