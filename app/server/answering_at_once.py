"""Answering at once: what stands finished in memory is written by the connection itself, with no task and no message.

The service that a connection serves may have a function `at_once`, which finds such answers.
"""

from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.web.middleware.request_log import AtOnce

MOST_KNOWN = 256
LONGEST_KNOWN = 2_000  # bytes
OF_THE_REQUEST = ("type", "method", "path", "query_string", "headers")

Known = dict[bytes, Scope]
"""Requests as they came over the wire, with what they were read as; nothing of who sent them."""


class AnswersAtOnce(HttpToolsProtocol):
    """A connection that writes finished answers itself, where nothing else of it waits and its client takes them.

    Whoever asks again and again sends the same bytes each time: a request that was answered so before is not read
    again. Whatever else comes takes the server's own way, to the same answer.
    """

    def __init__(self, *args: Any, known: Known, **named: Any) -> None:
        super().__init__(*args, **named)
        self._find: Callable[[Scope], AtOnce | None] = getattr(self.app, "at_once", lambda _scope: None)
        self._known = known
        self._is_amid = False
        self._begun: list[Scope | None] = []

    def answers_again(self, data: bytes) -> bool:
        """Whether these bytes are a request that is known, and it was answered by this."""
        scope = self._known.get(data)
        if scope is None or self.transport.is_closing() or not self._stands_between_requests:
            return False
        return self._write(scope, self.on_response_complete)

    def data_received(self, data: bytes) -> None:
        """Read on; know a request again that came whole and alone, and was answered at once."""
        stood_between = self._stands_between_requests
        self._begun = []
        super().data_received(data)
        if len(self._begun) != 1 or len(data) > LONGEST_KNOWN or not stood_between or self._is_amid:
            return
        [scope] = self._begun
        if scope is not None and not self.parser.should_upgrade():
            if len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[data] = {name: scope[name] for name in OF_THE_REQUEST}

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        self._is_amid = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last one has."""
        self._is_amid = False
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin the work that a request asks for, where it asks for any."""

        def finish() -> None:
            cycle.response_started = cycle.response_complete = True
            cycle.on_response()

        scope: Any = cycle.scope
        is_at_once = cycle.keep_alive and not self.pipeline and app is self.app and self._write(scope, finish)
        self._begun.append(scope if is_at_once else None)
        if not is_at_once:
            super()._start_asgi_task(cycle, app)

    @property
    def _stands_between_requests(self) -> bool:
        return not self._is_amid and (self.cycle is None or self.cycle.response_complete)

    def _write(self, scope: Scope, finish: Callable[[], None]) -> bool:
        """Write the answer and finish, if there is one and the client takes what it is sent."""
        answer = None if self.flow.write_paused else self._find(scope)
        if answer is None:
            return False
        own = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        self.transport.write(b"".join((STATUS_LINE[answer.status], *own, answer.fields, b"\r\n", answer.body)))
        finish()
        return True
