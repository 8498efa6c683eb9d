"""The response cache: finished responses of public reads, in memory, before the framework.

A public read depends on nothing but what is published. So every response that a shared cache may store is stored here
as bytes, until an edition is published or withdrawn, which clears the cache.
"""

from asyncio import Future
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.types import Scope

from app.models.links import REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED
from app.web.cache.entry import CachedResponse, EncodedResponse, WireResponse
from app.web.language_preferences import VARIES_BY_LANGUAGE, preferred_languages
from app.web.negotiation import JSON, REPRESENTATIONS, quality

MEGABYTE = 1_000_000
MAX_CACHED_RESPONSES = 20_000
MAX_ENTRY_FRACTION = 8  # one entry takes at most an eighth of the cache
PARSED_HEADERS = 1_000

BY_THE_CLOCK = frozenset({REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED})
"""Paths whose answers also depend on the time, which this cache knows nothing of."""
BYPASS_HEADERS = frozenset({b"accept-datetime", b"content-length", b"transfer-encoding"})

CacheKey = tuple[str, bytes, frozenset[str], tuple[str, ...]]
"""All that the content of a response depends on: path, query as it was sent, the media types preferred to JSON, and the
languages preferred to English, at a path with answers in several.
"""


class CacheStore:
    """A store of limited size, in bytes. It drops the least recently used entries first."""

    def __init__(self, max_bytes: int) -> None:
        self.used_bytes = 0
        self.pending: dict[CacheKey, Future[CachedResponse | None]] = {}
        """Responses that are being made. The result is None if a response turns out not to be cacheable."""
        self._max_bytes = max_bytes
        self._entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()

    def find(self, key: CacheKey) -> CachedResponse | None:
        """Return the entry, or None if there is none."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: CacheKey, entry: CachedResponse) -> None:
        """Store the entry, unless it is too large."""
        if entry.size > self._max_bytes / MAX_ENTRY_FRACTION:
            return
        replaced = self._entries.pop(key, None)
        self.used_bytes += entry.size - (replaced.size if replaced else 0)
        self._entries[key] = entry
        while self.used_bytes > self._max_bytes or len(self._entries) > MAX_CACHED_RESPONSES:
            self.used_bytes -= self._entries.popitem(last=False)[1].size

    def __len__(self) -> int:
        return len(self._entries)


class CacheRequest(NamedTuple):
    """A request that the cache may answer."""

    key: CacheKey
    accepts_gzip: bool
    if_none_match: bytes | None

    def choose(self, entry: CachedResponse) -> EncodedResponse | None:
        """Return the response in the encoding that the request accepts; None if the gzip form is not made yet."""
        return entry.gzipped if self.accepts_gzip else entry.plain


class ResponseCache:
    """The current store. Clearing replaces it by an empty one.

    A response that is being made during a clear goes into the old store, which nobody reads. So no response of old
    content is served after the clear. Only the event loop reads and writes entries; any thread may clear. With 0
    megabytes nothing is stored, and every response is made anew.
    """

    def __init__(self, megabytes: int, allows_host: Callable[[bytes | None], bool] = lambda _: True) -> None:
        self._max_bytes = megabytes * MEGABYTE
        self._allows_host = allows_host
        self.store = CacheStore(self._max_bytes)

    def clear(self) -> None:
        """Drop every entry."""
        self.store = CacheStore(self._max_bytes)

    def parse(self, scope: Scope) -> CacheRequest | None:
        """Return the request as the cache sees it, or None if the framework must answer.

        The cache answers a GET without a body, without repeated headers, and with a host name of this service. Only
        routes that read no credentials send what is cached, so a credential changes nothing.
        """
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] in BY_THE_CLOCK:
            return None
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or not BYPASS_HEADERS.isdisjoint(headers):
            return None
        if not self._allows_host(headers.get(b"host")):
            return None
        path: str = scope["path"]
        languages: tuple[str, ...] = ()
        if b"accept-language" in headers and VARIES_BY_LANGUAGE.fullmatch(path):
            languages = preferred_languages(headers[b"accept-language"].decode("latin-1"))
        return CacheRequest(
            (path, scope["query_string"], preferred_media_types(headers.get(b"accept", b"")), languages),
            accepts_gzip(headers.get(b"accept-encoding", b"")),
            headers.get(b"if-none-match"),
        )

    def find(self, request: CacheRequest) -> tuple[Any, WireResponse] | None:
        """Return the route that made the response, and the response to send; None if it is not in the cache."""
        entry = self.store.find(request.key)
        response = None if entry is None else request.choose(entry)
        if entry is None or response is None:
            return None
        return entry.route, response.for_etags(request.if_none_match)


@lru_cache(maxsize=PARSED_HEADERS)
def preferred_media_types(accept: bytes) -> frozenset[str]:
    """Return the media types that an Accept header prefers to JSON: all of it that a response can depend on."""
    header = accept.decode("latin-1")
    return frozenset(
        form.media_type for form in REPRESENTATIONS if quality(form.media_type, header) > quality(JSON, header)
    )


@lru_cache(maxsize=PARSED_HEADERS)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Return whether an Accept-Encoding header accepts gzip at least as much as no encoding (RFC 9110, 12.5.3)."""
    header = accept_encoding.decode("latin-1")
    return quality("gzip", header) > 0 and quality("gzip", header) >= quality("identity", header)
