"""Requests and answers as bytes over real sockets, to a service in a thread of the tests."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.config import Settings
from app.server.connection import Connection
from tests.support.publishing import GUIDE
from tests.support.threaded import run_server
from tests.support.waiting import LONG_ENOUGH

SECTION = f"{GUIDE}/factors"
OF_THE_MOMENT = re.compile(rb"(?<=date: )[^\r]+|(?<=x-request-id: )[^\r]+")

Address = tuple[str, int]


def address_of(url: str) -> Address:
    """The host and port of a URL."""
    parsed = httpx.URL(url)
    return parsed.host, parsed.port or 0


@pytest.fixture
def address(service: FastAPI, settings: Settings) -> Iterator[Address]:
    with run_server(service, settings) as url:
        yield address_of(url)


@dataclass
class Chunk:
    """Some bytes that reached a connection: they are answered from the cache, or left to the server behind it."""

    is_answered: bool = False
    is_done: bool = False


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[Chunk]:
    """Each chunk that reached a connection. It is here before anybody can have an answer to it."""
    seen: list[Chunk] = []
    current: dict[Connection, Chunk] = {}
    receive, send_answer = Connection.data_received, Connection._send_answer

    def watched(self: Connection, data: bytes) -> None:
        chunk = current[self] = Chunk()
        seen.append(chunk)
        receive(self, data)
        del current[self]
        chunk.is_done = True

    def watched_answer(self: Connection, answer: bytes | None) -> bool:
        current[self].is_answered |= answer is not None
        return send_answer(self, answer)

    monkeypatch.setattr(Connection, "data_received", watched)
    monkeypatch.setattr(Connection, "_send_answer", watched_answer)
    return seen


@contextmanager
def connected(address: Address) -> Iterator[socket.socket]:
    with closing(socket.create_connection(address, timeout=LONG_ENOUGH)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def request(path: str, method: str = "GET", version: str = "1.1", **fields: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/{version}",
        "Host: localhost",
        *(f"{name}: {field}" for name, field in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def everything_from(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = bytearray()
    while part := connection.recv(1_000_000):
        received += part
    return bytes(received)


def is_closed(connection: socket.socket) -> bool:
    """Send one more byte, and return whether the server has closed the connection."""
    try:
        connection.send(b" ")
    except OSError:
        return True
    return False


def answers_in(received: bytes) -> list[bytes]:
    """Each answer whole."""
    answers = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length and not head.startswith(b"HTTP/1.1 304") else 0
        answers.append(head + end + rest[:size])
        received = rest[size:]
    return answers


def exchange(address: Address, *requests: bytes) -> list[bytes]:
    """Each answer whole, to requests that are sent in one piece; the last of them ends the connection."""
    with connected(address) as connection:
        connection.sendall(b"".join(requests))
        return answers_in(everything_from(connection))


def one_answer(connection: socket.socket) -> bytes:
    """The next answer, whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(1)
        assert part, received
        received += part
    length = re.search(rb"content-length: (\d+)", received, re.IGNORECASE)
    left = int(length[1]) if length and not received.startswith(b"HTTP/1.1 304") else 0
    while left:
        part = connection.recv(left)
        received += part
        left -= len(part)
    return received


def one_by_one(address: Address, *requests: bytes) -> list[bytes]:
    """The answers on one connection to requests that are each sent when the one before was answered."""
    answers = []
    with connected(address) as connection:
        for each in requests:
            connection.sendall(each)
            answers.append(one_answer(connection))
    return answers


def chunked(body: bytes, *trailers: str) -> bytes:
    """The body as one chunk, if there is any, and the fields after it."""
    fields = "".join(f"{trailer}\r\n" for trailer in trailers).encode()
    return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n%b\r\n" % fields


def fields_of(answer: bytes) -> dict[str, str]:
    """The header fields, by their names in lower case."""
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    pairs = (line.partition(":") for line in head.split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}


def body_of(answer: bytes) -> dict[str, Any]:
    """The JSON of the answer."""
    body: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return body


def statuses(answers: list[bytes]) -> list[int]:
    return [int(answer[9:12]) for answer in answers]


def bye(path: str = SECTION, **fields: str) -> bytes:
    """A request after which the server closes, and which the front therefore leaves to it."""
    return request(path, **fields, Connection="close")


def seen(answer: bytes) -> set[bytes]:
    """The lines of the answer, its last with the body, without what is of the moment."""
    return set(OF_THE_MOMENT.sub(b"", answer).replace(b"Connection: close\r\n", b"").split(b"\r\n"))
