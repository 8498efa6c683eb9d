"""A task that fills the response cache with the pages that people need first if a child is in danger."""

import asyncio
import gzip
from asyncio import Event
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from types import SimpleNamespace

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Scope

from app.http.cache import CachedResponse, CacheRequest, CacheStore, ResponseCache
from app.http.exchange import Exchange
from app.http.held_file import HeldFile, HeldResponse, Numbers
from app.logs import Log

FIRST_SECONDS = 5.0
FIRST_PATHS = 30
"""The start waits for so many, the lists and the newest guides, at most `FIRST_SECONDS`. The others come afterwards."""
RETRY_SECONDS = 5.0
ROUND_SECONDS = 30.0
"""Made again then, since some responses expire."""

SERVER_ERROR = 500

log = Log(__name__)


class HeldGuidance:
    """Makes the response of each path from `find_versions` by a request to `serve`, and holds it in the cache.

    So every process can serve them while the database is unavailable. After a clear a path with the same version keeps
    its response: `read_again` is called between, so that none is older than its version. A complete round is saved in
    `file`. Both functions read the database, so they are called in a thread.
    """

    def __init__(
        self,
        cache: ResponseCache,
        serve: Callable[[Exchange], Awaitable[None]],
        find_versions: Callable[[], Mapping[str, object]],
        read_again: Callable[[], object],
        file: HeldFile,
        get_numbers: Callable[[], Numbers],
    ) -> None:
        self._cache = cache
        self._serve = serve
        self._find_versions = find_versions
        self._read_again = read_again
        self._file = file
        self._get_numbers = get_numbers
        self._left_out = 0
        self._requests: dict[str, CacheRequest | None] = {}
        self._changed = Event()
        self._has_first = Event()

    async def run(self) -> None:
        """Run until cancelled. A cleared cache starts the next round immediately."""
        loop, cache = asyncio.get_running_loop(), self._cache

        def note_change() -> None:
            self._file.forget()
            loop.call_soon_threadsafe(self._changed.set)

        cache.on_clear = note_change
        try:
            while True:
                self._changed.clear()
                is_complete = await self.hold_all()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), ROUND_SECONDS if is_complete else RETRY_SECONDS)
        finally:
            cache.on_clear = lambda: None

    def restore(self) -> Numbers | None:
        """Hold the responses of the file, for a database that is away, and return the contacts of the file, if any."""
        cache = self._cache
        age, found = self._file.read() or (0.0, None)
        current_at = monotonic() - max(age, 0.0)
        cache.set_database_unavailable(current_at)
        for path, template, headers, body in found.responses if found else ():
            request = cache.parse(_get_scope(path))
            if request is not None and cache.store.hold(request.key):
                entry = CachedResponse(SimpleNamespace(path=template), headers, gzip.decompress(body))
                entry.made_at = current_at
                cache.store.put(request.key, entry)
        return found.numbers if found else None

    async def wait_for_first(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_first.wait(), FIRST_SECONDS)

    async def hold_all(self) -> bool:
        """True if no request failed."""
        left_out, self._left_out = self._left_out, 0
        cache, at, is_complete = self._cache, self._file.clock(), True
        try:
            versions = await self._begin()
            store = cache.store
            for place, path in enumerate(versions):
                is_complete &= await self._hold(path)
                cache.left_to_hold = len(versions) - place - 1
                if is_complete and (place == FIRST_PATHS or not cache.left_to_hold):
                    self._has_first.set()
                if self._changed.is_set():
                    return True  # the next round begins at once
        except SQLAlchemyError as failure:
            log.warning("guidance_not_held", error=type(failure).__name__)
            return False
        if self._left_out not in {0, left_out}:
            log.warning("guidance_not_held", reason="no room in the cache", count=self._left_out)
        if is_complete and not cache.is_database_away:
            responses = [*self._held_responses(store, versions)]
            await run_in_threadpool(self._file.save, responses, self._get_numbers(), at, lambda: cache.store is store)
        return is_complete

    async def _begin(self) -> Mapping[str, object]:
        """Return the versions to hold. After a clear, take back the responses of those that have not changed."""
        cleared = self._cache.store
        versions = await run_in_threadpool(self._find_versions)
        if cleared.versions is None:
            await run_in_threadpool(self._read_again)
            self._cache.begin_again(cleared, versions)
        return versions

    def _held_responses(self, store: CacheStore, paths: Iterable[str]) -> Iterator[HeldResponse]:
        for path in paths:
            request = self._request_of(path)
            entry = None if request is None else store.find(request.key, allow_expired=True)
            if entry is not None:
                whole = entry.plain.whole
                yield HeldResponse(path, getattr(entry.route, "path", None), whole.headers, entry.compressed())

    def _request_of(self, path: str) -> CacheRequest | None:
        if path not in self._requests:
            self._requests[path] = self._cache.parse(_get_scope(path))
        return self._requests[path]

    async def _hold(self, path: str) -> bool:
        """Return False only for a server error, not for want of room."""
        cache, request = self._cache, self._request_of(path)
        if request is None:
            return True
        store, is_made = cache.store, True

        async def note_status(message: Message) -> None:
            nonlocal is_made
            is_made = is_made and message.get("status", 0) < SERVER_ERROR

        if store.hold(request.key) and store.find(request.key) is None:
            await self._serve(Exchange(_get_scope(path), _receive_nothing, note_status))
        self._left_out += not store.hold(request.key)
        return is_made


def _get_scope(path: str) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"accept-encoding", b"gzip")],
        "client": None,
        "server": None,
        "state": {"request_id": "held"},
    }


async def _receive_nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
