"""Connections that repeat a failed request if that is safe and may help."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
from anyio import sleep

from guidance_client.errors import ServiceUnreachable, error_of
from guidance_client.retries import RetryPolicy

NOT_MODIFIED = 304


class AsyncTransport:
    """Connections to one service. Every post has an `Idempotency-Key`, which makes it safe to repeat."""

    def __init__(self, http: httpx.AsyncClient, retries: RetryPolicy) -> None:
        self._http = http
        self._retries = retries

    async def get(
        self,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> httpx.Response:
        """Return the response to a GET request.

        Raise `ProblemError` for an error status, or `ServiceUnreachable` if there is no response after every retry.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request("GET", path, params=given, headers=_headers(headers, token))
        return await self._send(request)

    async def post(
        self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None, token: str | None = None
    ) -> httpx.Response:
        """Return the response to a POST request.

        Raise `ProblemError` for an error status, or `ServiceUnreachable` if there is no response after every retry.
        Both errors have the idempotency key.
        """
        key = idempotency_key or str(uuid4())
        headers = _headers({"Idempotency-Key": key}, token)
        return await self._send(self._http.build_request("POST", path, json=body, headers=headers), key)

    async def _send(self, request: httpx.Request, idempotency_key: str | None = None) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            response = None
            try:
                response = await self._http.send(request)
            except httpx.TransportError as failure:
                pause = self._retries.pause_after(attempt, None)
                if pause is None:
                    raise ServiceUnreachable(idempotency_key) from failure
            else:
                if response.is_success or response.status_code == NOT_MODIFIED:
                    return response
                pause = self._retries.pause_after(attempt, response)
                if pause is None:
                    raise error_of(response, idempotency_key)
            await sleep(pause)

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()


def _headers(headers: Mapping[str, str] | None, token: str | None) -> dict[str, str]:
    return dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
