"""Turns and delayed responses, which slow down requests over a rate limit instead of refusing them.

A lane is a queue for each policy, from which few requests begin in a second. So a flood leaves room for others, and a
caller is not refused for what others at the same address sent. What a delayed response tells is stored before the
delay: a client that disconnects loses nothing.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from app.errors import ServiceUnavailable
from app.http.exchange import LATE, Exchange
from app.http.problem_handlers import problem_response

OVER, LANE = "over_limit", "lane"
"""Keys of a request's state: the count over its limit; its policy, and the divisor of `CountedKind`."""
ALWAYS_ANSWERED = ("/health/", "/metrics")
PLACES = 6
"""Fewer than the threads, so that no lane occupies all."""
PER_SECOND = 60
"""A flood then uses a fifth of a processor, and little of the disk."""
LONG_BODY_BYTES = 16_384
"""A concern of 4,096 bytes fits into less, in any encoding."""
MAX_WAITING_BYTES = 16_000_000
LATE_SECONDS = 2.0
"""Slows a script that waits for each response; a person who presses 'Send' once does not notice."""


@dataclass
class _Lane:
    """`places` limits what is in progress; `free_at` is when the next may begin."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PLACES))
    waiting: int = 0
    free_at: float = 0.0

    async def wait(self) -> None:
        """Wait for a place, which the caller must release."""
        now = time.monotonic()
        begin = max(now, self.free_at)
        self.free_at = begin + 1 / PER_SECOND
        await asyncio.sleep(begin - now)
        await self.places.acquire()


@dataclass
class Turns:
    """Gives turns. Waiting requests in a lane and delayed responses take at most a share of `connections`."""

    connections: int
    most_at_work: int
    _at_work: int = 0
    _lanes: dict[str, _Lane] = field(default_factory=lambda: defaultdict(_Lane))
    _waiting_bytes: int = 0
    _held: int = 0

    async def take_turn(self, exchange: Exchange) -> ASGIApp | None:
        """Refuse with 503 if there is no room. Health checks and metrics need no place."""
        state = exchange.scope["state"]
        if exchange.scope["path"].startswith(ALWAYS_ANSWERED):
            return None
        if OVER in state:
            return await self._wait(exchange, *state[LANE])
        if self._at_work >= self.most_at_work:
            return problem_response(exchange.request, ServiceUnavailable)
        self._at_work += 1
        exchange.ends.push_async_callback(self._leave, exchange, None)
        return None

    async def _wait(self, exchange: Exchange, name: str, share: int) -> ASGIApp | None:
        lane, size = self._lanes[name], len(exchange.body or b"")
        size = size if size > LONG_BODY_BYTES else 0
        is_heavy = size > 0 and self._waiting_bytes + size > MAX_WAITING_BYTES
        if is_heavy or lane.waiting >= max(1, self.connections // share):
            return problem_response(exchange.request, ServiceUnavailable)
        lane.waiting += 1
        self._waiting_bytes += size
        try:
            await lane.wait()
        finally:
            lane.waiting -= 1
            self._waiting_bytes -= size
        exchange.ends.push_async_callback(self._leave, exchange, lane)
        return None

    async def _leave(self, exchange: Exchange, lane: _Lane | None) -> None:
        if lane is None:
            self._at_work -= 1
        else:
            lane.places.release()
        if exchange.scope["state"].get(LATE) and exchange.is_whole and self._held < self.connections // 8:
            self._held += 1
            try:
                await asyncio.sleep(LATE_SECONDS)
            finally:
                self._held -= 1
            exchange.delayed = LATE_SECONDS
