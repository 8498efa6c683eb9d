"""HTTP as it comes over the wire: whatever way the bytes come, they are read as the requests that they are."""

import asyncio
import json
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event

import psutil
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.server.connection import Connection
from tests.support.live import LiveServer
from tests.support.publishing import GUIDE
from tests.support.threaded import run_server
from tests.support.wire import (
    SECTION,
    Address,
    address,
    address_of,
    answers_in,
    bye,
    chunks,
    connected,
    everything_from,
    exchange,
    one_answer,
    request,
    seen,
    statuses,
    wait_until,
)

pytestmark = pytest.mark.any_database

__all__ = ["address", "chunks"]  # fixtures

CHECK = "/v1/concerns/check"
BODY = json.dumps(SMALLEST_EXAMPLE).encode()
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1_000_000
OFFERED = 8 * MEGABYTE


def posted(**fields: str) -> bytes:
    return request(CHECK, method="POST", **JSON, **fields)


@pytest.mark.slow
def test_a_head_that_is_cut_at_any_byte_gets_the_same_answer(
    address: Address, chunks: list[tuple[bytes, bool]]
) -> None:
    whole = bye()
    [expected] = exchange(address, whole)
    chunks.clear()
    with ExitStack() as stack:
        cuts = range(1, len(whole))
        connections = [stack.enter_context(connected(address)) for _ in cuts]
        for connection, cut in zip(connections, cuts, strict=True):
            connection.sendall(whole[:cut])
        wait_until(lambda: len(chunks) == len(cuts))  # so that the rest comes by itself
        for connection, cut in zip(connections, cuts, strict=True):
            connection.sendall(whole[cut:])
        answers = [everything_from(connection) for connection in connections]

    assert {frozenset(seen(answer)) for answer in answers} == {frozenset(seen(expected))}


def test_two_requests_in_one_chunk_are_both_answered(address: Address) -> None:
    exchange(address, bye())

    answers = exchange(address, request(SECTION), bye(f"{GUIDE}/indicators"))

    assert [b'"factors"' in answers[0], b'"indicators"' in answers[1]] == [True, True]


def test_the_body_of_a_get_is_not_read_as_the_next_request(address: Address) -> None:
    hidden = request("/no-such-path")
    answers = exchange(address, request(SECTION, **{"Content-Length": str(len(hidden))}) + hidden, bye())

    assert statuses(answers) == [200, 200]


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
@pytest.mark.parametrize("as_one", [True, False])
def test_a_body_after_an_offer_of_another_protocol_is_read_as_a_body(
    address: Address, protocol: str, as_one: bool, chunks: list[tuple[bytes, bool]]
) -> None:
    head = posted(Connection="Upgrade", Upgrade=protocol, **{"Content-Length": str(len(BODY))})
    with connected(address) as connection:
        for part in (head + BODY,) if as_one else (head, BODY):
            before = len(chunks)
            connection.sendall(part)
            wait_until(lambda before=before: len(chunks) > before)  # type: ignore[misc]  # bound at once
        connection.sendall(bye())
        answers = answers_in(everything_from(connection))

    assert statuses(answers) == [200, 200]
    assert b'"factors"' in answers[1]


@pytest.mark.parametrize("trailer", ["Content-Type: application/json", "Authorization: Bearer x"])
def test_fields_after_a_chunked_body_are_not_taken_for_fields_of_the_head(
    address: Address, trailer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes: list[Scope] = []
    serve = Connection._serve

    async def watched(self: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await serve(self, scope, receive, send)

    monkeypatch.setattr(Connection, "_serve", watched)
    head = request(CHECK, method="POST", **{"Transfer-Encoding": "chunked"})
    chunked = b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(BODY), BODY, trailer.encode())

    answers = exchange(address, head + chunked + bye())

    assert statuses(answers) == [415, 200]
    assert [name for name, _ in scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "refused",
    [
        b"GET /v1 HTTP/1.1\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"Dear sir or madam,\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_as_a_problem_and_the_connection_ends(address: Address, refused: bytes) -> None:
    [answer] = exchange(address, refused)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Content-Type: application/problem+json\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "/v1/problems/bad-request"


def test_a_target_that_is_a_whole_address_is_read_as_its_path(address: Address) -> None:
    [by_path, by_address, root] = [
        exchange(address, request(target, Connection="close"))[0]
        for target in ("/v1/search?q=missing", "http://localhost/v1/search?q=missing", "http://localhost")
    ]

    assert seen(by_path) == seen(by_address)
    assert root.startswith(b"HTTP/1.1 200 ")


def test_a_newcomer_is_refused_where_every_connection_is_at_work(
    service: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = Event(), Event()
    serve = Connection._serve

    async def slow(self: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health/live":
            with self.deadline.request_at_work():
                at_work.set()
                await asyncio.to_thread(go_on.wait)
        await serve(self, scope, receive, send)

    monkeypatch.setattr(Connection, "_serve", slow)
    with run_server(service, settings.model_copy(update={"connections": 1})) as url:
        address = address_of(url)
        exchange(address, bye())
        with connected(address) as connection:
            connection.sendall(bye("/health/live"))
            at_work.wait()
            with connected(address) as newcomer:
                [refused] = answers_in(everything_from(newcomer))
            go_on.set()
            [answer] = answers_in(everything_from(connection))

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["type"] == "/v1/problems/busy"
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def offered(live: LiveServer) -> Iterator[tuple[LiveServer, socket.socket]]:
    host, port = live.url.removeprefix("http://").split(":")
    with connected((host, int(port))) as connection:
        yield live, connection


@pytest.mark.slow
@pytest.mark.parametrize("path", [SECTION, "/health/live"])
def test_requests_that_are_offered_without_end_are_not_all_taken(
    offered: tuple[LiveServer, socket.socket], path: str
) -> None:
    live, connection = offered
    assert live._process is not None
    process = psutil.Process(live._process.pid)
    connection.sendall(request(path))
    one_answer(connection)
    before = process.memory_info().rss
    many = memoryview(request(path) * (OFFERED // len(request(path))))
    taken = 0
    connection.setblocking(False)
    while taken < len(many) and select.select([], [connection], [], 2)[1]:
        taken += connection.send(many[taken : taken + 65_536])

    assert taken < OFFERED
    assert process.memory_info().rss - before < 20 * MEGABYTE
