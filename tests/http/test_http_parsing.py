"""HTTP as it comes over the wire: whatever way the bytes come, they are read as the requests that they are."""

import asyncio
import json
from contextlib import ExitStack
from threading import Event

import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.models.form import SMALLEST_EXAMPLE
from app.server.connection import Connection
from tests.support.publishing import GUIDE
from tests.support.threaded import run_server
from tests.support.waiting import wait_until
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
    is_closed,
    request,
    seen,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

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
    with run_server(service, settings.model_copy(update={"connections": 1, "client_seconds": 1000.0})) as url:
        address = address_of(url)
        exchange(address, bye())
        with connected(address) as connection, ExitStack() as stack:
            stack.callback(go_on.set)
            connection.sendall(bye("/health/live"))
            wait_until(at_work.is_set)
            with connected(address) as newcomer, connected(address) as next_newcomer:
                [refused] = answers_in(everything_from(newcomer))
                [refused_too] = answers_in(everything_from(next_newcomer))
                wait_until(lambda: is_closed(newcomer))  # refused ones do not add up
            go_on.set()
            [answer] = answers_in(everything_from(connection))

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["type"] == "/v1/problems/busy"
    assert refused_too.startswith(b"HTTP/1.1 503 ")
    assert answer.startswith(b"HTTP/1.1 200 ")
