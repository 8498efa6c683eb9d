"""The response cache: finished responses of public reads, in memory, in front of the framework.

The content of a public read depends only on the published guides, so publishing or withdrawing an edition clears the
cache. While the database is unavailable, it serves what may be out of date, for as long as `stale-if-error` promises.
"""

import asyncio
import gzip
import re
from asyncio import Future
from collections import OrderedDict
from collections.abc import Callable, Mapping, Set
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.clock import Clock, utc_now
from app.http.exchange import Exchange
from app.http.negotiation import JSON, REPRESENTATIONS, quality
from app.http.preferred_languages import VARIES_BY_LANGUAGE, preferred_languages
from app.http.responses import STALE_IF_ERROR_SECONDS, gzip_etag, matches_etag

STATUS_OK = 200
STATUS_NOT_MODIFIED = 304
MIN_GZIP_BYTES = 1_000
MIN_THREADED_GZIP_BYTES = 100_000
ENTRY_OVERHEAD_BYTES = 2_000  # an estimate for headers and key
BODY_HEADERS = frozenset({b"content-length", b"content-type", b"content-encoding"})
RawHeaders = list[tuple[bytes, bytes]]
MEGABYTE = 1_000_000
MAX_CACHED_RESPONSES = 20_000
MAX_ENTRY_FRACTION = 8  # one entry takes at most an eighth of the cache
MAX_HELD_FRACTION = 2  # held entries take at most half of the cache
PARSED_HEADERS = 1_000
WITHOUT_GUIDES = frozenset({"/openapi.json", "/openapi.public.json"})
"""No edition changes these responses."""
BYPASS_HEADERS = frozenset({b"accept-datetime", b"content-length", b"if-match", b"transfer-encoding"})
CacheKey = tuple[str, bytes, frozenset[str], tuple[str, ...]]
"""Key of all that the content depends on: path, query as sent, media types preferred to JSON, languages to English."""
SUPPORTED_VARY = frozenset({"accept", "accept-datetime"})
SUPPORTED_BY_LANGUAGE = SUPPORTED_VARY | {"accept-language"}
"""Permitted names in `Vary`, for a path whose key has the preferred languages."""
PRIVATE_HEADERS = frozenset({"set-cookie", "ratelimit", "ratelimit-policy"})
NOT_PUBLIC = re.compile(
    r"/v1/(?:desk|events|concerns/(?!form$)|guides/[^/]+/draft)|/desk(?!/unseal\.html$)|/(?:edit|concerns|health|metrics)"
)
"""Paths whose responses differ for each caller or at each moment: never cached."""
ILLEGAL_FIELD_BYTES = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110, section 5.5


class WireResponse(NamedTuple):
    """A response: its fields for ASGI, and the same as bytes for the network."""

    status: int
    headers: RawHeaders
    fields: bytes
    body: bytes

    async def serve(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _wire_response(status: int, headers: RawHeaders, body: bytes) -> WireResponse:
    return WireResponse(status, headers, b"".join(b"%b: %b\r\n" % pair for pair in headers), body)


class EncodedResponse:
    """A response in one encoding, as 200 and as 304. `headers` must have an ETag."""

    __slots__ = ("_not_modified", "etag", "whole")

    def __init__(self, headers: RawHeaders, body: bytes) -> None:
        self.etag = next(value for name, value in headers if name == b"etag")
        self.whole = _wire_response(STATUS_OK, headers, body)
        self._not_modified = _wire_response(
            STATUS_NOT_MODIFIED, [pair for pair in headers if pair[0] not in BODY_HEADERS], b""
        )

    def for_etags(self, if_none_match: bytes | None) -> WireResponse:
        if if_none_match is None:
            return self.whole
        if if_none_match == self.etag or matches_etag(
            [if_none_match.decode("latin-1")], self.etag.decode(), weakly=True
        ):
            return self._not_modified
        return self.whole


class CachedResponse:
    """A response in every encoding. `gzipped` is None until `add_gzip`, and uncompressed if the body is too small."""

    __slots__ = ("gzipped", "holds_until", "made_at", "plain", "route", "size")

    def __init__(self, route: Any, headers: RawHeaders, body: bytes) -> None:
        self.route = route
        self.size = 2 * len(body) + ENTRY_OVERHEAD_BYTES
        self.made_at = monotonic()
        expires = Headers(raw=headers).get("expires")
        self.holds_until = parsedate_to_datetime(expires) if expires is not None else None
        self.gzipped: EncodedResponse | None = None
        if len(body) >= MIN_GZIP_BYTES:
            varied = MutableHeaders(raw=headers)
            if "Accept-Encoding" not in varied.get("Vary", ""):  # a saved response has it
                varied.add_vary_header("Accept-Encoding")
            self.plain = EncodedResponse(varied.raw, body)
        else:
            self.plain = self.gzipped = EncodedResponse(headers, body)

    def compressed(self) -> bytes:
        if self.gzipped is None or self.gzipped is self.plain:
            return gzip.compress(self.plain.whole.body, mtime=0)
        return self.gzipped.whole.body

    async def add_gzip(self) -> None:
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


class CacheStore:
    """Holds at most `max_bytes`, and `MAX_CACHED_RESPONSES` entries not held. The least recently used go first.

    `hold` marks a key: its entry is dropped neither for room nor by expiry, only replaced. Held entries take at most
    half of the store. Once one had no room there, no further key can be held.
    """

    def __init__(self, max_bytes: int, clock: Clock = utc_now) -> None:
        self.used_bytes = 0
        self.pending: dict[CacheKey, Future[CachedResponse | None]] = {}
        """Responses being made, by key. None if one turns out not cacheable."""
        self.versions: Mapping[str, object] | None = None
        """By path: at least as old as every response of this store."""
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self._held: dict[CacheKey, CachedResponse | None] = {}
        self._held_bytes = 0
        self._is_held_full = False

    def copy(self) -> "CacheStore":
        copied = CacheStore(self._max_bytes, self._clock)
        copied._entries, copied._held = self._entries.copy(), self._held.copy()
        copied._held_bytes = sum(each.size for each in copied._held.values() if each is not None)
        copied._is_held_full, copied.versions = self._is_held_full, self.versions
        copied.used_bytes = copied._held_bytes + sum(each.size for each in copied._entries.values())
        return copied

    def without_guides(self) -> "CacheStore":
        kept = CacheStore(self._max_bytes, self._clock)
        for key, entry in self._entries.copy().items():
            if key[0] in WITHOUT_GUIDES:
                kept.put(key, entry)
        return kept

    def keep_held(self, former: "CacheStore", versions: Mapping[str, object]) -> None:
        """Hold again what `former` held of those paths whose version is the same now."""
        known, self.versions = former.versions or {}, versions
        for key, entry in former._held.items():
            if entry is not None and key[0] in versions and known.get(key[0]) == versions[key[0]] and self.hold(key):
                self.put(key, entry)

    def find(self, key: CacheKey, *, allow_expired: bool = False) -> CachedResponse | None:
        """Return an entry. An expired one is dropped, unless it is held or `allow_expired`."""
        entry = self._entries.get(key) or self._held.get(key)
        if entry is None:
            return None
        if entry.holds_until is not None and not allow_expired and self._clock() >= entry.holds_until:
            if key in self._entries:
                self.used_bytes -= self._entries.pop(key).size
            return None
        if key in self._entries:
            self._entries.move_to_end(key)
        return entry

    def hold(self, key: CacheKey) -> bool:
        """Hold the current and each later entry of `key`. Once one had no room, hold nothing and return False."""
        if self._is_held_full and self._held.get(key) is None:
            return False
        self._held.setdefault(key, None)
        if key in self._entries:
            entry = self._entries.pop(key)
            self.used_bytes -= entry.size
            self.put(key, entry)
        return True

    def put(self, key: CacheKey, entry: CachedResponse) -> None:
        is_large = entry.size > self._max_bytes / MAX_ENTRY_FRACTION
        is_held = key in self._held and not is_large and self._put_held(key, entry)
        self._is_held_full |= key in self._held and not is_held
        if is_large:
            return
        if not is_held:
            replaced = self._entries.pop(key, None)
            self.used_bytes += entry.size - (replaced.size if replaced else 0)
            self._entries[key] = entry
        while self._entries and (self.used_bytes > self._max_bytes or len(self._entries) > MAX_CACHED_RESPONSES):
            self.used_bytes -= self._entries.popitem(last=False)[1].size

    def _put_held(self, key: CacheKey, entry: CachedResponse) -> bool:
        replaced = self._held[key]
        grown = entry.size - (replaced.size if replaced else 0)
        if self._held_bytes + grown > self._max_bytes / MAX_HELD_FRACTION:
            return False
        self._held[key] = entry
        self._held_bytes += grown
        self.used_bytes += grown
        return True

    def __len__(self) -> int:
        return len(self._entries) + sum(entry is not None for entry in self._held.values())


class CacheRequest(NamedTuple):
    key: CacheKey
    accepts_gzip: bool
    if_none_match: bytes | None

    def choose(self, entry: CachedResponse) -> EncodedResponse | None:
        """Return the encoding to send, or None if the request accepts gzip and `entry` is not compressed yet."""
        return entry.gzipped if self.accepts_gzip else entry.plain


class ResponseCache:
    """The current store of responses, and the look-up of a request in it. Only the event loop reads and writes entries.

    `clear`, from any thread, replaces the store: a response being made then goes into the old one, which nobody reads,
    so nothing old is served after a clear. `begin_again` then takes back the held responses that are still right. The
    server front sends stored responses unchanged; while they need additions such as `Age`, `find` gives it None.
    """

    def __init__(
        self,
        megabytes: int,
        allows_host: Callable[[bytes | None], bool] = lambda _: True,
        clock: Clock = utc_now,
        uncached: Set[str] = frozenset(),
    ) -> None:
        self._uncached = uncached
        self._max_bytes = megabytes * MEGABYTE
        self._allows_host = allows_host
        self._clock = clock
        self.store = CacheStore(self._max_bytes, clock)
        self._former = self.store
        self._changing = Lock()
        self.on_clear: Callable[[], object] = lambda: None
        self._current_at: float | None = None
        self._has_front = True
        self.left_to_hold = 0
        """How many paths `HeldGuidance` has not reached in its present round."""

    def clear(self) -> None:
        """Drop every entry that an edition can change."""
        with self._changing:
            if self.store.versions is not None:
                self._former = self.store
            self.store = self.store.without_guides()
        self.on_clear()

    def begin_again(self, cleared: CacheStore, versions: Mapping[str, object]) -> bool:
        """Hold again what has the same version. Nothing kept in memory may be older. Return False if cleared again."""
        with self._changing:
            if self.store is not cleared:
                return False
            store = cleared.without_guides()
            store.keep_held(self._former, versions)
            self.store = self._former = store
            return True

    def leave_front(self) -> None:
        self._has_front = False
        with self._changing:
            self.store = self.store.copy()  # a new store tells the server front that its finished responses are invalid

    def set_database_unavailable(self, current_at: float | None) -> None:
        """Note since when the database is away: `current_at` is when, by `monotonic`, all entries were last current.

        None means that it is back.
        """
        if self._current_at is None and current_at is not None:
            with self._changing:
                self.store = self.store.copy()  # as in `leave_front`
        self._current_at = current_at

    @property
    def is_database_away(self) -> bool:
        return self._current_at is not None

    def age_of(self, entry: CachedResponse) -> float | None:
        """Return the seconds for which `entry` may have been out of date, or None."""
        current_at = self._current_at
        return None if current_at is None else monotonic() - max(current_at, entry.made_at)

    def find_entry(self, key: CacheKey) -> CachedResponse | None:
        """Return an entry.

        While the database is away it may be one that expired within `STALE_IF_ERROR_SECONDS`, or one in the guide's own
        language.
        """
        entry = self.store.find(key, allow_expired=self.is_database_away)
        if entry is None and key[-1] and self.is_database_away:
            entry = self.store.find((*key[:-1], ()), allow_expired=True)
        if entry is None or (self.age_of(entry) or 0) > STALE_IF_ERROR_SECONDS:
            return None
        return entry

    def parse(self, scope: Scope) -> CacheRequest | None:
        """Return the parts of a GET that the cache uses, or None if the framework must respond.

        Credentials are ignored: only responses of routes that read none are cached.
        """
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or not BYPASS_HEADERS.isdisjoint(headers):
            return None
        if scope["path"] in self._uncached or not self._allows_host(headers.get(b"host")):
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
        """Return the stored response for the front, or None while the database is away or after `leave_front`."""
        if self.is_database_away or not self._has_front:
            return None
        entry = self.store.find(request.key)
        response = None if entry is None else request.choose(entry)
        if entry is None or response is None:
            return None
        return entry.route, response.for_etags(request.if_none_match)

    async def answer_from_cache(self, exchange: Exchange) -> ASGIApp | None:
        """Answer with the cached response, or wait for a request that is making it, or let this one make it."""
        scope = exchange.scope
        if scope["method"] != "GET" or NOT_PUBLIC.match(scope["path"]):
            return None
        request = self.parse(scope)
        if request is None:
            return None
        store = self.store
        entry = self.find_entry(request.key)
        if entry is None and request.key in store.pending:  # after a clear, many requests may want the same response
            entry = await asyncio.shield(store.pending[request.key])
        if entry is None:
            self._begin(exchange, request, store)
            return None
        scope["route"], exchange.is_hit = entry.route, True
        return (await self._choose(request, entry)).serve

    async def _choose(self, request: CacheRequest, entry: CachedResponse) -> WireResponse:
        if request.accepts_gzip and entry.gzipped is None:
            await entry.add_gzip()
        response = (request.choose(entry) or entry.plain).for_etags(request.if_none_match)
        age = self.age_of(entry)
        return response if age is None else response._replace(headers=[*response.headers, (b"age", b"%d" % int(age))])

    def _begin(self, exchange: Exchange, request: CacheRequest, store: CacheStore) -> None:
        scope = exchange.scope
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
        pending = store.pending[request.key] = asyncio.get_running_loop().create_future()
        by_language = VARIES_BY_LANGUAGE.fullmatch(scope["path"]) is not None
        supported_vary = SUPPORTED_BY_LANGUAGE if by_language else SUPPORTED_VARY
        exchange.ends.push_async_callback(self._store, exchange, request, store, pending)
        exchange.changes.append(partial(_hold_cacheable, exchange, supported_vary))

    async def _store(
        self, exchange: Exchange, request: CacheRequest, store: CacheStore, pending: Future[CachedResponse | None]
    ) -> None:
        entry = None
        try:
            if exchange.held and exchange.instead is None and exchange.is_whole:
                start, *parts = exchange.held
                body = b"".join(part.get("body", b"") for part in parts)
                entry = CachedResponse(exchange.scope.get("route"), start["headers"], body)
        finally:
            if store.pending.get(request.key) is pending:
                del store.pending[request.key]
            pending.set_result(entry)
        if entry is not None:
            exchange.instead = (await self._choose(request, entry)).serve
            store.put(request.key, entry)


@lru_cache(maxsize=PARSED_HEADERS)
def preferred_media_types(accept: bytes) -> frozenset[str]:
    """Return the media types that Accept prefers. Nothing else in it affects a response."""
    header = accept.decode("latin-1")
    return frozenset(
        form.media_type for form in REPRESENTATIONS if quality(form.media_type, header) > quality(JSON, header)
    )


@lru_cache(maxsize=PARSED_HEADERS)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Return True if gzip is named and `identity` not preferred to it. `*` is ignored."""
    header = accept_encoding.decode("latin-1")
    return quality("gzip", header) > 0 and quality("gzip", header) >= quality("identity", header)


async def _hold_cacheable(exchange: Exchange, supported_vary: Set[str], start: Message) -> None:
    """A public 200 with an ETag, for no single caller, without control characters, `Vary` from `supported_vary`."""
    headers = Headers(raw=start["headers"])
    varies_by = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    if (
        start["status"] == STATUS_OK
        and headers.get("cache-control", "").startswith("public")
        and "etag" in headers
        and PRIVATE_HEADERS.isdisjoint(headers.keys())
        and varies_by <= supported_vary
        and not any(ILLEGAL_FIELD_BYTES.search(value) for _, value in start["headers"])
    ):
        exchange.held = []
