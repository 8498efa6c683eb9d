"""Turns and delayed responses, which slow down requests over a rate limit instead of refusing them.

Requests over a limit take turns: they wait in a queue for each policy, from which few begin in a second and few are in
progress at the same time. So a flood leaves room for other requests, and a caller is not refused because other people
at the same address sent many requests. A lane is such a queue. Some routes also delay their response. The content is
stored before the delay, so a client that disconnects loses nothing.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OVER, LANE, LATE, HELD_SECONDS = "over_limit", "lane", "answers_late", "held_seconds"
"""Keys of a request's state: the count over its limit; its policy and a divisor; a delayed response; its delay.

The number of connections divided by the divisor, but at least 1, may wait.
"""
PLACES = 6
"""Requests in progress of one lane: fewer than the threads, so that no lane occupies all."""
PER_SECOND = 60
"""Requests of one lane begun a second: a flood then uses a fifth of a processor, and little of the disk."""
LONG_BODY_BYTES = 16_384
"""A concern of 4,096 bytes fits into less, in any encoding."""
MAX_WAITING_BYTES = 16_000_000
"""Of all long bodies that wait for their turn."""
LATE_SECONDS = 2.0
"""Slows a script that waits for each response; a person who presses 'Send' once does not notice."""


class DelayedResponse:
    """Keeps the messages of a response if the route has set `LATE`."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.messages: list[Message] = []
        self.state = scope["state"]
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        return self._keep(message) if self.state.get(LATE) else self._send(message)

    async def send_kept(self) -> None:
        for message in self.messages:
            await self._send(message)

    async def _keep(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class _Lane:
    """The queue of one policy. `places` limits what is in progress; `free_at` is when the next may begin."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PLACES))
    waiting: int = 0
    free_at: float = 0.0

    async def wait(self) -> None:
        """The caller must release the place afterwards."""
        now = time.monotonic()
        begin = max(now, self.free_at)
        self.free_at = begin + 1 / PER_SECOND
        await asyncio.sleep(begin - now)
        await self.places.acquire()


@dataclass
class Turns:
    """The lanes of requests over their limits, and the delayed responses, within a share of `connections`.

    Call `has_room` before `serve`. Without room for a delay, `answer_late` sends at once.
    """

    connections: int
    _lanes: dict[str, _Lane] = field(default_factory=lambda: defaultdict(_Lane))
    _waiting_bytes: int = 0
    _held: int = 0

    def has_room(self, scope: Scope, size: int) -> bool:
        name, share = scope["state"][LANE]
        is_heavy = size > LONG_BODY_BYTES and self._waiting_bytes + size > MAX_WAITING_BYTES
        return not is_heavy and self._lanes[name].waiting < max(1, self.connections // share)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, size: int) -> None:
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

    async def answer_late(self, answer: DelayedResponse) -> None:
        """The logged duration does not include the delay."""
        if self._held < self.connections // 8:
            self._held += 1
            try:
                await asyncio.sleep(LATE_SECONDS)
            finally:
                self._held -= 1
            answer.state[HELD_SECONDS] = LATE_SECONDS
        await answer.send_kept()
