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
"""The keys of a request's state for turns and delays.

`OVER` has the count that is over its limit. `LANE` has the name of the request's policy, and a divisor. The number of
connections divided by the divisor, but at least 1, is the maximum number of waiting requests. `LATE` is True if the
route delays the response. `HELD_SECONDS` has the length of the delay in seconds.
"""
PLACES = 6
"""The maximum number of requests in progress from one lane.

This is less than the number of threads, so that one lane cannot occupy all threads.
"""
PER_SECOND = 60
"""The maximum number of requests of one lane that begin in a second.

With this limit, a flood uses a fifth of a processor, and little of the disk.
"""
LONG_BODY_BYTES = 16_384
"""The size in bytes above which a body counts as long.

A concern of 4,096 bytes fits into such a body, in any encoding as a form or as JSON.
"""
MAX_WAITING_BYTES = 16_000_000
"""The limit for the total size, in bytes, of all long bodies that wait for their turn."""
LATE_SECONDS = 2.0
"""The delay of a response, in seconds.

The delay is long enough to slow a script that waits for each response. A person who presses 'Send' once does not
notice.
"""


class DelayedResponse:
    """A wrapper of `send` that keeps the messages of a response if the route has set `LATE` in the request's state."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.messages: list[Message] = []
        self.state = scope["state"]
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Keep `message` if the response is delayed; otherwise send it."""
        return self._keep(message) if self.state.get(LATE) else self._send(message)

    async def send_kept(self) -> None:
        """Send the kept messages, in order."""
        for message in self.messages:
            await self._send(message)

    async def _keep(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class _Lane:
    """The queue for the requests over the limit of one policy.

    `places` limits the number of requests in progress. `waiting` is the number of waiting requests. `free_at` is the
    earliest time at which the next request may begin, by `time.monotonic`.
    """

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PLACES))
    waiting: int = 0
    free_at: float = 0.0

    async def wait(self) -> None:
        """Wait until one more request may begin, and take a place. The caller must release the place afterwards."""
        now = time.monotonic()
        begin = max(now, self.free_at)
        self.free_at = begin + 1 / PER_SECOND
        await asyncio.sleep(begin - now)
        await self.places.acquire()


@dataclass
class Turns:
    """The lanes of requests over their limits, and the delayed responses.

    Waiting requests and delayed responses use only a share of `connections`, so that most connections are left to other
    callers. The caller of `serve` must first call `has_room`, and refuse the request if there is no room. If there is
    no room to delay a response, `answer_late` sends the response immediately.
    """

    connections: int
    _lanes: dict[str, _Lane] = field(default_factory=lambda: defaultdict(_Lane))
    _waiting_bytes: int = 0
    _held: int = 0

    def has_room(self, scope: Scope, size: int) -> bool:
        """Return True if there is room for a request with a body of `size` bytes to wait for its turn."""
        name, share = scope["state"][LANE]
        is_heavy = size > LONG_BODY_BYTES and self._waiting_bytes + size > MAX_WAITING_BYTES
        return not is_heavy and self._lanes[name].waiting < max(1, self.connections // share)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, size: int) -> None:
        """Wait for the turn of the request, then pass the request to `app`.

        `size` is the length of the request's body in bytes.
        """
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
        """Send the response kept in `answer` after `LATE_SECONDS`, or immediately if too many responses are delayed.

        Store a delay in the request's state, so that the logged duration does not include the delay.
        """
        if self._held < self.connections // 8:
            self._held += 1
            try:
                await asyncio.sleep(LATE_SECONDS)
            finally:
                self._held -= 1
            answer.state[HELD_SECONDS] = LATE_SECONDS
        await answer.send_kept()
