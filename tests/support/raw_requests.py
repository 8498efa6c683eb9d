"""Requests as bytes whose answers name the request: so that an answer to another request is noticed."""

import json
import random
import re
import socket
from dataclasses import dataclass, replace
from typing import Any

from app.models.concerns.examples import SMALLEST_EXAMPLE
from tests.support.wire import body_of, chunked, statuses

BODY = json.dumps(SMALLEST_EXAMPLE).encode()
PATHS = ("/v1/guides/child-sexual-exploitation/factors", "/v1/guides/child-sexual-exploitation/indicators")
OFFERS = [
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    ("Expect: 100-continue",),
    ("Accept-Encoding: identity", 'If-None-Match: "none"'),
    (),
]
TRAILERS = ["Idempotency-Key: of-nobody", "Authorization: Bearer of-nobody", "Host: elsewhere.example", "X: y"]
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
INTERIM = b"HTTP/1.1 1"


@dataclass(frozen=True)
class RawRequest:
    """A request, and the words that its answer alone has."""

    method: str
    path: str
    marker: str
    lines: tuple[str, ...] = ()
    body: bytes = b""
    is_chunked: bool = False
    trailers: tuple[str, ...] = ()

    @property
    def head_lines(self) -> list[str]:
        """The lines of the head, the request line first."""
        framing = ["Transfer-Encoding: chunked"] if self.is_chunked else [f"Content-Length: {len(self.body)}"]
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost", *self.lines]
        return lines + framing if self.body else lines

    def data(self, head_lines: list[str] | None = None) -> bytes:
        """The bytes, with the head as it is or with other lines."""
        head = "\r\n".join([*(head_lines or self.head_lines), "", ""]).encode("latin-1")
        return head + (chunked(self.body, *self.trailers) if self.is_chunked else self.body)


class Catalogue:
    """Requests that a service can answer, each with a marker of its own, and every marker."""

    def __init__(self, client: Any, concerns: int) -> None:
        self.requests: list[RawRequest] = []
        for path in PATHS:
            items = client.get(path).json()[path.rpartition("/")[2]]
            self.requests += [RawRequest("GET", f"{path}/{each['id']}", f'"id":"{each["id"]}"') for each in items]
        for number in range(concerns):
            key = f"Idempotency-Key: raw-{number}"
            receipt = client.post("/v1/concerns", json=SMALLEST_EXAMPLE, headers=dict([key.split(": ")])).json()
            reference, token = receipt["reference"], f"Authorization: Bearer {receipt['status_token']}"
            typed = ("Content-Type: application/json", key)
            self.requests.append(RawRequest("POST", "/v1/concerns", f'"reference":"{reference}"', typed, BODY))
            self.requests.append(RawRequest("GET", receipt["links"]["self"], f'"reference":"{reference}"', (token,)))
            self.requests.append(RawRequest("GET", f"/concerns/{reference}", f'value="{reference}"'))
        self.markers = sorted({each.marker for each in self.requests})

    def draw(self, draw: random.Random) -> RawRequest:
        """Draw a request, in one of the ways in which it may be written."""
        drawn = draw.choice(self.requests)
        lines = drawn.lines + draw.choice(OFFERS)
        if not drawn.body:
            return replace(drawn, lines=lines)
        trailers = tuple(draw.sample(TRAILERS, draw.randint(0, len(TRAILERS))))
        return replace(drawn, lines=lines, is_chunked=draw.random() < 0.5, trailers=trailers)

    def check(self, request: RawRequest, answer: bytes, *, must_succeed: bool) -> None:
        """Check that the answer is no error of the server, and is to that request."""
        [status] = statuses([answer])
        assert status < 500, answer
        text = answer.decode()
        foreign = [each for each in self.markers if each != request.marker and each in text]
        assert foreign == [], (request, answer)
        if status < 300:
            assert request.marker in text, (request, answer)
        elif text.partition("\r\n\r\n")[2].startswith("{"):
            assert body_of(answer)["status"] == status
        assert status < 300 or not must_succeed, (request, answer)


class AnswerStream:
    """The answers that come on a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def next(self) -> bytes | None:
        """Return the next whole answer, without those in between (`100 Continue`); None where the server has closed."""
        while (end := self._received.find(b"\r\n\r\n")) < 0 or self._received.startswith(INTERIM):
            if end >= 0:
                self._received = self._received[end + 4 :]
            elif not self._receive():
                return None
        length = LENGTH.search(self._received, 0, end + 2)
        size = end + 4 + (int(length[1]) if length else 0)
        while len(self._received) < size:
            assert self._receive(), self._received
        answer, self._received = self._received[:size], self._received[size:]
        return answer

    def _receive(self) -> bool:
        try:
            part = self._connection.recv(1_000_000)
        except ConnectionResetError:
            return False
        self._received += part
        return bool(part)
