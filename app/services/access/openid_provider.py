"""The configuration and the public keys of an OpenID provider, fetched within limits of time and size, and cached."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
from jwt import PyJWK, PyJWKSet
from jwt import exceptions as jwt_errors

from app.config import is_safe_address
from app.errors import ProviderUnavailable, TokenInvalid
from app.models.base import parse_json
from app.services.workers import call_in_time

DISCOVERY_PATH = "/.well-known/openid-configuration"
DEADLINE_SECONDS = 3.0
MAX_BYTES = 1_000_000
CODE_NOT_TAKEN = "invalid_grant"
"""The code is unknown, used or expired (RFC 6749, section 5.2)."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
FRESH_SECONDS = 300.0
KNOWN_KEY_SECONDS = 3600.0
UNKNOWN_KEY_SECONDS = 30.0
FAILURE_SECONDS = 5.0


def fetch_document(
    url: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Fetch a JSON document without following redirects. `form`, if any, is sent by POST.

    Raise `TokenInvalid` if the provider refuses the code in it.
    """
    try:
        return call_in_time(lambda: asyncio.run(_fetch(url, form, auth)), DEADLINE_SECONDS)
    except TimeoutError:
        raise ProviderUnavailable("the provider did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError) as failure:
        raise ProviderUnavailable(f"the provider did not answer: {type(failure).__name__}") from None
    except (ValueError, RecursionError):
        raise ProviderUnavailable("the provider sent something that is not a JSON object") from None


async def _fetch(url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, Any]:
    method = "GET" if form is None else "POST"
    verify = ssl.create_default_context()  # trusts the certificate authorities of this host
    async with (
        asyncio.timeout(DEADLINE_SECONDS),  # for the whole response, however slowly it arrives
        httpx.AsyncClient(verify=verify, timeout=DEADLINE_SECONDS, headers=HEADERS) as client,
        client.stream(method, url, data=form, auth=auth) as response,
    ):
        status = response.status_code
        if status != httpx.codes.OK and (form is None or status != httpx.codes.BAD_REQUEST):
            raise ProviderUnavailable(f"the provider answered {status}")
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_BYTES:
                raise ProviderUnavailable("the provider sent too much")
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ValueError
    if document.get("error") == CODE_NOT_TAKEN and status == httpx.codes.BAD_REQUEST:
        raise TokenInvalid("the provider does not take the code")
    if status == httpx.codes.BAD_REQUEST:
        raise ProviderUnavailable(f"the provider answered {status}")
    return document


def discover_jwks_url(issuer: str) -> str:
    return address_in(discover(issuer), "jwks_uri", "keys", issuer=issuer)


def discover(issuer: str) -> dict[str, Any]:
    """Return the provider's configuration. Raise `ProviderUnavailable` also if it names a different issuer."""
    document = fetch_document(issuer.rstrip("/") + DISCOVERY_PATH)
    if document.get("issuer") != issuer:
        raise ProviderUnavailable("the provider's configuration names another issuer")
    return document


def address_in(document: Mapping[str, Any], name: str, subject: str, *, issuer: str) -> str:
    """Return the URL under a key.

    Raise `ProviderUnavailable` if it is not safe: http counts as safe only on this host, and only if the issuer's URL
    has it.
    """
    url = document.get(name)
    if not isinstance(url, str) or not _is_safe(url) or (_is_https(issuer) and not _is_https(url)):
        raise ProviderUnavailable(f"the provider's configuration names no https address of {subject}")
    return url


def _is_safe(url: str) -> bool:
    address, _, query = url.partition("?")
    return is_safe_address(address) and not any(character.isspace() or character == "#" for character in query)


def _is_https(url: str) -> bool:
    return url.lower().startswith("https:")


@dataclass
class ProviderKeys:
    """The provider's keys, which are fetched again after `FRESH_SECONDS`.

    An unknown key leads to a fetch at most every `UNKNOWN_KEY_SECONDS`. Only one thread fetches.
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
        """Return a key.

        Raise `TokenInvalid` if the provider has no such key, or `ProviderUnavailable` if no keys are known.
        """
        is_known = kid in self._keys and self._age() < KNOWN_KEY_SECONDS
        if self._must_read(kid):
            with (
                suppress(ProviderUnavailable) if is_known else nullcontext(),
                self._locked(waits=not is_known) as is_mine,
            ):
                if is_mine and self._must_read(kid):  # another thread may have fetched the keys in the meantime
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
        return float("inf") if self._read_at is None else self.monotonic() - self._read_at

    def _read(self) -> None:
        if self._failure is not None and self.monotonic() - self._failure[0] < FAILURE_SECONDS:
            raise ProviderUnavailable(self._failure[1])
        try:
            url = self.jwks_url or self._discovered or discover_jwks_url(self.issuer)
            self._keys = parse_keys(fetch_document(url))
        except ProviderUnavailable as failure:
            self._failure, self._discovered = (self.monotonic(), str(failure)), None
            raise
        self._failure, self._discovered, self._read_at = None, url, self.monotonic()


def parse_keys(document: dict[str, Any]) -> dict[str, PyJWK]:
    try:
        keys = PyJWKSet.from_dict(document).keys
    except (jwt_errors.PyJWTError, ValueError, TypeError, AttributeError):
        raise ProviderUnavailable("the provider sent no keys") from None
    usable = {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}
    if not usable:
        raise ProviderUnavailable("the provider sent no keys")
    return usable
