"""The shelf: the finished answers of public reads, kept in memory before the framework.

Public reads depend on nothing but what was published. So whatever a shared cache may keep is kept here as bytes, until
an edition is published or withdrawn, which clears the shelf.
"""

import gzip
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.routers.answers import names_etag, zipped_etag
from app.routers.negotiation import FORMS, JSON, weight

MEGABYTE = 1_000_000
MOST_ANSWERS = 20_000
LARGEST_PART = 8  # no answer takes more than an eighth of the shelf
OVERHEAD = 2_000  # bytes of headers and keys that are reckoned for each answer
WORTH_ZIPPING = 1_000
LONG_TO_ZIP = 100_000
OK = 200

NEVER_ASKED_HERE = frozenset({b"authorization", b"accept-datetime", b"content-length", b"transfer-encoding"})
KNOWN_TO_VARY = frozenset({"accept", "accept-datetime"})
OF_A_BODY = frozenset({b"content-length", b"content-type"})

RawHeaders = Sequence[tuple[bytes, bytes]]
Key = tuple[str, bytes, frozenset[str]]


class Answer:
    """A finished answer in one encoding: the messages that tell it, and those that tell that it has not changed."""

    __slots__ = ("body", "etag", "start", "unchanged")

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.etag = dict(headers)[b"etag"].decode()
        self.start: Message = {"type": "http.response.start", "status": OK, "headers": headers}
        self.body: Message = {"type": "http.response.body", "body": body}
        unchanged = [pair for pair in headers if pair[0] not in OF_A_BODY and pair[0] != b"content-encoding"]
        self.unchanged: Message = {"type": "http.response.start", "status": 304, "headers": unchanged}


class Kept:
    """A finished answer in every encoding that it goes out in, and the route that gave it, for the log."""

    def __init__(self, route: Any, headers: RawHeaders, body: bytes) -> None:
        self.route = route
        self.size = 2 * len(body) + OVERHEAD
        self._zipped: Answer | None = None
        if len(body) >= WORTH_ZIPPING:
            told = MutableHeaders(raw=list(headers))
            told.add_vary_header("Accept-Encoding")
            headers = told.raw
        self.plain = Answer(headers, body)

    async def zipped(self) -> Answer:
        """The answer as gzip, which is made when it is first asked for; as it is, where that would gain little."""
        if self._zipped is None:
            body: bytes = self.plain.body["body"]
            if len(body) < WORTH_ZIPPING:
                self._zipped = self.plain
            elif len(body) < LONG_TO_ZIP:
                self._zipped = _zipped(self.plain)
            else:
                self._zipped = await run_sync(_zipped, self.plain)
        return self._zipped


class Room:
    """Room for so many bytes of answers: what was not asked for the longest makes way for what is new."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def find(self, key: Key) -> Kept | None:
        """The answer, if it is here."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Key, kept: Kept) -> None:
        """Keep the answer, unless it is too large."""
        if kept.size > self._size / LARGEST_PART:
            return
        before = self._kept.pop(key, None)
        self._taken += kept.size - (before.size if before else 0)
        self._kept[key] = kept
        while self._taken > self._size or len(self._kept) > MOST_ANSWERS:
            self._taken -= self._kept.popitem(last=False)[1].size

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def taken(self) -> int:
        """How many bytes are reckoned to be taken."""
        return self._taken


class Shelf:
    """The room in use. Clearing puts a new one in its place.

    Whoever began to make an answer before then puts it into the old one, where nobody looks; so an answer made of what
    stood before is never kept after.
    """

    def __init__(self, megabytes: int) -> None:
        self._size = megabytes * MEGABYTE
        self.is_used = megabytes > 0
        self.room = Room(self._size)

    def clear(self) -> None:
        """Forget every answer. Any thread may ask for it."""
        self.room = Room(self._size)


class FromTheShelf:
    """ASGI middleware that answers public reads from the shelf, and puts there what was not on it."""

    def __init__(self, app: ASGIApp, shelf: Shelf) -> None:
        self.app = app
        self.shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = _headers_of_a_read(scope) if self.shelf.is_used else None
        if headers is None:
            await self.app(scope, receive, send)
            return
        room = self.shelf.room
        key = (scope["path"], scope["query_string"], forms_preferred(headers.get(b"accept", b"")))
        kept = room.find(key)
        if kept is None:
            kept = await self._make(scope, receive, send)
            if kept is None:
                return
            room.put(key, kept)
        scope["route"] = kept.route
        answer = await kept.zipped() if takes_gzip(headers.get(b"accept-encoding", b"")) else kept.plain
        known = headers.get(b"if-none-match")
        if known is not None and names_etag([known.decode("latin-1")], answer.etag, weakly=True):
            await send(answer.unchanged)
            await send(NOTHING)
        else:
            await send(answer.start)
            await send(answer.body)

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> Kept | None:
        """Have the answer made, whole; None where it is not one to keep, and has been sent on as it came."""
        whole = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
        inner = {**scope, "headers": whole}
        taken = _Taken(send)
        try:
            await self.app(inner, receive, taken.send)
        finally:
            scope["route"] = inner.get("route")
        if taken.headers is None:
            return None
        return Kept(inner.get("route"), taken.headers, b"".join(taken.body))


class _Taken:
    """The way out of an answer that is being made: takes one that may be kept, and sends any other on."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers: RawHeaders | None = None
        self.body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take one message, or send it on."""
        if message["type"] == "http.response.start" and may_be_kept(message):
            self.headers = message["headers"]
        elif self.headers is None:
            await self._send(message)
        else:
            self.body.append(message.get("body", b""))


NOTHING: Message = {"type": "http.response.body", "body": b""}


def may_be_kept(start: Message) -> bool:
    """Whether every cache may keep the answer, and this one knows all that it varies by."""
    headers = Headers(raw=start["headers"])
    varies_by = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    return (
        start["status"] == OK
        and headers.get("cache-control", "").startswith("public")
        and "etag" in headers
        and "set-cookie" not in headers
        and varies_by <= KNOWN_TO_VARY
    )


@lru_cache(maxsize=1000)
def forms_preferred(accept: bytes) -> frozenset[str]:
    """The forms that the header prefers to JSON: all that an answer can depend on in it."""
    told = accept.decode("latin-1")
    return frozenset(form.media_type for form in FORMS if weight(form.media_type, told) > weight(JSON, told))


@lru_cache(maxsize=1000)
def takes_gzip(accept_encoding: bytes) -> bool:
    """Whether the header takes gzip, and does not like the answer better as it is (RFC 9110, section 12.5.3)."""
    told = accept_encoding.decode("latin-1")
    return weight("gzip", told) > 0 and weight("gzip", told) >= weight("identity", told)


def _headers_of_a_read(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers of a request that the shelf may answer: a read that sends nothing, by nobody in particular.

    One that repeats a header is left to the framework, which reads them all.
    """
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    headers = dict(scope["headers"])
    if len(headers) != len(scope["headers"]) or not NEVER_ASKED_HERE.isdisjoint(headers):
        return None
    return headers


def _zipped(plain: Answer) -> Answer:
    body = gzip.compress(plain.body["body"], mtime=0)
    told = MutableHeaders(raw=list(plain.start["headers"]))
    told["ETag"] = zipped_etag(plain.etag)
    told["Content-Encoding"] = "gzip"
    told["Content-Length"] = str(len(body))
    return Answer(told.raw, body)
