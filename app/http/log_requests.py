"""The log of requests: a line for each request, with its id, method, route, status and duration."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from app.http.metrics import FinishedRequest, Metrics
from app.http.turns import HELD_SECONDS
from app.logs import Log

if TYPE_CHECKING:
    from app.http.tracing import Traces

log = Log(__name__)
NO_ROUTE = "(none)"
OTHER_METHOD = "OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class RequestRecords:
    """Counts each finished request, writes its log line, and makes its trace span if `traces` is set."""

    def __init__(self, metrics: Metrics, traces: "Traces | None" = None) -> None:
        self._metrics = metrics
        self._traces = traces
        self._answered: list[FinishedRequest] = []

    def add(self, answered: FinishedRequest) -> None:
        """Recorded with others in the next turn of the event loop: lost if the process is killed before that."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write)
        self._answered.append(answered)

    def _write(self) -> None:
        answered, self._answered = self._answered, []
        self._metrics.record(answered)
        log.info_each("request", [each.fields() for each in answered])
        if self._traces is not None:
            self._traces.record(answered)


class RequestLogMiddleware:
    """Outermost: gives each request an id, records it, and serves HEAD as GET."""

    def __init__(self, app: ASGIApp, records: RequestRecords) -> None:
        self.app = app
        self._records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        request_id = new_request_id()
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server must still know that no body follows
        scope.setdefault("state", {})["request_id"] = request_id
        outgoing = _Outgoing(send, request_id, with_body=method != "HEAD")
        try:
            await self.app(scope, receive, outgoing.send)
        finally:
            took = time.perf_counter() - began - scope["state"].get(HELD_SECONDS, 0.0)
            route, cached = route_template(scope.get("route")), scope.get("cached", False)
            self._records.add(FinishedRequest(request_id, method, route, outgoing.status, took, cached))


class _Outgoing:
    """Adds the request id, keeps the status (500 if no response starts), and drops the body of HEAD."""

    __slots__ = ("_request_id", "_send", "_with_body", "status")

    def __init__(self, send: Send, request_id: str, *, with_body: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._with_body = with_body
        self.status = SERVER_ERROR

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message = {**message, "headers": headers}
        elif not self._with_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        return self._send(message)


def new_request_id() -> str:
    return str(uuid4())  # the standard library's `uuid.uuid4` takes as long as all the rest of a cache hit


def route_template(route: Any) -> str:
    """Return such as /v1/concerns/{reference}, never the path itself, which may have the reference of a concern."""
    path: str = getattr(route, "path", NO_ROUTE)
    return path
