"""Requests as bytes whose answers name the request: so that an answer to another request is noticed."""

import json
import random
import re
import socket
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.models.concerns.examples import SMALLEST_EXAMPLE
from tests.support.answers import ANY, Answer, AnswerRecord
from tests.support.publishing import GUIDE
from tests.support.wire import body_of, chunked, fields_of, statuses

BODY = json.dumps(SMALLEST_EXAMPLE).encode()
SECTIONS = ("factors", "indicators")
JSON = "Content-Type: application/json"
MESSAGE_ID = re.compile(r"urn:fuzz:[0-9a-f]{32}")
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
MESSAGES = 0.2
"""The share of messages to the assistants' route."""


@dataclass(frozen=True)
class RawRequest:
    """A request, and the words that its answer alone has."""

    method: str
    path: str
    route: str
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
    """Requests that a service can answer, each with a marker of its own, and every marker.

    Each caller has concerns of its own, and each message to the assistants' route an id of its own.
    """

    def __init__(self, client: Any, *, callers: int, concerns: int) -> None:
        self.answers = AnswerRecord()
        reads = [each for section in SECTIONS for each in _reads_of(client, section)]
        self._requests = [reads + _concerns_of(client, caller, concerns) for caller in range(callers)]
        self.markers = sorted({each.marker for requests in self._requests for each in requests})

    def draw(self, draw: random.Random, caller: int) -> RawRequest:
        """Draw a request of the caller, in one of the ways in which it may be written."""
        drawn = _message(draw) if draw.random() < MESSAGES else draw.choice(self._requests[caller])
        lines = drawn.lines + draw.choice(OFFERS)
        if not drawn.body:
            return replace(drawn, lines=lines)
        trailers = tuple(draw.sample(TRAILERS, draw.randint(0, len(TRAILERS))))
        return replace(drawn, lines=lines, is_chunked=draw.random() < 0.5, trailers=trailers)

    def check(self, request: RawRequest, answer: bytes, *, must_succeed: bool) -> None:
        """Check that the answer is no error of the server, and is to that request."""
        status = self._record(answer, request.method, request.route)
        text = answer.decode()
        foreign = [each for each in self.markers if each != request.marker and each in text]
        foreign += [each for each in MESSAGE_ID.findall(text) if each not in request.marker]
        assert foreign == [], (request, answer)
        if status < 300:
            assert request.marker in text, (request, answer)
        elif text.partition("\r\n\r\n")[2].startswith('{"type"'):
            assert body_of(answer)["status"] == status
        assert status < 300 or not must_succeed, (request, answer)

    def check_odd(self, answer: bytes, caller: int) -> None:
        """Check an answer to a request that may be any: it names nothing of another caller."""
        self._record(answer, ANY, ANY)
        own = {each.marker for each in self._requests[caller]}
        text = answer.decode()
        assert [each for each in self.markers if each not in own and each in text] == [], answer

    def _record(self, answer: bytes, method: str, route: str) -> int:
        [status] = statuses([answer])
        assert status < 500, answer
        self.answers.add([Answer(fields_of(answer)["x-request-id"], method, route, status)])
        return status


def _reads_of(client: Any, section: str) -> list[RawRequest]:
    """Reads of each item of a section: of the first edition, which no publication changes."""
    path, route = f"{GUIDE}/editions/1/{section}", f"/v1/guides/{{guide}}/editions/{{number}}/{section}/{{item_id}}"
    items = client.get(path).json()[section]
    return [RawRequest("GET", f"{path}/{each['id']}", route, f'"id":"{each["id"]}"') for each in items]


def _concerns_of(client: Any, caller: int, count: int) -> list[RawRequest]:
    """Raise concerns, and return the retry of each, the read of its status, and its page."""
    requests = []
    for number in range(count):
        key = f"Idempotency-Key: raw-{caller}-{number}"
        receipt = client.post("/v1/concerns", json=SMALLEST_EXAMPLE, headers=dict([key.split(": ")])).json()
        reference, token = receipt["reference"], f"Authorization: Bearer {receipt['status_token']}"
        marker, own = f'"reference":"{reference}"', receipt["links"]["self"]
        requests += [
            RawRequest("POST", "/v1/concerns", "/v1/concerns", marker, (JSON, key), BODY),
            RawRequest("GET", own, "/v1/concerns/{reference}", marker, (token,)),
            RawRequest("GET", f"/concerns/{reference}", "/concerns/{reference}", f'value="{reference}"'),
        ]
    return requests


def _message(draw: random.Random) -> RawRequest:
    """A message to the assistants' route, whose answer has the id that the message has and no other."""
    message_id = f"urn:fuzz:{UUID(int=draw.getrandbits(128)).hex}"
    body = json.dumps({"jsonrpc": "2.0", "id": message_id, "method": "ping"}).encode()
    return RawRequest("POST", "/mcp", "/mcp", f'"id":"{message_id}"', (JSON,), body)


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

    @property
    def rest(self) -> bytes:
        """What has come, and is no whole answer."""
        return self._received

    def _receive(self) -> bool:
        try:
            part = self._connection.recv(1_000_000)
        except ConnectionResetError:
            return False
        self._received += part
        return bool(part)
