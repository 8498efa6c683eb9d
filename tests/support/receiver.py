"""A receiver of webhooks for tests: it records every notice and sends the reply that the test gives."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Notice:
    """One request that the receiver saw."""

    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The id that is the same on every attempt."""
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Reply:
    """A response of the receiver."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    """A server on a free port of this machine."""

    def __init__(self, reply: Callable[[int], Reply] = lambda _: Reply()) -> None:
        self.notices: list[Notice] = []
        self.reply = reply
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sender was killed while it sent: no notice arrived
                    return
                with receiver._lock:
                    receiver.notices.append(Notice({k.lower(): v for k, v in self.headers.items()}, body))
                    reply = receiver.reply(len(receiver.notices))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
