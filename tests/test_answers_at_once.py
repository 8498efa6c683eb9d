"""Answers at once: what the connection writes by itself is what the server would have sent, in the same order."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from fastapi import FastAPI

from app.config import Settings
from app.routers.requests import AroundRequests
from tests.conftest import GUIDE
from tests.threaded import served

pytestmark = pytest.mark.any_database

SECTION = f"{GUIDE}/factors"
OF_THE_MOMENT = re.compile(rb"(?<=date: )[^\r]+|(?<=x-request-id: )[^\r]+")
MANY = 600
LARGE, SEVERAL = "/docs/swagger-ui-bundle.js", 30  # 45 MB: more than the operating system keeps for a client


@pytest.fixture
def address(service: FastAPI, settings: Settings) -> Iterator[tuple[str, int]]:
    with served(service, settings) as url:
        told = httpx.URL(url)
        yield told.host, told.port or 0


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each request that could be answered at once, whether it was."""
    found: list[bool] = []
    find = AroundRequests.at_once

    def watched(self: AroundRequests, scope: dict[str, object]) -> object:
        answer = find(self, scope)
        found.append(answer is not None)
        return answer

    monkeypatch.setattr(AroundRequests, "at_once", watched)
    return found


def request(path: str, method: str = "GET", version: str = "1.1", **fields: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/{version}",
        "Host: localhost",
        *(f"{name}: {told}" for name, told in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def exchange(address: tuple[str, int], *requests: bytes) -> list[bytes]:
    """Each answer whole, to requests that are sent in one piece; the last of them ends the connection."""
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(b"".join(requests))
        told = b""
        while part := connection.recv(1_000_000):
            told += part
    answers = []
    while told:
        head, end, rest = told.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        size = int(length[1]) if length and not head.startswith(b"HTTP/1.1 304") else 0
        answers.append(head + end + rest[:size])
        told = rest[size:]
    return answers


def bye(path: str = SECTION, **fields: str) -> bytes:
    """A request after which the server closes, and which therefore takes the longer way."""
    return request(path, **fields, Connection="close")


def seen(answer: bytes) -> set[bytes]:
    """The lines of the answer, its last with the body, without what is of the moment."""
    return set(OF_THE_MOMENT.sub(b"", answer).replace(b"connection: close\r\n", b"").split(b"\r\n"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Accept-Encoding": "gzip"},
        {"If-None-Match": "*"},
        {"If-None-Match": '"another"'},
        {"Accept-Encoding": "gzip", "If-None-Match": "*"},
        {"Origin": "https://site.example"},
    ],
)
def test_they_are_the_answers_that_the_server_sends(
    address: tuple[str, int], at_once: list[bool], fields: dict[str, str]
) -> None:
    [made] = exchange(address, bye(**fields))
    first, second, last = exchange(address, request(SECTION, **fields), request(SECTION, **fields), bye(**fields))

    assert at_once == [True, True]
    assert seen(first) == seen(second) == seen(last) == seen(made)
    assert len({re.search(rb"x-request-id: ([0-9a-f-]{36})\r\n", each)[1] for each in (first, second, last)}) == 3  # type: ignore[index]


@pytest.mark.parametrize(
    "asked",
    [
        request(SECTION, method="HEAD"),
        request(SECTION, Authorization="Bearer x"),
        request(SECTION, **{"Content-Length": "0"}),
        request(f"{SECTION}?as_of=2026-11-24"),
        request("/v1/concerns/form", method="OPTIONS"),
        request("/health/live"),
    ],
)
def test_every_other_request_takes_the_longer_way(address: tuple[str, int], at_once: list[bool], asked: bytes) -> None:
    exchange(address, bye())
    again = [exchange(address, asked, bye())[0] for _ in range(2)]

    assert not any(at_once)
    assert seen(again[0]) - {b""} == seen(again[1]) - {b""} or b"instance" in again[0]


def test_an_older_client_that_closes_is_answered_and_closed_upon(address: tuple[str, int]) -> None:
    exchange(address, bye())

    [answer] = exchange(address, request(SECTION, version="1.0"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


def test_answers_come_in_the_order_of_the_requests_whichever_way_they_take(address: tuple[str, int]) -> None:
    exchange(address, bye())
    unknown = [f"/no-such-path-{number}" for number in range(3)]
    paths = [SECTION, unknown[0], SECTION, SECTION, unknown[1], unknown[2], SECTION]

    answers = exchange(address, *(request(path) for path in paths), bye())

    assert [int(answer[9:12]) for answer in answers] == [404 if path in unknown else 200 for path in [*paths, SECTION]]


def test_thousands_of_requests_in_one_piece_are_each_answered(address: tuple[str, int], at_once: list[bool]) -> None:
    exchange(address, bye())

    answers = exchange(address, *[request(SECTION)] * MANY, request("/no-such-path"), *[request(SECTION)] * MANY, bye())

    assert [int(answer[9:12]) for answer in answers] == [*[200] * MANY, 404, *[200] * MANY, 200]
    assert any(at_once)


def test_who_does_not_read_is_not_written_to_without_end(address: tuple[str, int], at_once: list[bool]) -> None:
    exchange(address, bye(LARGE))
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(request(LARGE) * SEVERAL + bye(LARGE))
        exchange(address, bye())  # others are answered while the first one stands still
        standing_still = len(at_once)
        told = b""
        while part := connection.recv(1_000_000):
            told += part

    assert told.count(b"HTTP/1.1 200 ") == SEVERAL + 1
    assert 0 < standing_still < SEVERAL


def test_they_are_counted(address: tuple[str, int], at_once: list[bool]) -> None:
    url = f"http://{address[0]}:{address[1]}"
    with httpx.Client(base_url=url, trust_env=False) as client:
        for _ in range(5):
            client.get(SECTION)
        counted = client.get("/metrics").text

    assert at_once.count(True) == 4
    assert 'guidance_requests_total{method="GET",route="/v1/guides/{guide}/{section}",status="200"} 5.0' in counted
