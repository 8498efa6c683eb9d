"""The keys under which the secrets of webhooks are encrypted in the database. They are in a file outside it."""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.config import Settings
from app.errors import SetupError, WebhookSecretUnreadable
from app.services.access.key_files import write_key_file

WEBHOOK_KEY = "webhook-key.txt"
FORMAT_VERSION = "v1"
WEBHOOK_KEY_BYTES, NONCE_BYTES = 32, 12
EXPLANATION = "# Secrets of webhooks are encrypted under the first key. The others still decrypt.\n"


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
