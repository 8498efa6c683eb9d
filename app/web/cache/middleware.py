"""The middleware that fills the response cache, and answers from it."""

import asyncio
import re
from collections.abc import Set

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.cache.cache import CacheKey, CacheStore, ResponseCache
from app.web.cache.entry import STATUS_OK, CachedResponse, RawHeaders
from app.web.language_preferences import VARIES_BY_LANGUAGE

SUPPORTED_VARY = frozenset({"accept", "accept-datetime"})
SUPPORTED_BY_LANGUAGE = SUPPORTED_VARY | {"accept-language"}
"""What an answer may vary by at a path whose key holds the languages that are preferred."""
PRIVATE_HEADERS = frozenset({"set-cookie", "ratelimit", "ratelimit-policy"})
ILLEGAL_FIELD_BYTES = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110, section 5.5


class CacheMiddleware:
    """ASGI middleware that answers from the cache, and stores each response that it may store."""

    def __init__(self, app: ASGIApp, cache: ResponseCache) -> None:
        self.app = app
        self.cache = cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = self.cache.parse(scope)
        if request is None:
            await self.app(scope, receive, send)
            return
        store = self.cache.store
        entry = store.find(request.key)
        if entry is None and request.key in store.pending:  # after a clear, many may request the same at once
            entry = await asyncio.shield(store.pending[request.key])
        is_hit = entry is not None
        if entry is None:
            entry = await self._make_once(store, request.key, scope, receive, send)
        if entry is None:
            return
        if request.accepts_gzip:
            await entry.add_gzip()
        store.put(request.key, entry)
        scope["route"], scope["cached"] = entry.route, is_hit
        response = request.choose(entry) or entry.plain
        await response.for_etags(request.if_none_match).send(send)

    async def _make_once(
        self, store: CacheStore, key: CacheKey, scope: Scope, receive: Receive, send: Send
    ) -> CachedResponse | None:
        """Make the response once for all requests that wait for it."""
        pending = store.pending[key] = asyncio.get_running_loop().create_future()
        entry = None
        try:
            entry = await self._make(scope, receive, send)
        finally:
            if store.pending.get(key) is pending:
                del store.pending[key]
            pending.set_result(entry)
        return entry

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> CachedResponse | None:
        """Run the app without If-None-Match. Return a cacheable 200 whole; otherwise stream it and return None."""
        unconditional = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
        inner = {**scope, "headers": unconditional}
        by_language = VARIES_BY_LANGUAGE.fullmatch(scope["path"]) is not None
        captured = _CapturedResponse(send, SUPPORTED_BY_LANGUAGE if by_language else SUPPORTED_VARY)
        try:
            await self.app(inner, receive, captured.send)
        finally:
            scope["route"] = inner.get("route")
        if captured.headers is None:
            return None
        return CachedResponse(inner.get("route"), captured.headers, b"".join(captured.body))


class _CapturedResponse:
    """Wrap `send`: capture a response that may be cached, and send any other."""

    def __init__(self, send: Send, supported_vary: Set[str]) -> None:
        self._send = send
        self._supported_vary = supported_vary
        self.headers: RawHeaders | None = None
        self.body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Capture one message, or send it."""
        if message["type"] == "http.response.start" and is_cacheable(message, self._supported_vary):
            self.headers = message["headers"]
        elif self.headers is None:
            await self._send(message)
        else:
            self.body.append(message.get("body", b""))


def is_cacheable(start: Message, supported_vary: Set[str] = SUPPORTED_VARY) -> bool:
    """Return whether a response may be cached: public, with an ETag, for all callers, and varying only as supported."""
    headers = Headers(raw=start["headers"])
    varies_by = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    return (
        start["status"] == STATUS_OK
        and headers.get("cache-control", "").startswith("public")
        and "etag" in headers
        and PRIVATE_HEADERS.isdisjoint(headers.keys())
        and varies_by <= supported_vary
        and not any(ILLEGAL_FIELD_BYTES.search(value) for _, value in start["headers"])
    )
