"""The deadline of a connection: how long the server waits for the client."""

import asyncio
from asyncio import Transport
from collections.abc import Iterator
from contextlib import contextmanager


class ClientDeadline:
    """Closes a connection after `seconds` of waiting for its client.

    While the service works, it applies only if the client does not read the response. A connection that waits for a
    body may still be closed to make room.
    """

    def __init__(self, transport: Transport, seconds: float) -> None:
        self.transport = transport
        self.awaits_body = False
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._requests = 0
        self.is_write_paused = False
        self.since = self._loop.time()
        """Time by the event loop's clock."""
        self._timer = self._loop.call_later(seconds, self._check)

    @property
    def waits_for_client(self) -> bool:
        return self._has_deadline or self.awaits_body

    @property
    def _has_deadline(self) -> bool:
        return not self._requests or self.is_write_paused

    @contextmanager
    def request_at_work(self) -> Iterator[None]:
        """Suspend the deadline within the block; restart it before and after."""
        self._requests += 1
        self.restart()
        try:
            yield
        finally:
            self._requests -= 1
            self.awaits_body = False
            self.restart()

    def set_write_paused(self, is_paused: bool) -> None:
        self.is_write_paused = is_paused
        self.restart()

    def restart(self) -> None:
        self.since = self._loop.time()

    def cancel(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        """Check repeatedly with one timer, which costs less than a timer for each request."""
        left = self.since + self._seconds - self._loop.time() if self._has_deadline else self._seconds
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # `close` would wait until the client reads the response
        else:
            self.transport.close()
