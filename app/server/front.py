"""The front: it answers plain reads from the cache, before the server reads them.

It answers a chunk that is exactly one whole GET request whose answer is in the cache. The first chunk that is anything
else it gives to the server, with all that follows on that connection.
"""

import time
from asyncio import BaseTransport
from typing import Any, cast
from urllib.parse import unquote

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.config import Settings
from app.server.connection import Connection, refuse
from app.web.cache.cache import CacheRequest, ResponseCache
from app.web.metrics import Answered
from app.web.middleware.request_log import RequestRecords, new_request_id, route_template
from app.web.problem_types import SERVICE_UNAVAILABLE

FRONT_CACHE = "front_cache"
"""The name of the `FrontCache` in the state of the lifespan (ASGI), which every connection is given."""
MOST_REMEMBERED = 256
LONGEST_REMEMBERED = 2_000  # bytes
STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
KEEP_ALIVE = b"keep-alive"


class FrontCache:
    """The cache of responses, looked up by the bytes of a request.

    A client that reads again and again sends the same bytes each time: those of a request that was answered are
    remembered with what they mean. They hold nothing of a person: no request with a credential or a body is among them.
    """

    def __init__(self, cache: ResponseCache, records: RequestRecords) -> None:
        self._cache = cache
        self._records = records
        self._remembered: dict[bytes, CacheRequest] = {}

    def read(self, data: bytes) -> CacheRequest | None:
        """Return what the request means; None unless it is whole, alone, and one that the cache may answer."""
        return self._remembered.get(data) or self._parse(data)

    def answer(self, data: bytes, asked: CacheRequest) -> tuple[bytes, bytes] | None:
        """Return the status line, and all fields and the body; None where the server must make the answer."""
        began = time.perf_counter()
        found = self._cache.find(asked)
        if found is None:
            return None
        if data not in self._remembered:
            self._remember(data, asked)
        route, told = found
        request_id = new_request_id()
        took = time.perf_counter() - began
        self._records.add(Answered(request_id, "GET", route_template(route), told.status, took))
        rest = b"%bx-request-id: %b\r\n\r\n%b" % (told.fields, request_id.encode(), told.body)
        return STATUS_LINES[told.status], rest

    def _parse(self, data: bytes) -> CacheRequest | None:
        """Read the request as the server would, by the same library."""
        reader = h11.Connection(h11.SERVER)
        try:
            reader.receive_data(data)
            request = reader.next_event()
        except h11.RemoteProtocolError:
            return None
        if not isinstance(request, h11.Request) or reader.trailing_data[0] or len(data) > LONGEST_REMEMBERED:
            return None
        headers = [*request.headers]
        if request.http_version != b"1.1" or dict(headers).get(b"connection", KEEP_ALIVE).lower() != KEEP_ALIVE:
            return None
        path, _, query = request.target.partition(b"?")
        method = request.method.decode("ascii")
        scope = {"type": "http", "method": method, "path": unquote(path.decode("ascii")), "query_string": query}
        return self._cache.asked_by({**scope, "headers": headers})

    def _remember(self, data: bytes, asked: CacheRequest) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[data] = asked


class Front(Connection):
    """A connection that answers from the cache as long as each chunk is one whole plain request.

    So it needs no look into the server to know that it is between two requests: each chunk is answered before the next
    is. Where `settings.connections` are open, the one that has waited longest for its client gives way to a newcomer;
    only where none waits for its client is the newcomer refused.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], settings: Settings, **_: Any
    ) -> None:
        super().__init__(config, server_state, app_state, settings.client_seconds)
        self._server_state = server_state
        self._open = cast("set[Front]", server_state.connections)
        self._most = settings.connections
        self._cache: FrontCache = app_state[FRONT_CACHE]
        self._is_plain_so_far = True
        self._with_server = 0
        """Plain requests that the server has not answered yet."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Take the connection, if need be in place of another."""
        super().connection_made(transport)
        if len(self._open) > self._most and not self._make_room():
            refuse(self.deadline.transport, SERVICE_UNAVAILABLE)

    def data_received(self, data: bytes) -> None:
        """Answer the request, or have the server read on."""
        if not self._answer(data):
            super().data_received(data)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super()._serve(scope, receive, send)
        finally:
            self._with_server -= 1

    def _answer(self, data: bytes) -> bool:
        """Write the answer, if it is this request's turn, its answer is in the cache, and the client takes answers."""
        asked = self._cache.read(data) if self._is_plain_so_far else None
        if asked is None:
            self._is_plain_so_far = False
            return False
        answer = None if self._with_server or self.deadline.is_write_paused else self._cache.answer(data, asked)
        if answer is None:
            self._with_server += 1
            return False
        status_line, rest = answer
        own = [b"%b: %b\r\n" % field for field in self._server_state.default_headers]
        self.deadline.transport.write(b"".join((status_line, *own, rest)))
        self.deadline.restart()
        return True

    def _make_room(self) -> bool:
        """Abort the connection that has waited longest for its client, if any but this does."""
        waiting = [each for each in self._open if each is not self and each.deadline.waits_for_client]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.deadline.since)
        self._open.discard(longest)  # at once: several newcomers may arrive before it is really gone
        longest.deadline.transport.abort()
        return True
