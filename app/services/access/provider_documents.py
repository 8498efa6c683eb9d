"""Documents of an OpenID provider, fetched within a deadline and a size."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any

import httpx

from app.config import is_safe_address
from app.errors import GuidanceError, ProviderUnavailable, TokenInvalid

DISCOVERY_PATH = "/.well-known/openid-configuration"
DEADLINE_SECONDS = 3.0
MAX_BYTES = 1_000_000
CODE_NOT_TAKEN = "invalid_grant"
"""What a provider says of a code that is unknown, was used or has expired (RFC 6749, section 5.2)."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


def fetch_document(
    url: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object at that address: by GET, or where there is a form by POST, with a name and a password.

    Raises `ProviderUnavailable`, with the reason, after the deadline too, and `TokenInvalid` where the provider does
    not take the code of the form. No redirect is followed.
    """
    outcome: Future[dict[str, Any]] = Future()
    # in a thread of its own, since a search for the host's address cannot be stopped
    Thread(target=_settle, args=(outcome, url, form, auth), name="provider", daemon=True).start()
    try:
        return outcome.result(timeout=DEADLINE_SECONDS)
    except TimeoutError:
        raise ProviderUnavailable("the provider did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError) as failure:
        raise ProviderUnavailable(f"the provider did not answer: {type(failure).__name__}") from None
    except (ValueError, RecursionError):
        raise ProviderUnavailable("the provider sent something that is not a JSON object") from None


def _settle(
    outcome: Future[dict[str, Any]], url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None
) -> None:
    try:
        outcome.set_result(asyncio.run(_fetch(url, form, auth)))
    except Exception as failure:  # for the thread that waits
        outcome.set_exception(failure)


async def _fetch(url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, Any]:
    method = "GET" if form is None else "POST"
    verify = ssl.create_default_context()  # with the authorities of this machine
    async with (
        asyncio.timeout(DEADLINE_SECONDS),  # for all of it, however slowly the provider sends
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
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError
    if status == httpx.codes.BAD_REQUEST:
        raise _refusal(document)
    return document


def _refusal(document: Mapping[str, Any]) -> GuidanceError:
    """Return what the provider's refusal of a form means: the person's code is over, or it has another fault."""
    if document.get("error") == CODE_NOT_TAKEN:
        return TokenInvalid("the provider does not take the code")
    return ProviderUnavailable(f"the provider answered {httpx.codes.BAD_REQUEST.value}")


def discover_jwks_url(issuer: str) -> str:
    """Return the address of the issuer's keys, from its own configuration (OpenID Connect Discovery 1.0, 4.3)."""
    return address_in(discover(issuer), "jwks_uri", "keys", issuer=issuer)


def discover(issuer: str) -> dict[str, Any]:
    """Return the issuer's own configuration. Raises `ProviderUnavailable`."""
    document = fetch_document(issuer.rstrip("/") + DISCOVERY_PATH)
    if document.get("issuer") != issuer:
        raise ProviderUnavailable("the provider's configuration names another issuer")
    return document


def address_in(document: Mapping[str, Any], name: str, subject: str, *, issuer: str) -> str:
    """Return that address of the issuer's configuration, which may have a query (RFC 6749, section 3.1).

    Raises `ProviderUnavailable` if it is not as safe as the issuer.
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
