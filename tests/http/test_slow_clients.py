"""Slow and many clients, over real sockets: none of them can keep the service from the others."""

import json
import socket
import threading
import time
from asyncio import BaseTransport
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.http import request_bodies
from app.http.request_bodies import MAX_BODY_BYTES, RequestBodies
from app.http.turns import LONG_BODY_BYTES, Turns
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.server.connection import Connection
from app.server.framing import MAX_HEAD_BYTES
from tests.support.doors import door_of, owner_of
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.threaded import run_server
from tests.support.unsealing import need_script
from tests.support.waiting import LONG_ENOUGH, pause, wait_until
from tests.support.wire import address_of, connected

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CONNECTIONS = 6
CLIENT_SECONDS = 3.0
HEAD = b"POST /v1/concerns/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = json.dumps(SMALLEST_EXAMPLE).encode()
LARGE_ANSWERS = 12  # of 1.5 MB: more than the buffers of the operating system take up for a client that reads nothing
LARGE_ANSWER = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"

LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
READ = b"GET /v1/guides/child-sexual-exploitation/factors HTTP/1.1\r\nHost: localhost\r\n\r\n"

Connect = Callable[[], socket.socket]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with few connections and little patience."""
    folder: Path = tmp_path_factory.mktemp("impatient")
    with LiveServer(
        folder / "data", connections=str(CONNECTIONS), client_seconds=str(CLIENT_SECONDS), deliver="false"
    ) as server:
        with server.client() as client:
            client.get(READ.split()[1].decode(), headers={"Accept-Encoding": "identity"})  # so that it is in the cache
        yield server


@pytest.fixture
def connect(impatient: LiveServer) -> Iterator[Connect]:
    """A way to open connections, all of which are closed after the test."""
    address = urlsplit(impatient.url)
    with ExitStack() as open_ones:

        def opened() -> socket.socket:
            return open_ones.enter_context(
                socket.create_connection((address.hostname, address.port), timeout=LONG_ENOUGH)
            )

        yield opened


def told(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts: list[bytes] = []
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def expect_a_problem(answer: bytes, status: int) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), head
    assert fields[b"content-type"] == b"application/problem+json"
    assert b"default-src 'none'" in fields[b"content-security-policy"]
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert fields[b"cache-control"] == b"no-store"
    problem: dict[str, Any] = json.loads(body)
    assert "999" in json.dumps(problem)
    return problem


@pytest.mark.parametrize("before", [b"", LIVE, READ])
def test_a_head_that_does_not_end_is_given_up_however_it_trickles(connect: Connect, before: bytes) -> None:
    slow = connect()
    slow.sendall(before + b"GET /v1 HTTP/1.1\r\n")
    given_up = threading.Event()

    def trickle() -> None:
        with suppress(OSError):
            while not given_up.wait(CLIENT_SECONDS / 20):
                slow.sendall(b"X: x\r\n")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        answered = told(slow).count(b"HTTP/1.1 ")  # ends when the server closes, and fails where it never does
    finally:
        given_up.set()
        thread.join()
    assert answered == bool(before)


@pytest.mark.parametrize("before", [b"", LIVE, READ])
def test_a_connection_that_is_idle_is_closed_in_time(connect: Connect, before: bytes) -> None:
    connection = connect()
    connection.sendall(before)
    began = time.monotonic()

    assert told(connection).count(b"HTTP/1.1 200 ") == bool(before)
    assert time.monotonic() - began > CLIENT_SECONDS / 2


def test_a_connection_that_is_used_again_and_again_stays_open(connect: Connect) -> None:
    connection = connect()
    ends = time.monotonic() + 2 * CLIENT_SECONDS
    while time.monotonic() < ends:
        connection.sendall(READ)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        pause(CLIENT_SECONDS / 10)


def test_a_late_body_gets_a_problem_that_says_whom_to_call(connect: Connect) -> None:
    connection = connect()
    connection.sendall(HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:20])

    problem = expect_a_problem(told(connection), 408)

    assert problem["type"] == "/v1/problems/too-slow"
    assert problem["signposts"][0]["phones"][0]["number"] == "999"
    assert problem["contacts"]


def test_a_body_that_comes_slowly_and_in_time_is_taken(connect: Connect) -> None:
    connection = connect()
    connection.sendall(HEAD + f"Connection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
    for at in range(0, len(BODY), 60):
        connection.sendall(BODY[at : at + 60])
        pause(0.05)

    assert told(connection).startswith(b"HTTP/1.1 200 ")


def test_a_head_that_is_too_large_is_refused(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"GET /v1 HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES)

    assert expect_a_problem(told(connection), 431)["type"] == "/v1/problems/head-too-large"


def test_bytes_that_are_no_http_get_a_problem(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"Dear sir or madam,\r\n\r\n")

    assert expect_a_problem(told(connection), 400)["type"] == "/v1/problems/bad-request"


def test_clients_that_keep_the_service_waiting_give_way_to_others(connect: Connect, impatient: LiveServer) -> None:
    silent = [connect() for _ in range(CONNECTIONS)]
    for connection in silent[: CONNECTIONS // 3]:
        connection.sendall(HEAD)
    for connection in silent[CONNECTIONS // 3 : 2 * CONNECTIONS // 3]:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n{")

    with impatient.client() as caller:
        answers = [caller.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code for _ in range(5)]

    assert answers == [201] * 5


def test_clients_whose_bodies_are_awaited_give_way_too(connect: Connect, impatient: LiveServer) -> None:
    for _ in range(CONNECTIONS):
        connect().sendall(HEAD + b"Content-Length: 100000\r\n\r\n{")

    with impatient.client() as caller:
        assert caller.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201


@pytest.fixture
def fronts(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The server's end of each connection that is open."""
    open_ones: list[Connection] = []
    made, lost = Connection.connection_made, Connection.connection_lost

    def watch_made(self: Connection, transport: BaseTransport) -> None:
        open_ones.append(self)
        made(self, transport)

    def watch_lost(self: Connection, exc: Exception | None) -> None:
        lost(self, exc)
        open_ones.remove(self)

    monkeypatch.setattr(Connection, "connection_made", watch_made)
    monkeypatch.setattr(Connection, "connection_lost", watch_lost)
    return open_ones


def post(url: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/concerns", json=SMALLEST_EXAMPLE, timeout=LONG_ENOUGH, trust_env=False)


@contextmanager
def greedy(service: FastAPI, settings: Settings, fronts: list[Connection]) -> Iterator[str]:
    """A server whose connections are all taken by clients that request much, and read nothing."""
    need_script()
    with run_server(service, settings) as url, ExitStack() as stack:
        for _ in range(settings.connections):
            stack.enter_context(connected(address_of(url))).sendall(LARGE_ANSWER * LARGE_ANSWERS)
        wait_until(lambda: [each.deadline.is_write_paused for each in fronts] == [True] * settings.connections)
        yield url


def test_clients_that_do_not_take_their_answers_give_way_to_others(
    service: FastAPI, settings: Settings, fronts: list[Connection]
) -> None:
    few = settings.model_copy(update={"connections": CONNECTIONS, "client_seconds": 1000.0})
    with greedy(service, few, fronts) as url:
        assert post(url).status_code == 201


def test_clients_that_never_read_their_answers_are_disconnected(
    service: FastAPI, settings: Settings, fronts: list[Connection]
) -> None:
    """A connection that is closed in peace lasts until its client has read everything, which it never does."""
    few = settings.model_copy(update={"connections": CONNECTIONS, "client_seconds": CLIENT_SECONDS})
    with greedy(service, few, fronts):
        wait_until(lambda: not fronts)


async def _serve(app: ASGIApp, *messages: Message, path: str = "/v1/concerns", method: str = "POST") -> list[Message]:
    """The messages that the door sends for a request that arrives in those parts."""
    waiting, sent = list(messages), []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else await _never()

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    await app({**scope, "state": {"request_id": "00000000-0000-4000-8000-000000000000"}}, receive, send)
    return sent


async def _never() -> Message:
    await anyio.sleep_forever()
    return {"type": "http.disconnect"}


async def _echo(_scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def status_of(sent: list[Message]) -> int:
    status: int = sent[0]["status"]
    return status


def a_part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_reaches_the_route_whole() -> None:
    gate = door_of(_echo, RequestBodies(LONG_ENOUGH).read_body)

    sent = anyio.run(lambda: _serve(gate, a_part(b"a", more=True), a_part(b"b", more=False), path="/v1"))

    assert sent[1]["body"] == b"ab"


@for_each(
    ("parts", "status"),
    [
        ([a_part(b"x" * MAX_BODY_BYTES, more=False)], 200),
        ([a_part(b"x" * MAX_BODY_BYTES, more=True), a_part(b"x", more=False)], 413),
        ([a_part(b"x", more=True), {"type": "http.disconnect"}], 400),
        ([a_part(b"x", more=True)], 408),
    ],
)
def test_a_large_incomplete_or_slow_body_never_reaches_the_application(parts: list[Message], status: int) -> None:
    gate = door_of(_echo, RequestBodies(0.5).read_body)

    assert status_of(anyio.run(lambda: _serve(gate, *parts, path="/v1"))) == status


def test_bodies_that_arrive_at_once_may_not_fill_the_memory(service: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    long = b"x" * (LONG_BODY_BYTES + 1)
    monkeypatch.setattr(request_bodies, "MAX_BUFFERED_BYTES", len(long) + 10)
    gate = door_of(_echo, RequestBodies(2).read_body, service=service)

    async def together() -> list[int]:
        statuses = []

        async def one(*parts: Message) -> None:
            statuses.append(status_of(await _serve(gate, *parts, path="/v1")))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one, a_part(long, more=True))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(one, a_part(long, more=False))
            tasks.start_soon(one, a_part(b"x" * 90, more=False))  # a few words are never refused for what others send
        await one(a_part(long, more=False))
        return statuses

    assert anyio.run(together) == [503, 200, 408, 200]


def test_work_at_once_is_limited_and_health_still_answers(service: FastAPI) -> None:
    async def together() -> list[int]:
        event = anyio.Event()

        async def busy(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/v1":
                await event.wait()
            await _echo(scope, receive, send)

        gate = door_of(busy, RequestBodies(LONG_ENOUGH).read_body, Turns(100, 1).take_turn, service=service)
        statuses: list[int] = []

        async def one(path: str) -> None:
            statuses.append(status_of(await _serve(gate, a_part(b"", more=False), path=path)))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one, "/v1")
            await anyio.wait_all_tasks_blocked()
            await one("/v1/guides")
            await one("/health/ready")
            event.set()
        await one("/v1/guides")
        return statuses

    assert anyio.run(together) == [503, 200, 200, 200]


def test_who_comes_when_all_places_are_taken_is_told_whom_to_call(settings: Settings) -> None:
    service = create_app(settings.model_copy(update={"concurrent_requests": 1}))
    with TestClient(service) as client:
        owner_of(service, "take_turn")._at_work = 1

        answer = client.post("/v1/concerns", json=SMALLEST_EXAMPLE)

        assert (answer.status_code, answer.json()["type"]) == (503, "/v1/problems/busy")
        assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
        assert int(answer.headers["Retry-After"]) > 0
