"""The deadline of a connection: how long the server waits for the client."""

import asyncio
from asyncio import Transport
from collections.abc import Iterator
from contextlib import contextmanager


class ClientDeadline:
    """A timer that closes a connection after `seconds` of waiting for its client.

    While the service works on a request, the deadline applies only if the client does not read the response. The
    service then applies its own deadlines, also to the body of the request. A connection that waits for a body may
    still be closed to make room for another client.
    """

    def __init__(self, transport: Transport, seconds: float) -> None:
        self.transport = transport
        self.awaits_body = False
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._requests = 0
        self.is_write_paused = False
        self.since = self._loop.time()
        """The time of the event loop's clock at the last restart of the deadline."""
        self._timer = self._loop.call_later(seconds, self._check)

    @property
    def waits_for_client(self) -> bool:
        """True if the server waits for the client to send a request or a body, or to read the response."""
        return self._has_deadline or self.awaits_body

    @property
    def _has_deadline(self) -> bool:
        return not self._requests or self.is_write_paused

    @contextmanager
    def request_at_work(self) -> Iterator[None]:
        """Suspend the deadline within the `with` block, while the service works on a request.

        Restart the deadline before and after the block.
        """
        self._requests += 1
        self.restart()
        try:
            yield
        finally:
            self._requests -= 1
            self.awaits_body = False
            self.restart()

    def set_write_paused(self, is_paused: bool) -> None:
        """Restart the deadline. If `is_paused` is True, the deadline applies also during a request.

        Writing is paused if the client does not read the response.
        """
        self.is_write_paused = is_paused
        self.restart()

    def restart(self) -> None:
        """Restart the deadline: the client has `seconds` again, from now on."""
        self.since = self._loop.time()

    def cancel(self) -> None:
        """Cancel the timer of a closed connection."""
        self._timer.cancel()

    def _check(self) -> None:
        """Close the connection if the deadline has passed, otherwise check again later.

        One timer that checks repeatedly costs less than a timer for each request.
        """
        left = self.since + self._seconds - self._loop.time() if self._has_deadline else self._seconds
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # `close` would wait until the client reads the response
        else:
            self.transport.close()
