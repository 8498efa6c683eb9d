"""The shelf: the finished answers of public reads, kept in memory before the framework.

Public reads depend on nothing but what was published. So whatever a shared cache may keep is kept here as bytes, until
an edition is published or withdrawn, which clears the shelf.
"""

import asyncio
import re
from asyncio import Future
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.cache.entry import OK, CachedResponse, EncodedResponse, RawHeaders, WireResponse
from app.web.negotiation import JSON, REPRESENTATIONS, quality

MEGABYTE = 1_000_000
MAX_ENTRIES = 20_000
MAX_ENTRY_FRACTION = 8  # no answer takes more than an eighth of the shelf
PARSED_HEADERS = 1_000

BYPASS_HEADERS = frozenset({b"authorization", b"accept-datetime", b"content-length", b"transfer-encoding"})
SUPPORTED_VARY = frozenset({"accept", "accept-datetime"})
PRIVATE_HEADERS = frozenset({"set-cookie", "ratelimit", "ratelimit-policy"})
ILLEGAL_FIELD_BYTES = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110, section 5.5

CacheKey = tuple[str, bytes, frozenset[str]]
"""Path, query as it was sent, and the forms preferred to JSON: all that the content of an answer depends on."""


class CacheStore:
    """Room for so many bytes of answers: what was not asked for the longest makes way for what is new."""

    def __init__(self, size: int) -> None:
        self.taken = 0
        self.making: dict[CacheKey, Future[CachedResponse | None]] = {}
        """Answers that somebody is having made; None is told where one turned out to be none to keep."""
        self._size = size
        self._kept: OrderedDict[CacheKey, CachedResponse] = OrderedDict()

    def find(self, key: CacheKey) -> CachedResponse | None:
        """The answer, if it is here."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: CacheKey, kept: CachedResponse) -> None:
        """Keep the answer, unless it is too large."""
        if kept.size > self._size / MAX_ENTRY_FRACTION:
            return
        before = self._kept.pop(key, None)
        self.taken += kept.size - (before.size if before else 0)
        self._kept[key] = kept
        while self.taken > self._size or len(self._kept) > MAX_ENTRIES:
            self.taken -= self._kept.popitem(last=False)[1].size

    def __len__(self) -> int:
        return len(self._kept)


class CacheRequest(NamedTuple):
    """A request that the shelf may answer."""

    key: CacheKey
    takes_gzip: bool
    known: bytes | None
    """`If-None-Match`."""

    def answer_of(self, kept: CachedResponse) -> EncodedResponse | None:
        """The answer in the encoding that is asked for; None where it is not made yet."""
        return kept.zipped if self.takes_gzip else kept.plain


class ResponseCache:
    """The room in use. Clearing puts a new one in its place.

    Whoever began to make an answer before then puts it into the old one, where nobody looks; so an answer made of what
    stood before is never kept after. Answers are found and put by the event loop alone; any thread may clear.
    """

    def __init__(self, megabytes: int, knows_host: Callable[[bytes | None], bool] = lambda _: True) -> None:
        self._size = megabytes * MEGABYTE
        self._knows_host = knows_host
        self.is_used = megabytes > 0
        self.room = CacheStore(self._size)

    def clear(self) -> None:
        """Forget every answer."""
        self.room = CacheStore(self._size)

    def asked_by(self, scope: Scope) -> CacheRequest | None:
        """What the request asks, if the shelf may answer it: a read that sends nothing, by nobody in particular.

        One that repeats a header, or calls the service by another name, is left to the framework.
        """
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or not BYPASS_HEADERS.isdisjoint(headers):
            return None
        if not self._knows_host(headers.get(b"host")):
            return None
        return CacheRequest(
            (scope["path"], scope["query_string"], preferred_media_types(headers.get(b"accept", b""))),
            accepts_gzip(headers.get(b"accept-encoding", b"")),
            headers.get(b"if-none-match"),
        )

    def find(self, asked: CacheRequest) -> tuple[Any, WireResponse] | None:
        """Return the route that made the answer, and what to send; None where it is not here."""
        kept = self.room.find(asked.key)
        answer = asked.answer_of(kept) if kept else None
        return (kept.route, answer.told_to(asked.known)) if kept and answer else None


class CacheMiddleware:
    """ASGI middleware that has answers made which do not stand on the shelf, and puts them there."""

    def __init__(self, app: ASGIApp, shelf: ResponseCache) -> None:
        self.app = app
        self.shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asked = self.shelf.asked_by(scope) if self.shelf.is_used else None
        if asked is None:
            await self.app(scope, receive, send)
            return
        room = self.shelf.room
        kept = room.find(asked.key)
        if kept is None and asked.key in room.making:  # many may ask at once for what was just cleared
            kept = await asyncio.shield(room.making[asked.key])
        if kept is None:
            kept = await self._make_for_all(room, asked.key, scope, receive, send)
        if kept is None:
            return
        if asked.takes_gzip:
            await kept.zip()
        room.put(asked.key, kept)
        scope["route"] = kept.route
        answer = asked.answer_of(kept) or kept.plain
        await answer.told_to(asked.known).send_by(send)

    async def _make_for_all(
        self, room: CacheStore, key: CacheKey, scope: Scope, receive: Receive, send: Send
    ) -> CachedResponse | None:
        """Have the answer made once for all that ask for it meanwhile."""
        making = room.making[key] = asyncio.get_running_loop().create_future()
        kept = None
        try:
            kept = await self._make(scope, receive, send)
        finally:
            if room.making.get(key) is making:
                del room.making[key]
            making.set_result(kept)
        return kept

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> CachedResponse | None:
        """Have the answer made, whole; None where it is not one to keep, and has been sent on as it came."""
        unconditional = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
        inner = {**scope, "headers": unconditional}
        taken = _CapturedResponse(send)
        try:
            await self.app(inner, receive, taken.send)
        finally:
            scope["route"] = inner.get("route")
        return (
            None if taken.headers is None else CachedResponse(inner.get("route"), taken.headers, b"".join(taken.body))
        )


class _CapturedResponse:
    """The way out of an answer that is being made: takes one that may be kept, and sends any other on."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers: RawHeaders | None = None
        self.body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take one message, or send it on."""
        if message["type"] == "http.response.start" and is_cacheable(message):
            self.headers = message["headers"]
        elif self.headers is None:
            await self._send(message)
        else:
            self.body.append(message.get("body", b""))


def is_cacheable(start: Message) -> bool:
    """Whether every cache may keep the answer, nothing in it is one caller's, and all that it varies by is known."""
    headers = Headers(raw=start["headers"])
    varies_by = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    return (
        start["status"] == OK
        and headers.get("cache-control", "").startswith("public")
        and "etag" in headers
        and PRIVATE_HEADERS.isdisjoint(headers.keys())
        and varies_by <= SUPPORTED_VARY
        and not any(ILLEGAL_FIELD_BYTES.search(value) for _, value in start["headers"])
    )


@lru_cache(maxsize=PARSED_HEADERS)
def preferred_media_types(accept: bytes) -> frozenset[str]:
    """The forms that the header prefers to JSON: all that an answer can depend on in it."""
    told = accept.decode("latin-1")
    return frozenset(
        form.media_type for form in REPRESENTATIONS if quality(form.media_type, told) > quality(JSON, told)
    )


@lru_cache(maxsize=PARSED_HEADERS)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether the header takes gzip, and likes the answer no better as it is (RFC 9110, section 12.5.3)."""
    told = accept_encoding.decode("latin-1")
    return quality("gzip", told) > 0 and quality("gzip", told) >= quality("identity", told)
