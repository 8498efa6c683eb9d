"""Around every request: an id, one log line, the metrics, and HEAD."""

import os
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import RequestLines
from app.routers.metrics import Metrics
from app.routers.shelf import Shelf

NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class AroundRequests:
    """ASGI middleware: the outermost of this service, before the framework itself. What stands on the shelf is sent."""

    def __init__(self, app: ASGIApp, shelf: Shelf, metrics: Metrics) -> None:
        self.app = app
        self.shelf = shelf
        self.metrics = metrics
        self.lines = RequestLines(__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        request_id = new_request_id()
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server must go on knowing that no body follows
        status = SERVER_ERROR
        try:
            told = self.shelf.find(scope)
            if told is not None:
                status = told.status
                await send(
                    {
                        "type": "http.response.start",
                        "status": status,
                        "headers": [*told.headers, (b"x-request-id", request_id.encode())],
                    }
                )
                await send({"type": "http.response.body", "body": told.body if method != "HEAD" else b""})
            else:
                scope.setdefault("state", {})["request_id"] = request_id
                outgoing = _Outgoing(send, request_id, with_body=method != "HEAD")
                await self.app(scope, receive, outgoing.send)
                status = outgoing.status
        finally:
            seconds = time.perf_counter() - began
            route = _route_of(scope)
            self.metrics.record(method, route, status, seconds)
            self.lines.tell(request_id, method, route, status, seconds)


class _Outgoing:
    """The way out: adds the id, remembers the status, and leaves out the body of an answer to HEAD."""

    __slots__ = ("_request_id", "_send", "_with_body", "status")

    def __init__(self, send: Send, request_id: str, *, with_body: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._with_body = with_body
        self.status = SERVER_ERROR

    async def send(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message = {**message, "headers": headers}
        elif not self._with_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def new_request_id() -> str:
    """A random UUID (version 4): `uuid.uuid4` takes three times as long, which counts where an answer takes 20 us."""
    drawn = os.urandom(16).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:]}"


def _route_of(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, such as /v1/concerns/{reference}: never the path that was asked for."""
    path: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return path
