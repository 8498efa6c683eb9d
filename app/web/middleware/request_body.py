"""Receiving requests: a body whole and in time before any work begins, and no more work at once than can be done."""

import asyncio
from threading import Event

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problem_types import BAD_REQUEST, CONTENT_TOO_LARGE, REQUEST_TIMEOUT, SERVICE_UNAVAILABLE, ProblemType
from app.web.problems import problem_response

LARGEST = 1_000_000
MOST_IN_MEMORY = 64 * LARGEST
"""Bytes of bodies that may be arriving at once."""
ALWAYS_ANSWERED = ("/health/", "/metrics")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class RequestBodyMiddleware:
    """ASGI middleware that reads the body of a request whole, and then lets it in.

    A client that sends slowly takes up memory for its body, for at most `seconds`, and none of the places where work is
    done. A process that was asked to stop lets in only what is read.
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
            body = SERVICE_UNAVAILABLE if self._draining.is_set() else await self._whole_body(scope, receive)
            if isinstance(body, ProblemType):
                closing = {"Connection": "close"}  # what is still on its way is not read
                await problem_response(Request(scope, receive), body, headers=closing)(scope, receive, send)
                return
            receive = _once(body, receive)
        if self._at_work >= self._most_at_work:
            await problem_response(Request(scope, receive), SERVICE_UNAVAILABLE)(scope, receive, send)
            return
        self._at_work += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._at_work -= 1

    async def _whole_body(self, scope: Scope, receive: Receive) -> bytes | ProblemType:
        """The body, or the problem with it."""
        if _told_length(scope) > LARGEST:
            return CONTENT_TOO_LARGE
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    part = message.get("body", b"")
                    body += part
                    self._arriving += len(part)
                    refusal = self._refusal_of(message, len(body))
                    if refusal is not None or not message.get("more_body", False):
                        return refusal or bytes(body)
        except TimeoutError:
            return REQUEST_TIMEOUT
        finally:
            self._arriving -= len(body)

    def _refusal_of(self, message: Message, length: int) -> ProblemType | None:
        if message["type"] == "http.disconnect":
            return BAD_REQUEST  # nobody is there to read it
        if length > LARGEST:
            return CONTENT_TOO_LARGE
        return SERVICE_UNAVAILABLE if self._arriving > MOST_IN_MEMORY else None


def _told_length(scope: Scope) -> int:
    told = Headers(scope=scope).get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else 0


def _once(body: bytes, receive: Receive) -> Receive:
    """The body in one piece; after it, whatever the server tells."""
    is_told = False

    async def told() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return told
