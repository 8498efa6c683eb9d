"""Around every request: an id, one log line, the metrics, HEAD, and security headers."""

import time
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.routers.metrics import Metrics

log = structlog.get_logger()

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
OVER_HTTPS = {"Strict-Transport-Security": "max-age=63072000"}  # two years
NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class AroundRequests:
    """ASGI middleware: the outermost of this service."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, is_https: bool) -> None:
        self.app = app
        self.metrics = metrics
        self.headers = HEADERS | OVER_HTTPS if is_https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server must go on knowing that no body follows
        told = _Outgoing(send, {**self.headers, "X-Request-ID": request_id}, with_body=method != "HEAD")
        await self.app(scope, receive, told.send)
        seconds = time.perf_counter() - began
        status, route = told.status or SERVER_ERROR, _route_of(scope)
        self.metrics.record(method=method, route=route, status=status, seconds=seconds)
        log.info(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )


class _Outgoing:
    """The way out: adds the headers, remembers the status, and leaves out the body of an answer to HEAD."""

    def __init__(self, send: Send, headers: Mapping[str, str], *, with_body: bool) -> None:
        self._send = send
        self._headers = headers
        self._with_body = with_body
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        elif not self._with_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _route_of(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, such as /v1/concerns/{reference}: never the path that was asked for."""
    path: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return path
