"""The reading of whole request bodies, within limits of time and size."""

import asyncio
from collections.abc import Collection

from starlette.types import ASGIApp

from app.errors import BadRequest, ContentTooLarge, Problem, RequestTimeout, ServiceUnavailable
from app.http.exchange import Exchange
from app.http.problem_handlers import problem_response
from app.http.turns import ALWAYS_ANSWERED, LONG_BODY_BYTES

MAX_BODY_BYTES = 1_000_000
MAX_BUFFERED_BYTES = 64 * MAX_BODY_BYTES
"""Above this size only bodies up to `LONG_BODY_BYTES` are received."""
MAX_FILE_BYTES = 2 * MAX_BODY_BYTES
"""Limit on paths that take a file. The samples of reverse proxies allow 2 MB too."""
FILE_TOO_LARGE = f"The limit is {MAX_FILE_BYTES:,} bytes. Send a smaller file."
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class RequestBodies:
    """Receives each body within `seconds`. `files` are the paths that take a file."""

    def __init__(self, seconds: float, files: Collection[str] = ()) -> None:
        self._seconds = seconds
        self._files = files
        self._arriving = 0

    async def read_body(self, exchange: Exchange) -> ASGIApp | None:
        path: str = exchange.scope["path"]
        if exchange.scope["method"] not in WITH_BODY or path.startswith(ALWAYS_ANSWERED):
            return None
        length = exchange.field(b"content-length") or b""
        limit = MAX_FILE_BYTES if path in self._files else MAX_BODY_BYTES
        is_too_large = length.isdigit() and int(length) > limit
        refusal = ContentTooLarge if is_too_large else await self._receive_whole(exchange, limit)
        if refusal is None:
            return None
        closing = {"Connection": "close"}  # the rest of the body is not read
        detail = FILE_TOO_LARGE if refusal is ContentTooLarge and path in self._files else None
        return problem_response(exchange.request, refusal, detail=detail, headers=closing)

    async def _receive_whole(self, exchange: Exchange, limit: int) -> type[Problem] | None:
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await exchange.receive()
                    if message["type"] == "http.disconnect":
                        return BadRequest
                    chunk = message.get("body", b"")
                    body += chunk
                    self._arriving += len(chunk)
                    if len(body) > limit:
                        return ContentTooLarge
                    if len(body) > LONG_BODY_BYTES and self._arriving > MAX_BUFFERED_BYTES:
                        return ServiceUnavailable
                    if not message.get("more_body", False):
                        exchange.body = bytes(body)
                        return None
        except TimeoutError:
            return RequestTimeout
        finally:
            self._arriving -= len(body)
