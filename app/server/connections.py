"""Connections: the server's own, with an end to its patience with clients that send or take too slowly.

The server has no limit on the time or size of a request's head, and none on how slowly an answer is taken.
"""

import asyncio
import uuid
from asyncio import BaseTransport, TimerHandle, Transport
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from app.config import Settings
from app.models.problems import Problem
from app.server.answering_at_once import AnswersAtOnce, Known
from app.web.middleware.security_headers import HEADERS
from app.web.problem_types import BAD_REQUEST, SERVICE_UNAVAILABLE, ProblemType
from app.web.problems import PROBLEM_MEDIA_TYPE

LARGEST_HEAD = 65_536  # bytes


class Connection(AnswersAtOnce):
    """One connection of a client.

    A head that is not whole, and an answer that is not taken, within `client_seconds` ends it; so does a head that is
    too large. Where `most` are open, the one that has kept the service waiting longest gives way to the newcomer; only
    where none waits for its client is the newcomer refused.
    """

    def __init__(self, *args: Any, most: int, client_seconds: float, **named: Any) -> None:
        super().__init__(*args, **named)
        self._most = most
        self._client_seconds = client_seconds
        self._patience: TimerHandle | None = None
        self._is_waited_for = False
        self._head_bytes = 0
        self.waiting_since = self.loop.time()

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: to send a request, the rest of one, or to take the answer."""
        told = self.cycle
        return told is None or told.response_complete or told.more_body or self.flow.write_paused

    def connection_made(self, transport: BaseTransport) -> None:
        """Take the connection, if need be in place of another."""
        super().connection_made(cast("Transport", transport))
        if len(self.connections) > self._most and not self._make_room():
            self._answer(SERVICE_UNAVAILABLE)
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head of any size would be kept in memory."""
        if self.answers_again(data):
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self._answer(BAD_REQUEST)

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the service has its own deadlines."""
        self._be_patient()
        self.waiting_since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body is not part of a head."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next byte begins another head."""
        self._head_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next request is awaited, unless it is here already."""
        is_awaited = not self.pipeline
        super().on_response_complete()
        if is_awaited and not self.transport.is_closing():
            self._wait()

    def pause_writing(self) -> None:
        """The client does not take the answer as fast as it comes."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self._be_patient()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every other refusal is answered."""
        del msg
        self._answer(BAD_REQUEST)

    def _wait(self) -> None:
        self._is_waited_for = True
        self.waiting_since = self.loop.time()
        if self._patience is None:
            self._patience = self.loop.call_later(self._client_seconds, self._look)

    def _be_patient(self) -> None:
        self._is_waited_for = False

    def _look(self) -> None:
        """End the connection whose client let too much time pass. One timer serves many requests, one after another."""
        self._patience = None
        if not self._is_waited_for:
            return
        left = self.waiting_since + self._client_seconds - self.loop.time()
        if left > 0:
            self._patience = self.loop.call_later(left, self._look)
        else:
            self.transport.abort()

    def _make_room(self) -> bool:
        """End the connection that has kept the service waiting longest. The newest is this one itself."""
        others = cast("set[Connection]", self.connections) - {self}
        waiting = [other for other in others if other.waits_for_client]
        if not waiting:
            return False
        longest = min(waiting, key=lambda other: other.waiting_since)
        self.connections.discard(longest)  # at once: several newcomers may arrive before it is really gone
        longest.transport.abort()
        return True

    def _answer(self, kind: ProblemType) -> None:
        """Answer where there is no request yet, and end the connection."""
        self.transport.write(bare_answer(kind))
        self.transport.close()


def bare_answer(kind: ProblemType) -> bytes:
    """The problem as it goes over the wire, where nothing is known of the request: not even its path."""
    told = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=f"{kind.meaning} In immediate danger call 999.",
        instance=f"urn:uuid:{uuid.uuid4()}",
    )
    body = told.model_dump_json(exclude_none=True).encode()
    fields = {
        **HEADERS,
        "Content-Type": PROBLEM_MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    head = [f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}", *(f"{n}: {v}" for n, v in fields.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def connection_class(settings: Settings) -> type[asyncio.Protocol]:
    """What the server is to make each connection with."""
    known: Known = {}
    made = partial(Connection, most=settings.connections, client_seconds=settings.client_seconds, known=known)
    return cast("type[asyncio.Protocol]", made)
