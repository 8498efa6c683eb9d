"""The reading of whole request bodies, within limits of time and size."""

import asyncio

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, ContentTooLarge, Problem, RequestTimeout, ServiceUnavailable
from app.http.problem_handlers import problem_response
from app.http.rate_limits import find_field
from app.http.turns import LONG_BODY_BYTES, OVER, DelayedResponse, Turns
from app.services.guides.uploads import DOCUMENT_PATH, PICTURE_PATH

MAX_BODY_BYTES = 1_000_000
MAX_BUFFERED_BYTES = 64 * MAX_BODY_BYTES
"""Of all bodies being received. Above it only those up to `LONG_BODY_BYTES` are."""
ALWAYS_ANSWERED = ("/health/", "/metrics")
MAX_FILE_BYTES = 2 * MAX_BODY_BYTES
LARGER_BODIES = dict.fromkeys((DOCUMENT_PATH, PICTURE_PATH), MAX_FILE_BYTES)
"""Limits of paths that take a file; the samples of reverse proxies allow 2 MB too."""
FILE_TOO_LARGE = f"The limit is {MAX_FILE_BYTES:,} bytes. Send a smaller file."
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class RequestBodyMiddleware:
    """Reads the whole body, then passes the request on if there is room.

    The body may take at most `seconds`. At most `most_at_work` requests are in progress, not counting those whose body
    is arriving or that wait for their turn (`Turns`).
    """

    def __init__(self, app: ASGIApp, *, seconds: float, most_at_work: int, turns: Turns) -> None:
        self.app = app
        self._turns = turns
        self._seconds = seconds
        self._most_at_work = most_at_work
        self._at_work = 0
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Health checks and metrics pass without limits."""
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_ANSWERED):
            await self.app(scope, receive, send)
            return
        if scope["method"] not in WITH_BODY:
            await self._serve(scope, receive, send, size=0)
            return
        body = await self._read_body(scope, receive)
        if isinstance(body, type):
            closing = {"Connection": "close"}  # the rest of the body is not read
            detail = FILE_TOO_LARGE if body is ContentTooLarge and scope["path"] in LARGER_BODIES else None
            problem = problem_response(Request(scope, receive), body, detail=detail, headers=closing)
            await problem(scope, receive, send)
            return
        answer = DelayedResponse(scope, send)
        await self._serve(scope, _replay(body, receive), answer.send, size=len(body))
        if answer.messages:
            await self._turns.answer_late(answer)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, *, size: int) -> None:
        """503 if too many are in progress, or wait for their turn. `size` is the body's length in bytes."""
        takes_turns = OVER in scope["state"]
        has_room = self._turns.has_room(scope, size) if takes_turns else self._at_work < self._most_at_work
        if not has_room:
            await problem_response(Request(scope, receive), ServiceUnavailable)(scope, receive, send)
        elif takes_turns:
            await self._turns.serve(self.app, scope, receive, send, size)
        else:
            self._at_work += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._at_work -= 1

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes | type[Problem]:
        """Return the body, or the problem: too large, too slow, incomplete, or no memory left for bodies."""
        length = find_field(scope, b"content-length") or b""
        limit = LARGER_BODIES.get(scope["path"], MAX_BODY_BYTES)
        if length.isdigit() and int(length) > limit:
            return ContentTooLarge
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    chunk = message.get("body", b"")
                    body += chunk
                    self._arriving += len(chunk)
                    refusal = self._problem_with(message, len(body), limit)
                    if refusal is not None or not message.get("more_body", False):
                        return refusal or bytes(body)
        except TimeoutError:
            return RequestTimeout
        finally:
            self._arriving -= len(body)

    def _problem_with(self, message: Message, length: int, limit: int) -> type[Problem] | None:
        if message["type"] == "http.disconnect":
            return BadRequest  # the client has disconnected
        if length > limit:
            return ContentTooLarge
        is_refused = length > LONG_BODY_BYTES and self._arriving > MAX_BUFFERED_BYTES
        return ServiceUnavailable if is_refused else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` in one message first."""
    is_sent = False

    async def receive_body() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body
