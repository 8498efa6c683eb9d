"""The front of the server: it answers plain reads from the cache, before uvicorn parses them.

It answers a chunk of data that is exactly one whole GET request with its response in the cache. The first chunk that is
anything else goes to uvicorn, and so does all later data of that connection.
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
from app.errors import ServiceUnavailable
from app.http.cache import CacheRequest, ResponseCache
from app.http.metrics import Answered
from app.http.middleware import RequestRecords, new_request_id, route_template
from app.server.connection import Connection, RequestReader

FRONT_CACHE = "front_cache"
"""The name of the `FrontCache` in the lifespan state (ASGI), which every connection gets."""
MAX_PARSED_REQUESTS = 256
MAX_PARSED_BYTES = 2_000
STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
KEEP_ALIVE = b"keep-alive"
CREDENTIAL = b"authorization"


class FrontCache:
    """The response cache, looked up by the bytes of a request.

    A client that repeats a read sends the same bytes. So the bytes of an answered request are stored with the parsed
    request. They hold nothing personal: a request with a credential or a body is never stored.
    """

    def __init__(self, cache: ResponseCache, records: RequestRecords) -> None:
        self._cache = cache
        self._records = records
        self._parsed: dict[bytes, CacheRequest] = {}
        self._server_headers: list[tuple[bytes, bytes]] = []
        self._server_fields = b""

    def read(self, data: bytes) -> tuple[CacheRequest | None, RequestReader | None]:
        """Return the request; None unless the data is one whole request that the cache may answer.

        Return also the reader that parsed it, from which the server reads on; None if the request was known, or if
        the reader refused the data.
        """
        known = self._parsed.get(data)
        return self._parse(data) if known is None else (known, None)

    def respond(self, data: bytes, request: CacheRequest, server_headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """Return the response with the server's own headers; None if the server must make the response."""
        started = time.perf_counter()
        found = self._cache.find(request)
        if found is None:
            return None
        if data not in self._parsed:
            self._store_parsed(data, request)
        route, response = found
        request_id = new_request_id()
        seconds = time.perf_counter() - started
        self._records.add(Answered(request_id, "GET", route_template(route), response.status, seconds, True))
        status_line, own = STATUS_LINES[response.status], self._fields_of(server_headers)
        return b"".join(
            (status_line, own, response.fields, b"x-request-id: ", request_id.encode(), b"\r\n\r\n", response.body)
        )

    def _fields_of(self, server_headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the server's headers as bytes. The server makes a new list every second, for the date."""
        if server_headers is not self._server_headers:
            self._server_fields = b"".join(b"%b: %b\r\n" % field for field in server_headers)
            self._server_headers = server_headers
        return self._server_fields

    def _parse(self, data: bytes) -> tuple[CacheRequest | None, RequestReader | None]:
        """Parse the request with the server's own reader."""
        if len(data) > MAX_PARSED_BYTES:
            return None, None
        reader = RequestReader()
        try:
            reader.receive_data(data)
            event = reader.peek()
        except h11.RemoteProtocolError:
            return None, None
        is_one_request = isinstance(event, h11.Request) and not reader.trailing_data[0]
        return self._request_of(event) if is_one_request else None, reader

    def _request_of(self, request: h11.Request) -> CacheRequest | None:
        headers = [*request.headers]
        fields = dict(headers)
        if request.http_version != b"1.1" or fields.get(b"connection", KEEP_ALIVE).lower() != KEEP_ALIVE:
            return None
        if CREDENTIAL in fields:
            return None
        path, _, query = request.target.partition(b"?")
        method = request.method.decode("ascii")
        scope = {"type": "http", "method": method, "path": unquote(path.decode("ascii")), "query_string": query}
        return self._cache.parse({**scope, "headers": headers})

    def _store_parsed(self, data: bytes, request: CacheRequest) -> None:
        if len(self._parsed) >= MAX_PARSED_REQUESTS:
            del self._parsed[next(iter(self._parsed))]
        self._parsed[data] = request


class Front(Connection):
    """A connection that answers from the cache as long as each chunk is one whole plain request.

    So it is always between two requests, without a look into uvicorn: it answers each chunk before the next. If more
    than `settings.connections` are open, the connection that has waited longest for its client is closed to make room.
    If none waits for its client, the new connection is refused.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], settings: Settings, **_: Any
    ) -> None:
        super().__init__(config, server_state, app_state, settings.client_seconds)
        self._server_state = server_state
        self._open = cast("set[Front]", server_state.connections)
        self._max_connections = settings.connections
        self._cache: FrontCache = app_state[FRONT_CACHE]
        self._is_plain = True
        self._unanswered = 0
        """The number of plain requests that uvicorn has not answered yet."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Accept the connection, if need be in place of another."""
        super().connection_made(transport)
        while len(self._open) > self._max_connections:
            if not self._make_room():
                self.refuse(ServiceUnavailable)
                return

    def data_received(self, data: bytes) -> None:
        """Answer the request, or leave it to uvicorn, with the reader that parsed it if there is one."""
        if self.is_refused or not self._is_plain:
            super().data_received(data)
            return
        request, reader = self._cache.read(data)
        if request is not None and self._answer(data, request):
            return
        if self._unanswered:
            reader = None  # uvicorn's own has the earlier request
        self._is_plain = request is not None
        self._unanswered += self._is_plain
        if reader is None:
            super().data_received(data)
        else:
            self.conn = reader
            self.handle_events()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super()._serve(scope, receive, send)
        finally:
            self._unanswered -= 1

    def _answer(self, data: bytes, request: CacheRequest) -> bool:
        """Write the response from the cache. Return False if uvicorn must answer.

        uvicorn must also answer while it still works on an earlier request, or while the client does not read.
        """
        if self._unanswered or self.deadline.is_write_paused:
            return False
        response = self._cache.respond(data, request, self._server_state.default_headers)
        if response is None:
            return False
        self.deadline.transport.write(response)
        self.deadline.restart()
        return True

    def _make_room(self) -> bool:
        """Abort the other connection that has waited longest for its client. Return False if there is none."""
        waiting = [each for each in self._open if each is not self and each.deadline.waits_for_client]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.deadline.since)
        self._open.discard(longest)  # at once: several new connections may come before it is closed
        longest.deadline.transport.abort()
        return True
