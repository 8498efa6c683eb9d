"""A finished answer as bytes: as it is and as gzip, each with an ETag of its own, whole or as 'not modified'."""

import gzip
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import Send

from app.web.responses import names_etag, zipped_etag

OK = 200
NOT_MODIFIED = 304
WORTH_ZIPPING = 1_000
LONG_TO_ZIP = 100_000
OVERHEAD = 2_000  # bytes that headers and key are reckoned at
OF_A_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})

RawHeaders = list[tuple[bytes, bytes]]


class Told(NamedTuple):
    """What is sent to one caller: the header fields as ASGI has them, and as they go over the wire."""

    status: int
    headers: RawHeaders
    fields: bytes
    body: bytes

    async def send_by(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _told(status: int, headers: RawHeaders, body: bytes) -> Told:
    return Told(status, headers, b"".join(b"%b: %b\r\n" % pair for pair in headers), body)


class Answer:
    """A finished answer in one encoding."""

    __slots__ = ("_unchanged", "_whole", "etag")

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.etag = next(value for name, value in headers if name == b"etag")
        self._whole = _told(OK, headers, body)
        self._unchanged = _told(NOT_MODIFIED, [pair for pair in headers if pair[0] not in OF_A_BODY], b"")

    @property
    def headers(self) -> RawHeaders:
        """The headers of the whole answer."""
        return self._whole.headers

    @property
    def body(self) -> bytes:
        """The body of the whole answer."""
        return self._whole.body

    def told_to(self, known: bytes | None) -> Told:
        """What to send to a caller who knows the answers with those ETags (`If-None-Match`)."""
        if known is None:
            return self._whole
        if known == self.etag or names_etag([known.decode("latin-1")], self.etag.decode(), weakly=True):
            return self._unchanged
        return self._whole


class Kept:
    """A finished answer in every encoding that it goes out in, and the route that gave it, for the log."""

    __slots__ = ("plain", "route", "size", "zipped")

    def __init__(self, route: Any, headers: RawHeaders, body: bytes) -> None:
        self.route = route
        self.size = 2 * len(body) + OVERHEAD
        self.zipped: Answer | None = None
        if len(body) >= WORTH_ZIPPING:
            told = MutableHeaders(raw=headers)
            told.add_vary_header("Accept-Encoding")
            self.plain = Answer(told.raw, body)
        else:
            self.plain = self.zipped = Answer(headers, body)

    async def zip(self) -> None:
        """Make the answer as gzip, which is done when that is first asked for; never where it would gain little."""
        if self.zipped is not None:
            return
        if len(self.plain.body) < LONG_TO_ZIP:
            self.zipped = _zipped(self.plain)
        else:
            self.zipped = await run_in_threadpool(_zipped, self.plain)


def _zipped(plain: Answer) -> Answer:
    body = gzip.compress(plain.body, mtime=0)
    told = MutableHeaders(raw=list(plain.headers))
    told["ETag"] = zipped_etag(plain.etag.decode())
    told["Content-Encoding"] = "gzip"
    told["Content-Length"] = str(len(body))
    return Answer(told.raw, body)
