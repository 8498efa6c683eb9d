"""The front: what it answers is what the server behind it would have answered, to the caller who sent the request."""

import asyncio
import datetime as dt
import json
import re
import socket
from contextlib import ExitStack, suppress
from email.utils import format_datetime
from itertools import product
from threading import Event

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.http.cache import CachedResponse, ResponseCache
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.server import framing, front
from app.server.connection import Connection
from app.server.framing import Head, read_head
from app.server.front import Front
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, publish_next
from tests.support.threaded import run_server
from tests.support.unsealing import need_script
from tests.support.waiting import LONG_ENOUGH, wait_until
from tests.support.wire import (
    SECTION,
    Address,
    Chunk,
    address,
    address_of,
    answers_in,
    bye,
    chunks,
    connected,
    everything_from,
    exchange,
    fields_of,
    is_closed,
    one_answer,
    one_by_one,
    request,
    seen,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

__all__ = ["address", "chunks"]  # fixtures
MANY = 600
LARGE, SEVERAL = "/docs/swagger-ui-bundle.js", 30  # 45 MB: more than the operating system keeps for a client


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The path of each request that the server behind the front began to work on."""
    paths: list[str] = []
    serve = Connection.serve

    async def watched(self: Connection, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await serve(self, app, scope, receive, send)

    monkeypatch.setattr(Connection, "serve", watched)
    return paths


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Each head that had to be parsed."""
    heads: list[bytes] = []

    def watched(head: bytes) -> Head:
        heads.append(head)
        return read_head(head)

    monkeypatch.setattr(framing, "read_head", watched)
    return heads


FIELDS = [
    {},
    {"Accept-Encoding": "gzip"},
    {"If-None-Match": "*"},
    {"If-None-Match": '"another"'},
    {"Accept-Encoding": "gzip", "If-None-Match": "*"},
    {"Origin": "https://site.example"},
    {"Connection": "Keep-Alive"},
]


@pytest.mark.slow
@for_each("fields", FIELDS)
def test_the_front_answers_as_the_server_does(address: Address, chunks: list[Chunk], fields: dict[str, str]) -> None:
    closing_too = fields | {"Connection": "close"}
    [made] = exchange(address, request(SECTION, **closing_too))
    chunks.clear()

    first, second, last = one_by_one(address, *[request(SECTION, **fields)] * 2, request(SECTION, **closing_too))

    assert [chunk.is_answered for chunk in chunks] == [True, True, False]
    assert seen(first) == seen(second) == seen(last) == seen(made)
    assert first.startswith(b"HTTP/1.1 304 " if fields.get("If-None-Match") == "*" else b"HTTP/1.1 200 OK\r\n")
    ids = [re.search(rb"x-request-id: ([0-9a-f-]{36})\r\n", each)[1] for each in (first, second, last)]  # type: ignore[index]  # each has one
    assert len(set(ids)) == 3


@pytest.mark.slow
@for_each(
    "other",
    [
        request(SECTION, method="HEAD"),
        request(SECTION, method="POST"),
        request(SECTION, Authorization="Bearer x"),
        request(SECTION, Cookie="session=x"),
        request(SECTION, **{"Content-Length": "0"}),
        request(SECTION, **{"Content-Length": "1"}) + b"x",
        request(SECTION, **{"Transfer-Encoding": "chunked"}) + b"0\r\n\r\n",
        request(SECTION, **{"X-Long": "x" * 3000}),
        request(SECTION, Connection="Upgrade", Upgrade="h2c"),
        request(SECTION, Connection="close"),
        request(SECTION, version="1.0"),
        request(SECTION, Host="localhost"),
        request(SECTION).replace(b"localhost", b"attacker.example"),
        request(f"{SECTION}?as_of=2026-11-24"),
        request("/v1/concerns/form", method="OPTIONS"),
        request("/health/live"),
        request(SECTION) + b"GET ",
        request(SECTION) + request(SECTION),
        request(SECTION) + b"\r\n",
        b"\r\n" + request(SECTION, **{"X Y": "z"}),
        b"Dear sir or madam,\r\n\r\n",
    ],
)
def test_anything_but_one_plain_read_is_left_to_the_server(address: Address, chunks: list[Chunk], other: bytes) -> None:
    exchange(address, bye())
    one_by_one(address, request(SECTION))
    chunks.clear()
    with connected(address) as connection:
        connection.sendall(other)
        wait_until(lambda: [chunk.is_done for chunk in chunks] == [True])

    assert [chunk.is_answered for chunk in chunks] == [False]


@pytest.mark.parametrize("credential", [{"Authorization": "Bearer x"}, {"Cookie": "session=x"}], ids=str)
def test_a_credential_is_not_remembered_with_a_request(
    service: FastAPI, address: Address, begun: list[str], credential: dict[str, str]
) -> None:
    exchange(address, bye())
    begun.clear()
    with_credential = request(SECTION, **credential)

    answers = one_by_one(address, *[with_credential] * 2)

    assert statuses(answers) == [200, 200]
    assert begun == [SECTION, SECTION]
    heads = Front(service.state.context.response_cache, Records(), is_https=False)  # type: ignore[arg-type]  # records nothing
    assert heads.answer(with_credential, read_head(with_credential)) is None
    assert heads.answer_known(with_credential) is None


def test_only_a_whole_known_request_matches_and_nothing_longer(service: FastAPI, address: Address) -> None:
    known = request(SECTION)
    exchange(address, bye())
    one_by_one(address, *[known] * 2)
    heads = Front(service.state.context.response_cache, Records(), is_https=False)  # type: ignore[arg-type]  # records nothing

    assert heads.answer_known(known) is None
    assert heads.answer(known, read_head(known)) is not None
    assert heads.answer_known(known) is not None
    assert [cut for cut in range(len(known)) if heads.answer_known(known[:cut]) is not None] == []
    assert [end for end in (b"\r", b"\r\n", b"G", b"\0", known) if heads.answer_known(known + end) is not None] == []


class Records:
    """Takes what is recorded, and writes nothing."""

    def add(self, _: object) -> None:
        """Take it."""


def test_an_older_client_that_closes_is_answered_and_disconnected(address: Address) -> None:
    exchange(address, bye())

    [answer] = exchange(address, request(SECTION, version="1.0"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer


def test_answers_come_in_the_order_of_the_requests(address: Address) -> None:
    exchange(address, bye())
    unknown = [f"/no-such-path-{number}" for number in range(3)]
    paths = [SECTION, unknown[0], SECTION, SECTION, unknown[1], unknown[2], SECTION]

    answers = exchange(address, *(request(path) for path in paths), bye())

    assert statuses(answers) == [404 if path in unknown else 200 for path in [*paths, SECTION]]


def test_hundreds_of_requests_in_one_piece_are_each_answered(address: Address) -> None:
    exchange(address, bye())

    answers = exchange(address, *[request(SECTION)] * MANY, request("/no-such-path"), *[request(SECTION)] * MANY, bye())

    assert statuses(answers) == [*[200] * MANY, 404, *[200] * MANY, 200]


@pytest.mark.slow
def test_a_client_that_does_not_read_is_not_written_to_without_end(
    address: Address, chunks: list[Chunk], begun: list[str]
) -> None:
    need_script()
    exchange(address, bye(LARGE))
    chunks.clear()
    begun.clear()
    with connected(address) as connection:
        while all(chunk.is_answered for chunk in chunks):  # one by one, so that each comes whole and separately
            before = len(chunks)
            assert before < SEVERAL
            connection.sendall(request(LARGE))
            wait_until(lambda before=before: [chunk.is_done for chunk in chunks[before:]] == [True])  # type: ignore[misc]  # bound at once
        sent = len(chunks)
        connection.sendall(request(LARGE) * SEVERAL + bye(LARGE))
        begun.clear()
        exchange(address, bye())  # others are answered while the first one does not read
        at_work_meanwhile = begun.count(LARGE)
        answers = answers_in(everything_from(connection))

    assert statuses(answers) == [200] * (sent + SEVERAL + 1)
    assert at_work_meanwhile <= 1


def test_a_request_that_is_known_is_not_parsed_again(address: Address, parsed: list[bytes]) -> None:
    exchange(address, bye())
    [first] = one_by_one(address, request(SECTION))
    parsed.clear()

    again = one_by_one(address, *[request(SECTION)] * 5)

    assert parsed == []
    assert {frozenset(seen(answer)) for answer in again} == {frozenset(seen(first))}


@for_each(
    "first",
    [
        request("/v1/search?q=nothing-of-the-kind"),
        request("/v1/concerns/check", method="POST", **{"Content-Length": "2"}) + b"{}",
        request("/v1/concerns/check", method="POST", **{"Transfer-Encoding": "chunked"}) + b"2\r\n{}\r\n0\r\n\r\n",
        request("/no-such-path", Authorization="Bearer x"),
    ],
)
def test_the_first_request_of_a_connection_is_parsed_once(address: Address, parsed: list[bytes], first: bytes) -> None:
    exchange(address, bye())
    parsed.clear()

    [answer] = one_by_one(address, first)

    assert answer.startswith(b"HTTP/1.1 ")
    assert len(parsed) == 1


def test_only_few_answers_are_stored(address: Address, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "MAX_STORED_ANSWERS", 3)
    exchange(address, bye())
    requests = [request(SECTION, **{"User-Agent": f"made-up/{number}"}) for number in range(5)]
    one_by_one(address, *requests)
    parsed.clear()

    one_by_one(address, *requests[2:])
    assert parsed == []
    one_by_one(address, requests[0])
    assert parsed == [requests[0]]


def test_a_known_request_gets_the_newly_published_edition(address: Address, service: FastAPI) -> None:
    exchange(address, bye(GUIDE))
    numbers = []
    with connected(address) as connection:
        for number in (1, 2):
            if number > 1:
                publish_next(service, change_note="Another.")
            for _ in range(3):
                connection.sendall(request(GUIDE))
                numbers.append(re.search(rb'"edition":(\d+)', one_answer(connection))[1])  # type: ignore[index]  # it has one

    assert numbers == [b"1"] * 3 + [b"2"] * 3


def test_bytes_that_are_part_of_another_request_are_not_taken_for_one(
    address: Address, chunks: list[Chunk], begun: list[str]
) -> None:
    exchange(address, bye())
    known = request(SECTION)
    one_by_one(address, *[known] * 2)
    posted = {"Content-Type": "application/json", "Content-Length": str(len(known))}
    begun.clear()
    with connected(address) as connection:
        connection.sendall(request("/v1/concerns/check", method="POST", **posted))
        wait_until(lambda: len(begun) == 1)  # so that the body comes separately
        connection.sendall(known)
        assert one_answer(connection).startswith(b"HTTP/1.1 400 ")
    chunks.clear()
    with connected(address) as connection:
        connection.sendall(b"GET /v1/signposts HTTP/1.1\r\nX-Made-Up: ")
        wait_until(lambda: len(chunks) == 1)
        connection.sendall(known)  # the rest of that field, and the other fields
        answer = one_answer(connection)
    assert b"signposts" in answer
    assert b"factors" not in answer


def test_a_known_request_waits_for_the_answer_before_it(address: Address) -> None:
    exchange(address, bye())
    one_by_one(address, *[request(SECTION)] * 2)
    for _ in range(10):
        with connected(address) as connection:
            connection.sendall(request("/v1/search?q=nothing-of-the-kind"))
            connection.sendall(request(SECTION))
            answers = one_answer(connection), one_answer(connection)

        assert [b"indicators" in answer or b"factors" in answer for answer in answers] == [False, True]


def test_a_connection_uses_the_cache_again_after_a_fresh_answer(address: Address, chunks: list[Chunk]) -> None:
    url = f"http://{address[0]}:{address[1]}"
    with httpx.Client(base_url=url, timeout=LONG_ENOUGH, trust_env=False) as client:
        for _ in range(5):
            client.get(SECTION)
        counted = client.get("/metrics").text

    assert [chunk.is_answered for chunk in chunks] == [False, True, True, True, True, False]
    assert 'guidance_requests_total{method="GET",route="/v1/guides/{guide}/factors",status="200"} 5.0' in counted


def test_the_cache_answers_again_after_another_request_was_answered(address: Address, chunks: list[Chunk]) -> None:
    exchange(address, bye())
    chunks.clear()

    answers = one_by_one(address, request(SECTION), request(SECTION, method="DELETE"), request(SECTION))

    assert statuses(answers) == [200, 405, 200]
    assert [chunk.is_answered for chunk in chunks] == [True, False, True]


def test_a_stop_closes_connections_that_wait_for_a_request(service: FastAPI, settings: Settings) -> None:
    with ExitStack() as stack:
        with run_server(service, settings) as url:
            address = address_of(url)
            exchange(address, bye())
            silent, by_front, by_server = (stack.enter_context(connected(address)) for _ in range(3))
            by_front.sendall(request(SECTION))
            by_server.sendall(request("/health/live"))
            one_answer(by_front)
            one_answer(by_server)
        ends = [connection.recv(1) for connection in (silent, by_front, by_server)]

    assert ends == [b"", b"", b""]


CHECK = "/v1/concerns/check"
BODY = json.dumps(SMALLEST_EXAMPLE).encode()
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1_000_000
OFFERED = 8 * MEGABYTE


def posted(**fields: str) -> bytes:
    return request(CHECK, method="POST", **JSON, **fields)


@pytest.mark.slow
def test_a_head_that_is_cut_at_any_byte_gets_the_same_answer(address: Address, chunks: list[Chunk]) -> None:
    whole = bye()
    [expected] = exchange(address, whole)
    chunks.clear()
    with ExitStack() as stack:
        cuts = range(1, len(whole))
        connections = [stack.enter_context(connected(address)) for _ in cuts]
        for connection, cut in zip(connections, cuts, strict=True):
            connection.sendall(whole[:cut])
        wait_until(lambda: len(chunks) == len(cuts))  # so that the rest comes separately
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


def test_a_newcomer_is_refused_if_every_connection_is_at_work(
    service: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = Event(), Event()
    serve = Connection.serve

    async def slow(self: Connection, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health/live":
            with self.deadline.request_at_work():
                at_work.set()
                await asyncio.to_thread(go_on.wait)
        await serve(self, app, scope, receive, send)

    monkeypatch.setattr(Connection, "serve", slow)
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


READS = {
    "plain": request(SECTION),
    "gzip": request(SECTION, **{"Accept-Encoding": "gzip"}),
    "CSV": request(SECTION, Accept="text/csv"),
    "Markdown": request(GUIDE, Accept="text/markdown"),
    "a page": request("/", Accept="text/html"),
    "a page in Welsh": request("/", **{"Accept": "text/html", "Accept-Language": "cy"}),
    "no encoding": request(SECTION, **{"Accept-Encoding": "gzip;q=0"}),
    "any ETag": request(SECTION, **{"If-None-Match": "*"}),
    "another ETag": request(SECTION, **{"If-None-Match": '"another"'}),
    "an origin": request(SECTION, Origin="https://site.example"),
    "another host": request(SECTION).replace(b"localhost", b"127.0.0.1:80"),
    "a host of somebody else": request(SECTION).replace(b"localhost", b"evil.example"),
    "a forwarded host": request(SECTION, **{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}),
    "a whole URL": request(f"http://evil.example{SECTION}"),
    "a whole URL of ours": request(f"http://localhost{SECTION}"),
    "HEAD": request(SECTION, method="HEAD"),
    "another method by a field": request(SECTION, **{"X-HTTP-Method-Override": "DELETE"}),
    "HTTP/1.0": request(SECTION, version="1.0"),
    "a credential": request(SECTION, Authorization="Bearer x"),
    "a cookie": request(SECTION, Cookie="session=x"),
    "a part": request(SECTION, Range="bytes=0-9"),
    "a time": request(GUIDE, **{"Accept-Datetime": "Tue, 24 Nov 2020 09:30:00 GMT"}),
    "a query": request(f"{SECTION}?x=y"),
    "an empty query": request(f"{SECTION}?"),
    "an encoded path": request(SECTION.replace("factors", "%66actors")),
    "two slashes": request(f"/{SECTION}"),
    "a field twice": request(SECTION, Accept="text/csv")[:-2] + b"Accept: application/json\r\n\r\n",
    "a length": request(SECTION, **{"Content-Length": "0"}),
}
"""Reads that ask for the same in different ways, or for something else in nearly the same way."""
PAIRS = list(product(READS, READS))
"""One read before another. Of every fifth pair, each read is the first of five and the second of five, or more."""


def last_answer(address: Address, *reads: bytes) -> set[bytes]:
    """The answer to the last of the reads, as far as it is seen. Each is sent when the one before was answered."""
    lasts = []
    for each in reads:
        with connected(address) as connection:
            connection.sendall(each)
            begun = connection.recv(1)
            with suppress(OSError):  # the server may have closed it already
                connection.shutdown(socket.SHUT_WR)
            lasts.append(begun + everything_from(connection))
    return seen(re.sub(rb"urn:uuid:[0-9a-f-]+", b"", lasts[-1]))


@pytest.mark.parametrize("pairs", [PAIRS[::5], pytest.param(PAIRS, marks=pytest.mark.nightly)], ids=["some", "all"])
def test_no_read_changes_the_answer_to_the_next(
    service: FastAPI, address: Address, settings: Settings, pairs: list[tuple[str, str]]
) -> None:
    without = create_app(settings.model_copy(update={"cache_megabytes": 0}), lambda: A_TUESDAY)
    with run_server(without, settings) as url:
        expected = {name: last_answer(address_of(url), read) for name, read in READS.items()}
    differ = []
    for first, second in pairs:
        service.state.context.response_cache.clear()
        answers = [last_answer(address, READS[first], *[READS[second]] * times) for times in (1, 2)]
        differ += [(first, second) for answer in answers if answer != expected[second]]

    assert differ == []


def test_both_ways_leave_the_same_log_lines_and_counts(address: Address, lines: Lines) -> None:
    url = f"http://{address[0]}:{address[1]}/metrics"
    exchange(address, bye())
    lines()
    by_front = one_by_one(address, *[request(SECTION)] * 3)
    by_server = [exchange(address, bye())[0] for _ in range(3)]
    counted = httpx.get(url, timeout=LONG_ENOUGH, trust_env=False).text
    written = [line for line in lines() if line.get("route", "").endswith("/factors")]

    assert [seen(each) for each in by_front] == [seen(each) for each in by_server]
    assert [line["request_id"] for line in written] == [
        fields_of(each)["x-request-id"] for each in by_front + by_server
    ]
    told = [
        {name: line[name] for name in line if name not in {"request_id", "timestamp", "milliseconds"}}
        for line in written
    ]
    assert told == [told[0]] * 6
    assert 'guidance_requests_total{method="GET",route="/v1/guides/{guide}/factors",status="200"} 7.0' in counted
    assert 'guidance_cache_hits_total{route="/v1/guides/{guide}/factors"} 6.0' in counted
    assert 'guidance_request_seconds_count{method="GET",route="/v1/guides/{guide}/factors"} 7.0' in counted


def test_a_limited_search_is_counted_however_often_its_bytes_come(settings: Settings) -> None:
    limited = settings.model_copy(update={"trusted_proxies": ("127.0.0.1",), "limit_search": "3/minute"})
    search = request("/v1/search?q=missing", **{"X-Forwarded-For": "203.0.113.1"})
    with run_server(create_app(limited, lambda: A_TUESDAY), limited) as url:
        answers = one_by_one(address_of(url), *[search] * 5)

    assert statuses(answers) == [200, 200, 200, 429, 429]


def test_a_stored_answer_ends_when_it_holds_no_more() -> None:
    clock, head = SettableClock(), request("/")
    cache = ResponseCache(1, clock=clock)
    heads = Front(cache, Records(), is_https=False)  # type: ignore[arg-type]  # records nothing
    found = cache.parse(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": read_head(head).fields}
    )
    assert found is not None
    expires = format_datetime(A_TUESDAY + dt.timedelta(hours=1), usegmt=True).encode()
    cache.store.put(found.key, CachedResponse(None, [(b"etag", b'"a"'), (b"expires", expires)], b"Open."))
    assert heads.answer(head, read_head(head)) is not None
    assert heads.answer_known(head) is not None

    clock.time += dt.timedelta(hours=1)

    assert heads.answer_known(head) is None
    assert heads.answer(head, read_head(head)) is None
