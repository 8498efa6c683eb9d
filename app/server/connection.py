"""A connection from a client: checks the bytes, then responds from the cache or passes requests to uvicorn's protocol.

uvicorn's protocol gets the bytes of one request at a time, through the public methods of asyncio's protocols.
"""

import asyncio
from asyncio import BaseTransport, Transport
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.errors import BadRequest, Problem, ServiceUnavailable
from app.server.deadline import ClientDeadline
from app.server.framing import Framing
from app.server.front import Front

SHARED, CONNECTION = "shared", "connection"
"""Keys in the ASGI state of each request."""
SCHEMES = frozenset({b"http", b"https"})
PARTS_AT_ONCE = 100
"""256 KB may arrive together and hold 43,000 parts, so only this many are read at once."""
MAX_DISCARDED_BYTES = 16_000_000
"""Limit after a response: some clients read it only after they have sent everything."""
DISCONNECT: Message = {"type": "http.disconnect"}
END_OF_RESPONSE: Message = {"type": "http.response.body"}


class ServerTransport:
    """A transport for uvicorn's protocol. Instead of pausing the reading, the protocol calls `set_full`."""

    def __init__(self, transport: Transport, set_full: Callable[[bool], None]) -> None:
        self.pause_reading = partial(set_full, True)
        self.resume_reading = partial(set_full, False)
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(asyncio.Protocol):
    """Closed if the client is too slow (see `ClientDeadline`).

    `protocol` is uvicorn's class; its instance gets `app_state`, with this connection added, and `others`. Above
    `settings.connections`, the connection that has waited longest for its client is closed, or the new one refused if
    none waits.

    Closing a connection with unread data would lose the response, so further data is read and discarded, within
    `MAX_DISCARDED_BYTES` and `settings.client_seconds`.
    """

    def __init__(
        self, protocol: type[asyncio.Protocol], settings: Settings, *, app_state: dict[str, Any], **others: Any
    ) -> None:
        self._settings = settings
        self._shared: Shared = app_state[SHARED]
        self._server = cast("Any", protocol)(app_state={**app_state, CONNECTION: self}, **others)
        self._framing = Framing()
        self._is_at_work = False
        """True from the arrival of a request's head to the end of the response."""
        self._body_breaks: asyncio.Future[Message] | None = None
        """Set if the body of the current request is malformed. None without a body."""
        self._discards_data = False
        """True after a refusal or a malformed body."""
        self._discarded = 0
        self._has_ended = False
        self._is_server_full = False
        self._waits_for_loop = False
        """True until the event loop has served others, after many parts of a body at once."""

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)
        self.deadline = ClientDeadline(self._transport, self._settings.client_seconds)
        self._server.connection_made(ServerTransport(self._transport, self.pause_body))
        self._shared.open.add(self)
        while len(self._shared.open) > self._settings.connections:
            if not self._make_room():
                self._refuse(ServiceUnavailable)
                return

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End the connection without passing `exc` on: after an error, uvicorn would leave its timer running."""
        self.deadline.cancel()
        self._shared.open.discard(self)
        self._server.connection_lost(None)

    def data_received(self, data: bytes) -> None:
        if self._discards_data:
            self._discarded += len(data)
            if self._discarded > MAX_DISCARDED_BYTES:
                self._transport.close()
            return
        is_alone = not self._is_at_work and self._framing.is_empty and not self.deadline.is_write_paused
        if is_alone and self._send_answer(self._shared.front.answer_known(data)):
            return
        self._framing.add(data)
        self._read_on(may_answer=is_alone)

    def eof_received(self) -> bool:
        """Return True, which keeps the connection open, if a response is still due."""
        if not self._is_at_work:
            return False
        self._has_ended = True
        self._read_on()
        return True

    def pause_writing(self) -> None:
        self._server.pause_writing()
        self.deadline.set_write_paused(True)

    def resume_writing(self) -> None:
        self._server.resume_writing()
        self.deadline.set_write_paused(False)

    def pause_body(self, is_full: bool) -> None:
        self._is_server_full = is_full
        self._read_on()

    def _read_on(self, *, may_answer: bool = False) -> None:
        """Pass on the next head if no response is due, then parts of the body.

        A malformed body reaches the service as a disconnection.
        """
        if self._transport.is_closing():
            return
        try:
            if not self._is_at_work and not self._discards_data:
                self._begin_request(may_answer=may_answer)
            if not self._is_server_full and not self._waits_for_loop and not self._discards_data:
                self._pass_body_on()
        except Problem as problem:
            self._discards_data = True
            if not self._is_at_work:
                self._refuse(type(problem))
            elif self._body_breaks is not None:
                self._body_breaks.set_result(DISCONNECT)
        self._stop_or_continue()

    def _begin_request(self, *, may_answer: bool) -> None:
        taken = self._framing.take_head()
        if taken is None:
            if self._has_ended:
                self._transport.close()
            return
        data, head = taken
        if may_answer and self._framing.is_empty and self._send_answer(self._shared.front.answer(data, head)):
            return
        self._is_at_work = True
        self._body_breaks = asyncio.get_running_loop().create_future() if self._framing.is_body_due else None
        self._server.data_received(data)

    def _pass_body_on(self) -> None:
        parts = [part for _ in range(PARTS_AT_ONCE) if (part := self._framing.take_part())]
        if parts:
            self._server.data_received(b"".join(parts))
        if not self._framing.is_body_due:
            return
        if len(parts) == PARTS_AT_ONCE:
            self._waits_for_loop = True
            asyncio.get_running_loop().call_soon(self._continue_reading)
        elif self._has_ended:
            raise BadRequest

    def _continue_reading(self) -> None:
        self._waits_for_loop = False
        self._read_on()

    def _stop_or_continue(self) -> None:
        """Pause reading from the client while received data cannot be passed on."""
        waits = self._is_at_work and not self._framing.is_body_due and not self._framing.is_empty
        is_reading = self._discards_data or not (waits or self._is_server_full or self._waits_for_loop)
        if is_reading != self._transport.is_reading() and not self._transport.is_closing():
            (self._transport.resume_reading if is_reading else self._transport.pause_reading)()

    def _send_answer(self, answer: bytes | None) -> bool:
        if answer is None:
            return False
        self._transport.write(answer)
        self.deadline.restart()
        return True

    def _refuse(self, kind: type[Problem]) -> None:
        """The connection closes when the client closes its side, at the deadline, or after `MAX_DISCARDED_BYTES`."""
        self._discards_data = True
        self.deadline.restart()
        self._transport.write(self._shared.front.refuse(kind))
        self._transport.write_eof()

    def _make_room(self) -> bool:
        """Abort the other connection that has waited longest for its client, if any."""
        waiting = [each for each in self._shared.open if each is not self and each.deadline.waits_for_client]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.deadline.since)
        self._shared.open.discard(longest)  # immediately: several new connections may arrive before it is closed
        longest._transport.abort()
        return True

    async def serve(self, service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Suspend the client's deadline except while the service waits for the body.

        If the response is complete before the body, the rest of the body is discarded before the end of the response is
        sent.
        """
        is_body_due = self._body_breaks is not None
        is_end_held = False

        async def receive_tracked() -> Message:
            nonlocal is_body_due
            self.deadline.awaits_body = is_body_due
            message = await self._receive_body(receive) if is_body_due else await receive()
            self.deadline.awaits_body = is_body_due = message.get("more_body", False)
            return message

        async def send_tracked(message: Message) -> None:
            nonlocal is_end_held
            is_end = message["type"] == "http.response.body" and not message.get("more_body", False)
            is_end_held = is_end and is_body_due
            await send({**message, "more_body": True} if is_end_held else message)
            if is_end and not is_end_held:
                self._end_request()

        with self.deadline.request_at_work():
            await service(_in_origin_form(scope), receive_tracked, send_tracked)
            if is_end_held:
                await self._discard_body(receive_tracked)
                await send(END_OF_RESPONSE)
                self._discards_data |= is_body_due
                self._end_request()

    async def _receive_body(self, receive: Receive) -> Message:
        if self._body_breaks is None or not self._framing.is_body_due:
            return await receive()
        receiving = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({receiving, self._body_breaks}, return_when=asyncio.FIRST_COMPLETED)
            return (self._body_breaks if self._body_breaks.done() else receiving).result()
        finally:
            receiving.cancel()

    async def _discard_body(self, receive: Receive) -> None:
        discarded = 0
        try:
            async with asyncio.timeout(self._settings.client_seconds):
                while discarded <= MAX_DISCARDED_BYTES:
                    message = await receive()
                    discarded += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return

    def _end_request(self) -> None:
        self._is_at_work = False
        if self._discards_data:
            self._transport.close()
        self._read_on()


def _in_origin_form(scope: Scope) -> Scope:
    """Make the target a path, even if the client sent a whole URL (RFC 9112, section 3.2.2).

    The URL's host replaces the Host header, so that the host that the client means is checked. Other targets stay.
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


@dataclass
class Shared:
    """Objects shared by the connections of one process."""

    front: Front
    open: set[Connection] = field(default_factory=set)
