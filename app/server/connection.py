"""A connection of uvicorn's own h11 protocol, with a deadline for its client and refusals as problems.

All private names of uvicorn that this service uses (`pyproject.toml` pins its minor version because of them):

- `H11Protocol(config, server_state, app_state)`, the class and its three arguments;
- `H11Protocol.app`, the service, which it calls for each request;
- `H11Protocol.conn`, its parser, and `handle_events`, which reads on;
- `H11Protocol.flow`, with `pause_reading`;
- `H11Protocol.cycle`, the request that it works on, with `response_complete`, `keep_alive` and `message_event`;
- `H11Protocol.send_400_response`, which it calls for data that is not HTTP, and for a head that is too large;
- `H11Protocol.shutdown`, which the server calls at its stop;
- `ServerState.connections`;
- `ServerState.default_headers`, such as the date.
"""

import asyncio
import re
from asyncio import BaseTransport, Transport
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import h11
from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.errors import BadRequest, Problem
from app.http.metrics import Answered
from app.http.middleware import NO_ROUTE, OTHER_METHOD, RequestRecords, new_request_id, security_headers
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.models.links import problem_path
from app.models.problems import ProblemDetails


class ClientDeadline:
    """Ends a connection that has waited `seconds` for its client.

    While the service works on a request, this deadline does not apply: the service has its own, also for the body of a
    request. But a connection that waits for a body may be closed to make room for another client.
    """

    def __init__(self, transport: Transport, seconds: float) -> None:
        self.transport = transport
        self.awaits_body = False
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._requests = 0
        self.is_write_paused = False
        self.since = self._loop.time()
        """The start of the present state, in seconds of the event loop's clock."""
        self._timer = self._loop.call_later(seconds, self._check)

    @property
    def waits_for_client(self) -> bool:
        """True if the service waits for the client: for a request or the rest of one, or until it reads."""
        return self._has_deadline or self.awaits_body

    @property
    def _has_deadline(self) -> bool:
        return not self._requests or self.is_write_paused

    @contextmanager
    def request_at_work(self) -> Iterator[None]:
        """Stop the clock while the service works on a request."""
        self._requests += 1
        self.restart()
        try:
            yield
        finally:
            self._requests -= 1
            self.awaits_body = False
            self.restart()

    def set_write_paused(self, is_paused: bool) -> None:
        """Start the clock when the client does not read the response, and stop it when it has read most of it."""
        self.is_write_paused = is_paused
        self.restart()

    def restart(self) -> None:
        """Restart the clock at zero."""
        self.since = self._loop.time()

    def cancel(self) -> None:
        """Cancel the timer of a closed connection."""
        self._timer.cancel()

    def _check(self) -> None:
        """Close the connection if it is due, else check again later. A timer for each request would cost more."""
        left = self.since + self._seconds - self._loop.time() if self._has_deadline else self._seconds
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # `close` would wait until the client reads the response
        else:
            self.transport.close()


SCHEMES = frozenset({b"http", b"https"})
FIELD_BYTES = len(b": \r\n")
END_OF_HEAD = re.compile(rb"\n\r?\n")
TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
FIELD = TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n"
HEAD = re.compile(TOKEN + rb" [\x21-\x7e]+ HTTP/1\.([01])\r\n(?:" + FIELD + rb")*\r\n")
"""A head by the grammar of RFC 9112, without what it allows only for old senders: no folded line, no bare CR or LF."""
NAMES_ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization")
"""The fields that a head has at most once. Two programs could each go by another of two."""
FIELD_ONCE = re.compile(rb"\r\n(" + rb"|".join(NAMES_ONCE) + rb"):([^\r]*)", re.IGNORECASE)
BLANKS = b"\t "
LENGTH = re.compile(rb"0|[1-9][0-9]{0,18}")
HOST = re.compile(rb"(?:[-0-9A-Za-z._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
CHUNK_EXTENSION = rb";" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|\"[\t\x20\x21\x23-\x5b\x5d-\x7e]*\"))?"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + CHUNK_EXTENSION + rb")*\r\n")
END_OF_TRAILERS = re.compile(rb"\r?\n")
TRAILERS = re.compile(rb"(?:" + FIELD + rb")*\r\n")
MAX_HEAD_BYTES = 65_536
MAX_FIELD_BYTES = 8_192
"""The bytes of one line of a head, as most proxies take it."""
MAX_HEAD_FIELDS = 500
"""How many fields a head may have. Each takes time, however small it is, and 64 KB hold 13,000."""
PIECES_PER_TURN = 50
"""How many pieces of a body are read before other connections have their turn. 256 KB hold 43,000 chunks."""
TOO_LARGE = 431


def check_head(head: bytes) -> None:
    """Raise `h11.RemoteProtocolError` for a head that another program might read in another way.

    A proxy that goes by one of two lengths, or sees the end of a line elsewhere, would give one caller the response of
    another. RFC 9112 lets a server take some of these heads (sections 2.2, 5.2, 6.1 and 6.3); this one takes none.
    """
    matched = HEAD.fullmatch(head)
    if matched is None:
        raise h11.RemoteProtocolError("the head is malformed")
    fields: dict[bytes, bytes] = {}
    for field in FIELD_ONCE.finditer(head):
        name = field[1].lower()
        if name in fields:
            raise h11.RemoteProtocolError("a field is there twice")
        fields[name] = field[2].strip(BLANKS)  # a pattern of the blanks would try each of a run again and again
    length, coding, host = (fields.get(name) for name in NAMES_ONCE[1:3] + NAMES_ONCE[:1])
    is_1_0 = matched[1] == b"0"
    if length is not None and not LENGTH.fullmatch(length):
        raise h11.RemoteProtocolError("the length is malformed")
    if coding is not None and (is_1_0 or length is not None or coding.lower() != b"chunked"):
        raise h11.RemoteProtocolError("the length of the body is ambiguous")
    if not is_1_0 if host is None else not HOST.fullmatch(host):
        raise h11.RemoteProtocolError("the host is missing or malformed")


class ChunkLines:
    """The lines between the chunks of a body, checked before h11 reads them: it takes blanks, folded lines and bare LF.

    It reads at least as far as h11 does: one line for each piece, and the trailers with the last.
    """

    def __init__(self, data: bytes) -> None:
        self._unread = bytearray(data)
        self._left = 0
        """The bytes up to the next line."""
        self._check: Callable[[], None] | None = self._check_line

    def add(self, data: bytes) -> None:
        """Add data of the body."""
        self._unread += data

    def check_next(self) -> None:
        """Check the next line if it is there. Raise `h11.RemoteProtocolError` if it is malformed."""
        skipped = min(self._left, len(self._unread))
        del self._unread[:skipped]
        self._left -= skipped
        if self._check is not None and not self._left:
            self._check()

    def _check_line(self) -> None:
        end = self._unread.find(b"\n") + 1
        if not end:
            return
        line = CHUNK_LINE.fullmatch(self._take(end))
        if line is None:
            raise h11.RemoteProtocolError("a chunk is malformed")
        size = int(line[1], 16)
        if size:
            self._left = size + len(b"\r\n")
        else:
            self._check = self._check_trailers
            self._check_trailers()

    def _check_trailers(self) -> None:
        end = END_OF_TRAILERS.match(self._unread) or END_OF_HEAD.search(self._unread)
        if end is None:
            return
        if not TRAILERS.fullmatch(self._take(end.end())):
            raise h11.RemoteProtocolError("a trailer is malformed")
        self._check = None  # the next request follows

    def _take(self, count: int) -> bytes:
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken


class RequestReader(h11.Connection):
    """The server's end of h11, with limits for a head, and for the pieces of a body that are read at a time.

    h11 itself measures a head only while it is incomplete. It refuses less than this service does: see `check_head`.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self._peeked: Any = None
        self._pieces_left = PIECES_PER_TURN
        self._chunk_lines: ChunkLines | None = None
        """Those of the body that is being read, if it comes in chunks."""

    @property
    def is_turn_over(self) -> bool:
        """True if the rest of the data waits for the next turn."""
        return not self._pieces_left

    def start_turn(self) -> None:
        """Read on."""
        self._pieces_left = PIECES_PER_TURN

    def receive_data(self, data: bytes) -> None:
        """Add data of the client."""
        super().receive_data(data)
        if self._chunk_lines is not None:
            self._chunk_lines.add(data)

    def peek(self) -> Any:
        """Return the next event, which `next_event` will return again."""
        self._peeked = self.next_event()
        return self._peeked

    def next_event(self) -> Any:
        """Return the event that was peeked at, or read the next one: see `_read_event`."""
        event, self._peeked = self._peeked, None
        return self._read_event() if event is None else event

    def _read_event(self) -> Any:
        """Return the next event, or NEED_DATA at the end of a turn, or if the client sends nothing more.

        Raise `h11.RemoteProtocolError` for a head that is malformed or too large or has too many fields, and for a
        malformed chunk.
        """
        if self.is_turn_over:
            return h11.NEED_DATA
        if self.their_state is h11.IDLE:
            self._check_head()
        elif self._chunk_lines is not None:
            self._chunk_lines.check_next()
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._pieces_left -= 1
        elif isinstance(event, h11.Request):
            if head_bytes(event) > MAX_HEAD_BYTES:
                raise h11.RemoteProtocolError("the head is too large", error_status_hint=TOO_LARGE)
            self._read_chunk_lines(event)
        elif isinstance(event, h11.EndOfMessage):
            self._chunk_lines = None
        return h11.NEED_DATA if isinstance(event, h11.ConnectionClosed) else event

    def _check_head(self) -> None:
        """Count the fields of the next head and check it, before h11 parses it."""
        data, _ = self.trailing_data
        end = END_OF_HEAD.search(data)
        if data.count(b"\n", 0, end.start() if end else len(data)) > MAX_HEAD_FIELDS:
            raise h11.RemoteProtocolError("the head has too many fields", error_status_hint=TOO_LARGE)
        if end is None:
            return
        head = data[: end.end()]
        if max(map(len, head.split(b"\n")[1:])) > MAX_FIELD_BYTES:
            raise h11.RemoteProtocolError("a field is too large", error_status_hint=TOO_LARGE)
        check_head(head)

    def _read_chunk_lines(self, request: h11.Request) -> None:
        """Check the lines of the request's body from now on, if it comes in chunks."""
        if any(name == b"transfer-encoding" for name, _ in request.headers):
            self._chunk_lines = ChunkLines(self.trailing_data[0])


def head_bytes(request: h11.Request) -> int:
    """Return the size of the request line and the fields."""
    fields = sum(len(name) + len(value) + FIELD_BYTES for name, value in request.headers)
    return len(request.method) + len(request.target) + fields


def has_body(scope: Scope) -> bool:
    """Return True if the head announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def in_origin_form(scope: Scope) -> Scope:
    """Return the scope with the path alone. A client may send a whole URL as target (RFC 9112, section 3.2.2).

    The host of such a URL replaces the Host header, so that the service checks the host that the client means.
    """
    target: bytes = scope["raw_path"]
    if target.startswith(b"/"):
        return scope
    scheme, _, rest = target.partition(b"://")
    host, slash, path = rest.partition(b"/")
    if scheme.lower() not in SCHEMES or not host:
        return scope
    raw_path = (slash + path) or b"/"
    headers = [(b"host", host), *(field for field in scope["headers"] if field[0] != b"host")]
    return {**scope, "raw_path": raw_path, "path": unquote(raw_path.decode("ascii")), "headers": headers}


REFUSALS = "refusals"
"""The name of the `Refusals` in the lifespan state (ASGI), which every connection gets."""


class Refusals:
    """Makes bare refusals, and records each like every other response: a line in the log, and a count."""

    def __init__(self, records: RequestRecords, *, is_https: bool) -> None:
        self._records = records
        self._headers = {
            **security_headers(is_https=is_https),
            "Content-Type": PROBLEM_MEDIA_TYPE,
            "Access-Control-Allow-Origin": "*",  # it says nothing of anybody, and no Origin was read
            "Connection": "close",
        }

    def make(self, kind: type[Problem], default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the problem as the bytes of a response."""
        request_id = new_request_id()
        self._records.add(Answered(request_id, OTHER_METHOD, NO_ROUTE, kind.status, 0.0))
        problem = ProblemDetails(
            type=problem_path(kind.slug),
            title=kind.title,
            status=kind.status,
            detail=f"{kind.meaning} In immediate danger call 999.",
            instance=f"urn:uuid:{request_id}",
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        own = {"Content-Length": str(len(body)), "X-Request-ID": request_id, **kind.headers}
        fields = [f"{name}: {value}".encode() for name, value in (self._headers | own).items()]
        default = [b"%b: %b" % field for field in default_headers]
        status_line = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}".encode()
        return b"\r\n".join([status_line, *default, *fields, b"", body])


MAX_DISCARDED_BYTES = 16_000_000
"""How much of a body is read and discarded after a response, so that its sender comes to read the response."""
DISCONNECT: Message = {"type": "http.disconnect"}
END_OF_RESPONSE: Message = {"type": "http.response.body"}


class Connection(H11Protocol):
    """A connection of the server, which is closed if its client is too slow (see `ClientDeadline`).

    A client that sends a body may read the response only when it has sent everything. A connection that is closed on
    unread data takes the response away from it. So what such a client still sends is read and discarded, up to
    `MAX_DISCARDED_BYTES` and for `client_seconds`.
    """

    deadline: ClientDeadline

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], client_seconds: float
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.is_refused = False
        """True from a bare refusal on: nothing of the connection is read any more."""
        self.conn: RequestReader = RequestReader()
        self._client_seconds = client_seconds
        self._default_headers = server_state.default_headers
        self._refusals: Refusals = app_state[REFUSALS]
        self._discarded = 0
        self._is_body_broken = False
        self._waits_for_turn = False
        self._service: Any = self.app
        self.app = cast("Any", self._serve)

    def connection_made(self, transport: BaseTransport) -> None:
        """Accept the connection."""
        self.deadline = ClientDeadline(cast("Transport", transport), self._client_seconds)
        super().connection_made(cast("Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Clean up, in the same way after an error: there, the server would leave its own timer running."""
        self.deadline.cancel()
        super().connection_lost(None)

    def data_received(self, data: bytes) -> None:
        """Read the data, or discard it if it cannot belong to a request."""
        if not self.is_refused and not self._is_body_broken:
            super().data_received(data)
            return
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self.deadline.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio takes an answer, uvicorn gives none
        """Answer what a client asked that sends nothing more. Return True if the connection stays open for that."""
        if self.is_refused or self.cycle is None or self.cycle.response_complete:
            return False
        if not self._is_body_broken:
            self.conn.receive_data(b"")
            self.handle_events()
        return True

    def handle_events(self) -> None:
        """Read the data. If it has more pieces than one turn may read, let other connections have their turn."""
        super().handle_events()
        if self.conn.is_turn_over and not self._waits_for_turn:
            self._waits_for_turn = True
            self.flow.pause_reading()
            self.loop.call_soon(self._start_turn)

    def _start_turn(self) -> None:
        self._waits_for_turn = False
        if not self.deadline.transport.is_closing():
            self.conn.start_turn()
            self.handle_events()

    def pause_writing(self) -> None:
        """Wait for the client, which does not read the response fast enough."""
        super().pause_writing()
        self.deadline.set_write_paused(True)

    def resume_writing(self) -> None:
        """Continue: the client has read most of the response."""
        super().resume_writing()
        self.deadline.set_write_paused(False)

    def shutdown(self) -> None:
        """Close the connection when its request is answered."""
        if self.is_refused:
            self.deadline.transport.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuse data that is not HTTP, with a problem like every other refusal.

        If the body of a request is broken, that request gets the refusal, from the service.
        """
        del msg
        if self.cycle is None or self.cycle.response_complete:
            self.refuse(BadRequest)
        else:
            self._is_body_broken = True
            self.cycle.keep_alive = False
            self.cycle.message_event.set()

    def refuse(self, kind: type[Problem]) -> None:
        """Send the problem where no request was read. Close the connection when its client has."""
        self.is_refused = True
        self.deadline.restart()
        self.deadline.transport.write(self._refusals.make(kind, self._default_headers))
        self.deadline.transport.write_eof()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Until its response, the service waits for the client only where the body is due."""
        is_body_due = has_body(scope)
        is_end_held = False

        async def receive_tracked() -> Message:
            nonlocal is_body_due
            self.deadline.awaits_body = is_body_due
            while self._waits_for_turn:
                await asyncio.sleep(0)
            message = await receive()
            if self._is_body_broken:
                message = DISCONNECT
            self.deadline.awaits_body = is_body_due = message.get("more_body", False)
            return message

        async def send_tracked(message: Message) -> None:
            nonlocal is_end_held
            if is_body_due and message["type"] == "http.response.body" and not message.get("more_body", False):
                is_end_held = True
                message = {**message, "more_body": True}
            await send(message)

        with self.deadline.request_at_work():
            await self._service(in_origin_form(scope), receive_tracked, send_tracked)
            if is_end_held:
                await self._discard_body(receive_tracked)
                await send(END_OF_RESPONSE)
                if is_body_due:
                    self.deadline.transport.close()

    async def _discard_body(self, receive: Receive) -> None:
        """Read the rest of the body, within the bounds, and discard it. The client has the whole response already."""
        discarded = 0
        try:
            async with asyncio.timeout(self._client_seconds):
                while discarded <= MAX_DISCARDED_BYTES:
                    message = await receive()
                    discarded += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return
