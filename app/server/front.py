"""The front of the server: it answers plain reads from the cache, and hands every other connection to the server.

It answers a chunk that is exactly one whole GET request whose answer is in the cache. At the first chunk that is
anything else it makes the server's own connection, gives it the transport and the chunk, and is out of the way for good.
"""

import asyncio
import time
from asyncio import BaseTransport, Transport
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import h11
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.config import Settings
from app.server.client_deadline import ClientDeadline
from app.server.connection import Connection, refuse
from app.web.cache.cache import CacheRequest, ResponseCache
from app.web.metrics import Answered
from app.web.middleware.request_log import RequestRecords, new_request_id, route_template
from app.web.problem_types import BUSY

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

    def answer(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Return the status line, and all fields and the body; None where the server must answer."""
        began = time.perf_counter()
        asked = self._remembered.get(data) or self._read(data)
        found = self._cache.find(asked) if asked else None
        if asked is None or found is None:
            return None
        if data not in self._remembered:
            self._remember(data, asked)
        route, told = found
        request_id = new_request_id()
        took = time.perf_counter() - began
        self._records.add(Answered(request_id, "GET", route_template(route), told.status, took))
        rest = b"%bx-request-id: %b\r\n\r\n%b" % (told.fields, request_id.encode(), told.body)
        return STATUS_LINES[told.status], rest

    def _read(self, data: bytes) -> CacheRequest | None:
        """Read the request as the server would, by the same library; None unless the cache may answer it."""
        if not self._cache.is_used or len(data) > LONGEST_REMEMBERED or not data.startswith(b"GET "):
            return None
        reader = h11.Connection(h11.SERVER)
        try:
            reader.receive_data(data)
            request, end = reader.next_event(), reader.next_event()
        except h11.RemoteProtocolError:
            return None
        if not isinstance(request, h11.Request) or not isinstance(end, h11.EndOfMessage) or reader.trailing_data[0]:
            return None
        headers = [*request.headers]
        if request.http_version != b"1.1" or dict(headers).get(b"connection", KEEP_ALIVE).lower() != KEEP_ALIVE:
            return None
        path, _, query = request.target.partition(b"?")
        scope = {"type": "http", "method": "GET", "path": unquote(path.decode("ascii")), "query_string": query}
        return self._cache.asked_by({**scope, "headers": headers})

    def _remember(self, data: bytes, asked: CacheRequest) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[data] = asked


class Front(asyncio.Protocol):
    """A connection of which every request so far was answered from the cache.

    Where `settings.connections` are open, the one that has waited longest for its client gives way to a newcomer; only
    where none waits for its client is the newcomer refused.
    """

    deadline: ClientDeadline

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], settings: Settings, **_: Any
    ) -> None:
        self._make_connection = partial(Connection, config, server_state, app_state)
        self._server_state = server_state
        self._open = cast("set[Front | Connection]", server_state.connections)
        self._most = settings.connections
        self._client_seconds = settings.client_seconds
        self._answer: Callable[[bytes], tuple[bytes, bytes] | None] = app_state[FRONT_CACHE].answer
        self._is_write_paused = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Take the connection, if need be in place of another."""
        self.deadline = ClientDeadline(cast("Transport", transport), self._client_seconds)
        has_room = len(self._open) < self._most or self._make_room()
        self._open.add(self)  # the server shuts all of these down when it stops
        if not has_room:
            refuse(self.deadline.transport, BUSY)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Forget the connection."""
        self.deadline.cancel()
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer the request, or hand the connection over."""
        answer = None if self._is_write_paused else self._answer(data)
        if answer is None:
            self._hand_over(data)
            return
        status_line, rest = answer
        own = [b"%b: %b\r\n" % field for field in self._server_state.default_headers]
        self.deadline.transport.write(b"".join((status_line, *own, rest)))
        self.deadline.restart()

    def pause_writing(self) -> None:
        """Wait for the client, which does not take its answers; the server answers what it sends meanwhile."""
        self._is_write_paused = True
        self.deadline.set_write_paused(True)

    def resume_writing(self) -> None:
        """Go on: the client has taken most of them."""
        self._is_write_paused = False
        self.deadline.set_write_paused(False)

    def shutdown(self) -> None:
        """Close when the server stops: nothing is at work here."""
        self.deadline.transport.close()

    def _hand_over(self, data: bytes) -> None:
        transport = self.deadline.transport
        connection = self._make_connection(self.deadline)
        self._open.discard(self)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._is_write_paused:
            connection.pause_writing()
        connection.data_received(data)

    def _make_room(self) -> bool:
        """Abort the connection that has waited longest for its client, if any does."""
        waiting = [each for each in self._open if each.deadline.waits_for_client]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.deadline.since)
        self._open.discard(longest)  # at once: several newcomers may arrive before it is really gone
        longest.deadline.transport.abort()
        return True
