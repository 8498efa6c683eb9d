"""The keys with which an OpenID provider signs its tokens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from app.errors import ProviderUnavailable, TokenInvalid
from app.services.access.provider_documents import discover_jwks_url, fetch_document

FRESH_SECONDS = 300.0
KNOWN_KEY_SECONDS = 3600.0
UNKNOWN_KEY_SECONDS = 30.0
FAILURE_SECONDS = 5.0


@dataclass
class ProviderKeys:
    """The provider's keys, read again when they are old, or when a token names an unknown one.

    One thread reads at a time. Others wait for it, unless they need a key that was read within the hour: such a key is
    used although the provider is slow or unavailable. After a failure the provider is left alone for some seconds.
    """

    issuer: str
    jwks_url: str | None = None
    monotonic: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, repr=False)
    _keys: dict[str, PyJWK] = field(default_factory=dict, repr=False)
    _discovered: str | None = None
    _read_at: float | None = None
    _failure: tuple[float, str] | None = None

    def get(self, kid: str) -> PyJWK:
        """Return the key of that name. Raises `TokenInvalid` if there is none, and `ProviderUnavailable`."""
        is_known = kid in self._keys and self._age() < KNOWN_KEY_SECONDS
        if self._must_read(kid):
            with (
                suppress(ProviderUnavailable) if is_known else nullcontext(),
                self._locked(waits=not is_known) as is_mine,
            ):
                if is_mine and self._must_read(kid):  # another thread may have read them meanwhile
                    self._read()
        try:
            return self._keys[kid]
        except KeyError:
            raise TokenInvalid("the provider has no key of the name that the token gives") from None

    @contextmanager
    def _locked(self, *, waits: bool) -> Iterator[bool]:
        is_mine = self._lock.acquire(blocking=waits)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._lock.release()

    def _must_read(self, kid: str) -> bool:
        return self._age() >= (FRESH_SECONDS if kid in self._keys else UNKNOWN_KEY_SECONDS)

    def _age(self) -> float:
        """Return how long ago the keys were read, in seconds."""
        return float("inf") if self._read_at is None else self.monotonic() - self._read_at

    def _read(self) -> None:
        if self._failure is not None and self.monotonic() - self._failure[0] < FAILURE_SECONDS:
            raise ProviderUnavailable(self._failure[1])
        try:
            url = self.jwks_url or self._discovered or discover_jwks_url(self.issuer)
            self._keys = _parse_keys(fetch_document(url))
        except ProviderUnavailable as failure:
            self._failure, self._discovered = (self.monotonic(), str(failure)), None
            raise
        self._failure, self._discovered, self._read_at = None, url, self.monotonic()


def _parse_keys(document: dict[str, Any]) -> dict[str, PyJWK]:
    """Return the keys for signatures by their names; those that this program cannot use are left out."""
    try:
        keys = PyJWKSet.from_dict(document).keys
    except (PyJWTError, ValueError, TypeError, AttributeError):
        raise ProviderUnavailable("the provider sent no keys") from None
    usable = {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}
    if not usable:
        raise ProviderUnavailable("the provider sent no keys")
    return usable
