"""The outermost middleware: request ids, the request log, the metrics, and HEAD."""

import asyncio
import time
from collections.abc import MutableMapping
from random import getrandbits
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import Answered, RequestLines
from app.web.cache.cache import ResponseCache
from app.web.metrics import Metrics

NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class AtOnce(NamedTuple):
    """A finished answer as it goes over the wire: its header fields, and its body."""

    status: int
    fields: bytes
    body: bytes


class RequestLogMiddleware:
    """ASGI middleware: the outermost of this service, before the framework itself.

    A server that can write a finished answer by itself asks `at_once` first.
    """

    def __init__(self, app: ASGIApp, shelf: ResponseCache, metrics: Metrics) -> None:
        self.app = app
        self.shelf = shelf
        self.metrics = metrics
        self.lines = RequestLines(__name__)
        self._answered: list[Answered] = []

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
        scope.setdefault("state", {})["request_id"] = request_id
        outgoing = _Outgoing(send, request_id, with_body=method != "HEAD")
        try:
            await self.app(scope, receive, outgoing.send)
        finally:
            self._record((request_id, method, _route_of(scope), outgoing.status, time.perf_counter() - began))

    def at_once(self, scope: Scope) -> AtOnce | None:
        """The answer to a request that the shelf can answer, with its id; counted, and told in the log."""
        began = time.perf_counter()
        told = self.shelf.find(scope)
        if told is None:
            return None
        request_id = new_request_id()
        self._record((request_id, "GET", _route_of(scope), told.status, time.perf_counter() - began))
        return AtOnce(told.status, b"%bx-request-id: %b\r\n" % (told.fields, request_id.encode()), told.body)

    def _record(self, answered: Answered) -> None:
        """Count and log it when this turn of the event loop is over, with all that were answered in the same turn.

        Only a kill within the turn loses them.
        """
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._tell)
        self._answered.append(answered)

    def _tell(self) -> None:
        answered, self._answered = self._answered, []
        self.metrics.record(answered)
        self.lines.write(answered)


class _Outgoing:
    """Wrap `send`: add the request id, store the status, and drop the body of a response to HEAD."""

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
    """A random UUID (version 4). It is no secret, and `uuid.uuid4` takes as long as all else of an answer at once."""
    drawn = f"{getrandbits(128):032x}"  # nosec B311
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:]}"


def _route_of(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, such as /v1/concerns/{reference}: never the path that was asked for."""
    path: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return path
