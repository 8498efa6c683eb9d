"""Receivers of webhooks for tests: one that records every notice and replies as the test says, and hostile ones."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
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

    def __init__(self, reply: Callable[[int], Reply] = lambda _: Reply(), *, port: int = 0) -> None:
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

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


class RawReceiver:
    """A receiver that does what the test says with each connection. It counts the connections."""

    def __init__(self, behave: Callable[[socket.socket, threading.Event], None], *, scheme: str = "http") -> None:
        self.connections = 0
        self._behave = behave
        self._released = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/notices"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the sender gave up
            self._behave(connection, self._released)

    def close(self) -> None:
        """Stop the server, and let every connection that it holds go."""
        self._released.set()
        self._listening.shutdown(socket.SHUT_RDWR)  # by itself, `close` would take one more caller
        self._listening.close()


TRICKLE_SECONDS = 0.02


def stay_silent(_: socket.socket, released: threading.Event) -> None:
    """Answer nothing: over https this is a handshake that does not end."""
    released.wait()


def reset(connection: socket.socket, _: threading.Event) -> None:
    """Reset the connection in the middle of the request."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer_rubbish(connection: socket.socket, _: threading.Event) -> None:
    """Answer what is not HTTP."""
    connection.recv(65536)
    connection.sendall(b"\x00\xff" * 100_000)


def trickle_head(connection: socket.socket, released: threading.Event) -> None:
    """Begin a good answer, and go on with one header after another."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n")
    while not released.wait(TRICKLE_SECONDS):
        connection.sendall(b"X-More: x\r\n")


def trickle_interim_answers(connection: socket.socket, released: threading.Event) -> None:
    """Send one interim answer after another, and never the final one."""
    connection.recv(65536)
    while not released.wait(TRICKLE_SECONDS):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def trickle_body(connection: socket.socket, released: threading.Event) -> None:
    """Accept the notice, and then send a body that does not end."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not released.wait(TRICKLE_SECONDS):
        connection.sendall(b"x")


def flood_body(connection: socket.socket, released: threading.Event) -> None:
    """Accept the notice, and then send as much as the sender takes."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not released.is_set():
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
