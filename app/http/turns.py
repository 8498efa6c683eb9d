"""Turns and delayed responses for callers above their limit, in place of refusals.

A flood gets few of the places for requests in progress, whatever it sends. Callers are not refused for what others sent
from the same address. A delayed response is stored first: a client that disconnects loses nothing.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OVER, LANE, LATE, HELD_SECONDS = "over_limit", "lane", "answers_late", "held_seconds"
"""The keys of a request's state.

They are the count that is over its limit, the policy whose turns it takes, True if its route delays the response, and
the seconds of the delay.
"""
PLACES = 6
"""The number of requests of one lane in progress. The lanes that use threads have fewer than there are threads."""
PER_SECOND = 60
"""The number of requests of one lane that begin in a second: a flood uses a fifth of a processor, and spares the disk.
"""
LONG_BODY_BYTES = 16_384
"""A concern of 4,096 bytes fits into such a body, in any encoding as a form or as JSON."""
MAX_WAITING_BYTES = 16_000_000
"""Limit of the larger bodies that wait at the same time."""
LATE_SECONDS = 2.0
"""Long enough to slow a script that waits each time; a person who presses 'Send' once does not notice."""


class HeldAnswer:
    """A wrapper of `send` that keeps the response back if its route delays it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.messages: list[Message] = []
        self.state = scope["state"]
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Send the message, or keep it."""
        return self._keep(message) if self.state.get(LATE) else self._send(message)

    async def send_kept(self) -> None:
        """Send the kept messages."""
        for message in self.messages:
            await self._send(message)

    async def _keep(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class _Lane:
    """The callers above the limit of one policy: those in progress, how many wait, and when the next one may begin."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PLACES))
    waiting: int = 0
    free_at: float = 0.0

    async def wait(self) -> None:
        """Wait for the turn of one more request."""
        now = time.monotonic()
        begin = max(now, self.free_at)
        self.free_at = begin + 1 / PER_SECOND
        await asyncio.sleep(begin - now)
        await self.places.acquire()


@dataclass
class Turns:
    """The turns of requests above their limit, and the delayed responses.

    Both are bounded by shares of the connections, so that most of these are left to other callers. A response without
    room is sent immediately; a request without room is refused.
    """

    connections: int
    _lanes: dict[str, _Lane] = field(default_factory=lambda: defaultdict(_Lane))
    _waiting_bytes: int = 0
    _held: int = 0

    def has_room(self, scope: Scope, size: int) -> bool:
        """Return True if the request, with a body of `size` bytes, can wait for its turn."""
        name, share = scope["state"][LANE]
        is_heavy = size > LONG_BODY_BYTES and self._waiting_bytes + size > MAX_WAITING_BYTES
        return not is_heavy and self._lanes[name].waiting < max(1, self.connections // share)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, size: int) -> None:
        """Serve the request in its turn."""
        lane, size = self._lanes[scope["state"][LANE][0]], size if size > LONG_BODY_BYTES else 0
        lane.waiting += 1
        self._waiting_bytes += size
        try:
            await lane.wait()
        finally:
            lane.waiting -= 1
            self._waiting_bytes -= size
        try:
            await app(scope, receive, send)
        finally:
            lane.places.release()

    async def answer_late(self, answer: HeldAnswer) -> None:
        """Send the delayed response, after `LATE_SECONDS` if there is room, otherwise immediately."""
        if self._held < self.connections // 8:
            self._held += 1
            try:
                await asyncio.sleep(LATE_SECONDS)
            finally:
                self._held -= 1
            answer.state[HELD_SECONDS] = LATE_SECONDS
        await answer.send_kept()
