"""Around every request: an id, one log line, the metrics, HEAD, security headers, and a last catch for defects."""

import time
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import frames_of
from app.routers.metrics import Metrics
from app.routers.origins import is_submission, open_to_all
from app.routers.problem_kinds import DEFECT
from app.routers.problems import problem

log = structlog.get_logger()

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class AroundRequests:
    """ASGI middleware: the outermost of this service.

    An error that nothing else answered becomes a problem here, and its line in the log tells its type and where it was
    raised, never its words.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

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
        told = _Outgoing(send, request_id, with_body=method != "HEAD")
        try:
            await self.app(scope, receive, told.send)
        except Exception as defect:  # the last catch: a defect is answered and logged, without its words
            log.error("defect", request_id=request_id, error=type(defect).__name__, frames=frames_of(defect))
            if told.status is None:
                way_out = told.send if is_submission(scope) else open_to_all(told.send)
                await problem(Request(scope, receive), DEFECT)(scope, receive, way_out)
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

    def __init__(self, send: Send, request_id: str, *, with_body: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._with_body = with_body
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        elif not self._with_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _route_of(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, such as /v1/concerns/{reference}: never the path that was asked for."""
    path: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return path
