"""A connection of uvicorn's own h11 protocol, with a deadline for its client and refusals as problems.

All private names of uvicorn that this service uses (`pyproject.toml` pins its minor version because of them):

- `H11Protocol(config, server_state, app_state)`, the class and its three arguments;
- `H11Protocol.app`, the service, which it calls for each request;
- `H11Protocol.conn`, its parser, and `handle_events`, which reads on;
- `H11Protocol.flow`, with `pause_reading`;
- `H11Protocol.cycle`, the request that it works on, with `response_complete` and `message_event`;
- `H11Protocol.send_400_response`, which it calls for data that is not HTTP, and for a head that is too large;
- `H11Protocol.shutdown`, which the server calls at its stop;
- `ServerState.connections`;
- `ServerState.default_headers`, such as the date.
"""

import asyncio
from asyncio import BaseTransport, Transport
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.errors import BadRequest, Problem
from app.server.client_deadline import ClientDeadline
from app.server.refusals import REFUSALS, Refusals
from app.server.request_head import RequestReader, has_body, in_origin_form

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
        self.conn: RequestReader = RequestReader(config.h11_max_incomplete_event_size or 0)
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
