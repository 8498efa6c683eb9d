"""The sender of messages to webhooks (Standard Webhooks 1.0), with limits on time and size."""

import asyncio
import datetime as dt
import json
import ssl
from concurrent.futures import Future
from contextlib import suppress
from functools import cached_property, partial
from typing import NamedTuple

import httpx
from standardwebhooks import Webhook

from app.config import Settings
from app.errors import AddressNotAllowed
from app.logs import Log
from app.models.base import format_utc
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import ClaimedDelivery
from app.services.events.outbox import id_and_payload
from app.services.workers import start_call

ATTEMPT_SECONDS = 15.0
"""Limit from the look-up to the start of the response. `BODY_SECONDS` limits its body."""
BODY_SECONDS = 1.0
MAX_RESPONSE_BYTES = 64 * 1024
SUCCESSES = range(200, 300)
Target = tuple[httpx.URL, str]
log = Log(__name__)


class SendResult(NamedTuple):
    """The result of an attempt. `answer` is the HTTP status, or the name of the error's class."""

    answer: int | str
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        return self.answer in SUCCESSES


class WebhookSender:
    """Sends messages, each over a new connection, so that no receiver affects another. `seconds` limits an attempt."""

    def __init__(self, guard: SsrfGuard, *, public_url: str, seconds: float = ATTEMPT_SECONDS) -> None:
        self._guard = guard
        self._lookups: dict[str, Future[Target]] = {}
        self._public_url = public_url
        self._seconds = seconds

    async def send(self, delivery: ClaimedDelivery, at: dt.datetime) -> SendResult:
        """Make one attempt. An error is a result and is not raised; an unexpected one is logged."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(delivery, at)
        except (AddressNotAllowed, httpx.HTTPError, TimeoutError) as failure:
            return SendResult(type(failure).__name__)
        except Exception as failure:  # a receiver can send data that no library expects
            log.failure("webhook_attempt_failed", error=failure, webhook=delivery.webhook)
            return SendResult(type(failure).__name__)

    async def _send(self, delivery: ClaimedDelivery, at: dt.datetime) -> SendResult:
        # Lookup, connection and TLS have their own, shorter timeouts: a cancelled TLS handshake would
        # leave its connection open (httpcore 1.0 closes it after an error, but not if the task is cancelled).
        step = self._seconds / 4
        async with asyncio.timeout(step):
            url, host = await self._resolve(delivery.url)
        body = _body_of(delivery, self._public_url)
        headers, tls = _headers_of(delivery, body, at), {"sni_hostname": host}
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=httpx.Timeout(None, connect=step), trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers, extensions=tls) as response,
        ):
            with suppress(httpx.HTTPError, TimeoutError):  # the status is already known, and the body does not matter
                async with asyncio.timeout(BODY_SECONDS):
                    await _discard(response)
            return SendResult(response.status_code, response.headers.get("retry-after"))

    async def _resolve(self, url: str) -> Target:
        """Beside the event loop, at most one thread a URL: while one hangs, further ones wait for it."""
        lookup = self._lookups.get(url)
        if lookup is None or lookup.done():
            lookup = self._lookups[url] = start_call(partial(self._guard.resolve, url), "webhook-lookup")
        return await asyncio.wrap_future(lookup)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)


def build_sender(settings: Settings, *, seconds: float = ATTEMPT_SECONDS) -> WebhookSender:
    guard = SsrfGuard(frozenset(settings.webhook_allowed_hosts))
    return WebhookSender(guard, public_url=settings.public_url, seconds=seconds)


def _body_of(delivery: ClaimedDelivery, public_url: str) -> str:
    own_id, payload = id_and_payload(delivery.event_id, delivery.kind, delivery.at, delivery.data)
    urls = {relation: f"{public_url}{path}" for relation, path in payload.get("links", {}).items()}
    event = {"id": own_id, "type": delivery.kind, "timestamp": format_utc(delivery.at)}
    return json.dumps(event | {"data": payload | {"urls": urls}})


def _headers_of(delivery: ClaimedDelivery, body: str, at: dt.datetime) -> dict[str, str]:
    return {
        "Host": httpx.URL(delivery.url).netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "one-minute-guide",
        "webhook-id": delivery.message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery.message, at, body) for secret in delivery.secrets),
    }


async def _discard(response: httpx.Response) -> None:
    """Up to 64 KiB, so that the receiver can finish."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_RESPONSE_BYTES:
            return
