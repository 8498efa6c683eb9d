"""Request bodies: read whole and in time before any work starts. Also the limit of requests in progress."""

import asyncio
from threading import Event

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, ContentTooLarge, Problem, RequestTimeout, ServiceUnavailable
from app.web.problems import problem_response

MAX_BODY_BYTES = 1_000_000
MAX_BUFFERED_BYTES = 64 * MAX_BODY_BYTES
"""Limit of all bodies that are being received at the same time."""
ALWAYS_ANSWERED = ("/health/", "/metrics")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class RequestBodyMiddleware:
    """ASGI middleware that reads the whole body of a request before it passes the request on.

    A slow client uses memory for its body, for at most `seconds`, but none of the `most_at_work` places for requests in
    progress. While the process drains, requests with a body are refused.
    """

    def __init__(self, app: ASGIApp, *, seconds: float, most_at_work: int, draining: Event) -> None:
        self.app = app
        self._draining = draining
        self._seconds = seconds
        self._most_at_work = most_at_work
        self._at_work = 0
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_ANSWERED):
            await self.app(scope, receive, send)
            return
        if scope["method"] in WITH_BODY:
            body = ServiceUnavailable if self._draining.is_set() else await self._read_body(scope, receive)
            if isinstance(body, type):
                closing = {"Connection": "close"}  # the rest of the body is not read
                await problem_response(Request(scope, receive), body, headers=closing)(scope, receive, send)
                return
            receive = _replay(body, receive)
        if self._at_work >= self._most_at_work:
            await problem_response(Request(scope, receive), ServiceUnavailable)(scope, receive, send)
            return
        self._at_work += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._at_work -= 1

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes | type[Problem]:
        """Return the body, or the problem with it."""
        if _content_length(scope) > MAX_BODY_BYTES:
            return ContentTooLarge
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    chunk = message.get("body", b"")
                    body += chunk
                    self._arriving += len(chunk)
                    refusal = self._problem_with(message, len(body))
                    if refusal is not None or not message.get("more_body", False):
                        return refusal or bytes(body)
        except TimeoutError:
            return RequestTimeout
        finally:
            self._arriving -= len(body)

    def _problem_with(self, message: Message, length: int) -> type[Problem] | None:
        if message["type"] == "http.disconnect":
            return BadRequest  # the client has left, and does not read this
        if length > MAX_BODY_BYTES:
            return ContentTooLarge
        return ServiceUnavailable if self._arriving > MAX_BUFFERED_BYTES else None


def _content_length(scope: Scope) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(value) if value.isdigit() else 0


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one message, and then the server's own messages."""
    is_sent = False

    async def receive_body() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body
