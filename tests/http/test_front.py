"""Answers at once: what the connection writes by itself is what the server would have sent, in the same order."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from app.server.answering_at_once import AnswersAtOnce
from fastapi import FastAPI

from app.config import Settings
from app.server import answering_at_once
from app.web.middleware.request_log import RequestLogMiddleware
from tests.support.publishing import GUIDE, publish_next
from tests.support.threaded import served

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
    find = RequestLogMiddleware.at_once

    def watched(self: RequestLogMiddleware, scope: dict[str, object]) -> object:
        answer = find(self, scope)
        found.append(answer is not None)
        return answer

    monkeypatch.setattr(RequestLogMiddleware, "at_once", watched)
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


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """An entry for each request that was read."""
    begun: list[None] = []
    begin = AnswersAtOnce.on_message_begin

    def watched(self: AnswersAtOnce) -> None:
        begun.append(None)
        begin(self)

    monkeypatch.setattr(AnswersAtOnce, "on_message_begin", watched)
    return begun


def one_answer(connection: socket.socket) -> bytes:
    """The next answer, whole."""
    told = b""
    while b"\r\n\r\n" not in told:
        told += connection.recv(1)
    length = re.search(rb"content-length: (\d+)", told)
    left = int(length[1]) if length else 0
    while left:
        part = connection.recv(left)
        told += part
        left -= len(part)
    return told


def ask_one_by_one(address: tuple[str, int], *requests: bytes) -> list[bytes]:
    """The answers on one connection to requests that are each sent when the one before was answered."""
    answers = []
    with closing(socket.create_connection(address, timeout=20)) as connection:
        for each in requests:
            connection.sendall(each)
            answers.append(one_answer(connection))
    return answers


def test_a_request_that_is_known_is_answered_alike_and_not_read_again(
    address: tuple[str, int], read: list[None], at_once: list[bool]
) -> None:
    exchange(address, bye())
    first = ask_one_by_one(address, request(SECTION))
    read.clear()

    again = ask_one_by_one(address, *[request(SECTION)] * 5)

    assert read == []
    assert at_once == [True] * 6
    assert {frozenset(seen(answer)) for answer in again} == {frozenset(seen(first[0]))}
    assert len({re.search(rb"x-request-id: (.+)\r\n", answer)[1] for answer in again}) == 5  # type: ignore[index]


def test_a_known_request_gets_what_is_published_meanwhile(address: tuple[str, int], service: FastAPI) -> None:
    exchange(address, bye(GUIDE))
    with closing(socket.create_connection(address, timeout=20)) as connection:
        told = []
        for number in (1, 2):
            if number > 1:
                publish_next(service, change_note="Another.")
            for _ in range(3):
                connection.sendall(request(GUIDE))
                told.append(re.search(rb'"edition":(\d+)', one_answer(connection))[1])  # type: ignore[index]

    assert told == [b"1"] * 3 + [b"2"] * 3


def test_bytes_that_are_part_of_another_request_are_not_taken_for_one(address: tuple[str, int]) -> None:
    exchange(address, bye())
    ask_one_by_one(address, *[request(SECTION)] * 2)
    known = request(SECTION)
    posted = {"Content-Type": "application/json", "Content-Length": str(len(known))}
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(request("/v1/concerns/check", method="POST", **posted))
        time.sleep(0.2)  # so that the body comes by itself
        connection.sendall(known)
        assert one_answer(connection).startswith(b"HTTP/1.1 400 ")
        connection.sendall(b"GET /v1/signposts HTTP/1.1\r\nX-Made-Up: ")
        time.sleep(0.2)
        connection.sendall(known)  # the rest of that field, and the other fields
        answer = one_answer(connection)
    assert b"signposts" in answer
    assert b"factors" not in answer


def test_a_known_request_waits_for_the_answer_before_it(address: tuple[str, int]) -> None:
    exchange(address, bye())
    ask_one_by_one(address, *[request(SECTION)] * 2)
    for _ in range(10):
        with closing(socket.create_connection(address, timeout=20)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request("/v1/search?q=nothing-of-the-kind"))
            connection.sendall(request(SECTION))
            answers = one_answer(connection), one_answer(connection)

        assert [b"indicators" in answer or b"factors" in answer for answer in answers] == [False, True]


@pytest.mark.parametrize(
    "fields", [{"Authorization": "Bearer x"}, {"Connection": "Upgrade", "Upgrade": "h2c"}, {"X-Long": "x" * 3000}]
)
def test_some_requests_are_never_known(address: tuple[str, int], read: list[None], fields: dict[str, str]) -> None:
    exchange(address, bye())
    for _ in range(3):
        ask_one_by_one(address, request(SECTION, **fields))
    read.clear()

    ask_one_by_one(address, request(SECTION, **fields))

    assert len(read) == 1


def test_few_requests_are_known_at_a_time(
    address: tuple[str, int], read: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering_at_once, "MOST_KNOWN", 3)
    exchange(address, bye())
    requests = [request(SECTION, **{"User-Agent": f"made-up/{number}"}) for number in range(5)]
    for each in requests:
        ask_one_by_one(address, each)
    read.clear()

    ask_one_by_one(address, *requests[2:])
    assert len(read) == 0
    ask_one_by_one(address, requests[0])
    assert len(read) == 1


def test_they_are_counted(address: tuple[str, int], at_once: list[bool]) -> None:
    url = f"http://{address[0]}:{address[1]}"
    with httpx.Client(base_url=url, trust_env=False) as client:
        for _ in range(5):
            client.get(SECTION)
        counted = client.get("/metrics").text

    assert at_once.count(True) == 4
    assert 'guidance_requests_total{method="GET",route="/v1/guides/{guide}/{section}",status="200"} 5.0' in counted
