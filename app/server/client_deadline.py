"""The end of the patience with one client: it may not take too long to send a request, or to take its answer."""

import asyncio
from asyncio import Transport
from collections.abc import Iterator
from contextlib import contextmanager


class ClientDeadline:
    """Ends a connection that has waited `seconds` for its client.

    While a request is worked on, the service has its own deadlines: for the body of a request too, though a connection
    that waits for a body may give way to another client.
    """

    def __init__(self, transport: Transport, seconds: float) -> None:
        self.transport = transport
        self.awaits_body = False
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._requests = 0
        self.is_write_paused = False
        self.since = self._loop.time()
        """When the present state began, in seconds of the event loop's clock."""
        self._timer = self._loop.call_later(seconds, self._check)

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: to send a request, the rest of one, or to take the answer."""
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
        """Start the clock when the client does not take its answer, and stop it when it has taken most of it."""
        self.is_write_paused = is_paused
        self.restart()

    def restart(self) -> None:
        """Begin to wait anew."""
        self.since = self._loop.time()

    def cancel(self) -> None:
        """Forget the connection, which is closed."""
        self._timer.cancel()

    def _check(self) -> None:
        """End the connection, or check again when it may be due: a timer for each request would cost more."""
        left = self.since + self._seconds - self._loop.time() if self._has_deadline else self._seconds
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # it would wait for the client to take its answer
        else:
            self.transport.close()
