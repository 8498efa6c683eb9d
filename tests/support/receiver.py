"""A receiver of webhooks that a test holds in its hands: it remembers what came, and answers as it is told."""

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
    """What the receiver answers."""

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
                if len(body) < length:  # the sender was killed in the middle of its words: no notice arrived
                    return
                with receiver._lock:
                    receiver.notices.append(Notice({k.lower(): v for k, v in self.headers.items()}, body))
                    told = receiver.reply(len(receiver.notices))
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
