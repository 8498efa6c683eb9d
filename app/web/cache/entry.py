"""A finished answer as bytes: as it is and as gzip, each with an ETag of its own, whole or as 'not modified'."""

import gzip
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import Send

from app.web.responses import gzip_etag, matches_etag

OK = 200
NOT_MODIFIED = 304
MIN_GZIP_BYTES = 1_000
MIN_THREADED_GZIP_BYTES = 100_000
ENTRY_OVERHEAD_BYTES = 2_000  # bytes that headers and key are reckoned at
BODY_HEADERS = frozenset({b"content-length", b"content-type", b"content-encoding"})

RawHeaders = list[tuple[bytes, bytes]]


class WireResponse(NamedTuple):
    """What is sent to one caller: the header fields as ASGI has them, and as they go over the wire."""

    status: int
    headers: RawHeaders
    fields: bytes
    body: bytes

    async def send_by(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _wire_response(status: int, headers: RawHeaders, body: bytes) -> WireResponse:
    return WireResponse(status, headers, b"".join(b"%b: %b\r\n" % pair for pair in headers), body)


class EncodedResponse:
    """A finished answer in one encoding."""

    __slots__ = ("_unchanged", "_whole", "etag")

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.etag = next(value for name, value in headers if name == b"etag")
        self._whole = _wire_response(OK, headers, body)
        self._unchanged = _wire_response(NOT_MODIFIED, [pair for pair in headers if pair[0] not in BODY_HEADERS], b"")

    @property
    def headers(self) -> RawHeaders:
        """The headers of the whole answer."""
        return self._whole.headers

    @property
    def body(self) -> bytes:
        """The body of the whole answer."""
        return self._whole.body

    def told_to(self, known: bytes | None) -> WireResponse:
        """What to send to a caller who knows the answers with those ETags (`If-None-Match`)."""
        if known is None:
            return self._whole
        if known == self.etag or matches_etag([known.decode("latin-1")], self.etag.decode(), weakly=True):
            return self._unchanged
        return self._whole


class CachedResponse:
    """A finished answer in every encoding that it goes out in, and the route that gave it, for the log."""

    __slots__ = ("plain", "route", "size", "zipped")

    def __init__(self, route: Any, headers: RawHeaders, body: bytes) -> None:
        self.route = route
        self.size = 2 * len(body) + ENTRY_OVERHEAD_BYTES
        self.zipped: EncodedResponse | None = None
        if len(body) >= MIN_GZIP_BYTES:
            told = MutableHeaders(raw=headers)
            told.add_vary_header("Accept-Encoding")
            self.plain = EncodedResponse(told.raw, body)
        else:
            self.plain = self.zipped = EncodedResponse(headers, body)

    async def zip(self) -> None:
        """Make the answer as gzip, which is done when that is first asked for; never where it would gain little."""
        if self.zipped is not None:
            return
        if len(self.plain.body) < MIN_THREADED_GZIP_BYTES:
            self.zipped = _gzipped(self.plain)
        else:
            self.zipped = await run_in_threadpool(_gzipped, self.plain)


def _gzipped(plain: EncodedResponse) -> EncodedResponse:
    body = gzip.compress(plain.body, mtime=0)
    told = MutableHeaders(raw=list(plain.headers))
    told["ETag"] = gzip_etag(plain.etag.decode())
    told["Content-Encoding"] = "gzip"
    told["Content-Length"] = str(len(body))
    return EncodedResponse(told.raw, body)
