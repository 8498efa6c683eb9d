"""Sending one event to a webhook: signed (Standard Webhooks 1.0), and only to addresses that may be called."""

import datetime as dt
import json

import httpx
from standardwebhooks import Webhook

from app.errors import AddressNotAllowed
from app.models.base import format_utc
from app.services.events.payloads import event_id
from app.services.events.ssrf_guard import SsrfGuard
from app.store.events import ClaimedDelivery

TIMEOUT = httpx.Timeout(10.0)
MAX_RESPONSE_BYTES = 64 * 1024


class WebhookSender:
    """Sends deliveries, through one HTTP client that reuses its connections."""

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._guard = SsrfGuard(allowed_hosts)
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def send(self, delivery: ClaimedDelivery, at: dt.datetime) -> tuple[int | str, str | None]:
        """Try once. Return the response's status, or the name of the error, and its `Retry-After`."""
        try:
            return self._send(delivery, at)
        except (AddressNotAllowed, httpx.HTTPError) as failure:
            return type(failure).__name__, None

    def _send(self, delivery: ClaimedDelivery, at: dt.datetime) -> tuple[int, str | None]:
        """Send the request. At most 64 KiB of the response are read, and none is stored."""
        url, host = self._guard.resolve(delivery.url)
        body = json.dumps(
            {
                "id": event_id(delivery.event_id, delivery.kind, delivery.at, delivery.data),
                "type": delivery.kind,
                "timestamp": format_utc(delivery.at),
                "data": delivery.data,
            }
        )
        signatures = " ".join(Webhook(secret).sign(delivery.message, at, body) for secret in delivery.secrets)
        headers = {
            "Host": httpx.URL(delivery.url).netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "one-minute-guide",
            "webhook-id": delivery.message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures,
        }
        tls = {"sni_hostname": host}
        with self._client.stream("POST", url, content=body, headers=headers, extensions=tls) as response:
            read = 0
            for chunk in response.iter_raw():
                read += len(chunk)
                if read > MAX_RESPONSE_BYTES:
                    break
            return response.status_code, response.headers.get("retry-after")
