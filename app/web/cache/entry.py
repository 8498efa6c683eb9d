"""A cached response as bytes: plain and as gzip, each with its own ETag, whole or as 'not modified'."""

import gzip
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import Send

from app.web.responses import gzip_etag, matches_etag

STATUS_OK = 200
STATUS_NOT_MODIFIED = 304
MIN_GZIP_BYTES = 1_000
MIN_THREADED_GZIP_BYTES = 100_000
ENTRY_OVERHEAD_BYTES = 2_000  # an estimate for headers and key
BODY_HEADERS = frozenset({b"content-length", b"content-type", b"content-encoding"})

RawHeaders = list[tuple[bytes, bytes]]


class WireResponse(NamedTuple):
    """A response for one caller: the header fields as ASGI has them, and the same fields as bytes on the wire."""

    status: int
    headers: RawHeaders
    fields: bytes
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it by ASGI."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _wire_response(status: int, headers: RawHeaders, body: bytes) -> WireResponse:
    return WireResponse(status, headers, b"".join(b"%b: %b\r\n" % pair for pair in headers), body)


class EncodedResponse:
    """A response in one encoding: whole, and as 'not modified'."""

    __slots__ = ("_not_modified", "etag", "whole")

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.etag = next(value for name, value in headers if name == b"etag")
        self.whole = _wire_response(STATUS_OK, headers, body)
        self._not_modified = _wire_response(
            STATUS_NOT_MODIFIED, [pair for pair in headers if pair[0] not in BODY_HEADERS], b""
        )

    def for_etags(self, if_none_match: bytes | None) -> WireResponse:
        """Return the response for a request with that If-None-Match header: 304 if it names the ETag, else 200."""
        if if_none_match is None:
            return self.whole
        if if_none_match == self.etag or matches_etag(
            [if_none_match.decode("latin-1")], self.etag.decode(), weakly=True
        ):
            return self._not_modified
        return self.whole


class CachedResponse:
    """A response in every encoding, with the route that made it, for the log."""

    __slots__ = ("gzipped", "plain", "route", "size")

    def __init__(self, route: Any, headers: RawHeaders, body: bytes) -> None:
        self.route = route
        self.size = 2 * len(body) + ENTRY_OVERHEAD_BYTES
        self.gzipped: EncodedResponse | None = None
        if len(body) >= MIN_GZIP_BYTES:
            varied = MutableHeaders(raw=headers)
            varied.add_vary_header("Accept-Encoding")
            self.plain = EncodedResponse(varied.raw, body)
        else:
            self.plain = self.gzipped = EncodedResponse(headers, body)

    async def add_gzip(self) -> None:
        """Compress the response, unless that is done already or the body is too small to gain from it."""
        if self.gzipped is not None:
            return
        if len(self.plain.whole.body) < MIN_THREADED_GZIP_BYTES:
            self.gzipped = _compress(self.plain)
        else:
            self.gzipped = await run_in_threadpool(_compress, self.plain)


def _compress(plain: EncodedResponse) -> EncodedResponse:
    body = gzip.compress(plain.whole.body, mtime=0)
    headers = MutableHeaders(raw=list(plain.whole.headers))
    headers["ETag"] = gzip_etag(plain.etag.decode())
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return EncodedResponse(headers.raw, body)
