"""Refusals before there is a request: with an id, the security headers, a log line and a count."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.config import Settings
from app.http import request_bodies
from app.http.request_bodies import MAX_BUFFERED_BYTES
from app.http.response_headers import SECURITY_HEADERS
from app.main import create_app
from app.server.connection import MAX_DISCARDED_BYTES
from app.server.deadline import ClientDeadline
from app.server.framing import MAX_FIELD_BYTES, MAX_HEAD_BYTES, MAX_HEAD_FIELDS
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.doors import owner_of
from tests.support.log_lines import Lines
from tests.support.loops import first_by_day
from tests.support.threaded import run_server
from tests.support.waiting import LONG_ENOUGH, wait_until
from tests.support.wire import (
    SECTION,
    Address,
    address_of,
    body_of,
    bye,
    connected,
    everything_from,
    exchange,
    fields_of,
    is_closed,
    one_answer,
    request,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

REFUSED = {
    "no host": b"GET /v1 HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a name that is none": b"GET /v1 HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
    "a length that is none": b"GET /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "two lengths": b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "no request": b"Dear sir or madam,\r\n\r\n",
    "another version": b"GET /v1 HTTP/9.9\r\nHost: a\r\n\r\n",
    "a later version without a host": b"GET /v1 HTTP/1.2\r\n\r\n",
}
TOO_LARGE = {
    "a large head": request("/v1", **{"X": "x" * MAX_HEAD_BYTES}),
    "a target longer than a head": request("/v1?" + "x" * MAX_HEAD_BYTES),
    "many fields": request("/v1", **{f"X-{number}": "x" for number in range(MAX_HEAD_FIELDS)}),
    "a head without end": request("/v1", **{"X": "x" * MAX_HEAD_BYTES})[:-4],
}

KINDS = [(each, 400, "bad-request") for each in REFUSED.values()]
KINDS += [(each, 431, "head-too-large") for each in TOO_LARGE.values()]
KINDS += [(request("/v1/search?q=" + "x" * MAX_FIELD_BYTES), 414, "address-too-long")]


@pytest.fixture
def secure(settings: Settings, clock: SettableClock) -> FastAPI:
    """A service that callers reach by https."""
    return create_app(settings.model_copy(update={"public_url": "https://guidance.council.example"}), clock)


@pytest.fixture
def address(secure: FastAPI, settings: Settings) -> Iterator[Address]:
    with run_server(secure, settings) as url:
        yield address_of(url)


def expect_a_whole_refusal(answer: bytes, status: int, kind: str) -> str:
    """Check everything that a refusal has, and return its id."""
    fields = fields_of(answer)
    problem = body_of(answer)
    assert statuses([answer]) == [status] == [problem["status"]]
    assert problem["type"] == f"/v1/problems/{kind}"
    assert "999" in json.dumps(problem)
    assert fields["content-type"] == "application/problem+json"
    assert fields["strict-transport-security"] == "max-age=63072000"
    assert fields["cache-control"] == "no-store"
    assert fields["connection"] == "close"
    assert fields["access-control-allow-origin"] == "*"
    assert "date" in fields
    assert {name: fields[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert problem["instance"] == f"urn:uuid:{fields['x-request-id']}"
    return fields["x-request-id"]


@pytest.mark.parametrize(("refused", "status", "kind"), KINDS, ids=[*REFUSED, *TOO_LARGE, "a long target"])
def test_bytes_that_are_no_request_are_refused_logged_and_counted(
    address: Address, refused: bytes, status: int, kind: str, lines: Lines
) -> None:
    [answer] = exchange(address, refused)
    request_id = expect_a_whole_refusal(answer, status, kind)
    counted = httpx.get(f"http://{address[0]}:{address[1]}/metrics", timeout=LONG_ENOUGH, trust_env=False).text

    assert f'guidance_requests_total{{method="OTHER",route="(none)",status="{status}"}} 1.0' in counted
    logged = [line for line in lines() if line.get("request_id") == request_id]
    assert [(line["event"], line["status"], line["route"]) for line in logged] == [("request", status, "(none)")]


def test_after_a_refusal_nothing_more_is_read(address: Address) -> None:
    answers = exchange(address, REFUSED["no request"] + bye())

    assert statuses(answers) == [400]


def test_requests_before_a_refused_one_are_answered_first(address: Address) -> None:
    answers = exchange(address, request(SECTION, Accept="text/csv") + request("/v1/signposts") + REFUSED["no host"])

    assert statuses(answers) == [200, 200, 400]


def test_an_older_client_needs_no_host(address: Address) -> None:
    [answer] = exchange(address, b"GET /v1 HTTP/1.0\r\n\r\n")

    assert statuses([answer]) == [200]


@pytest.mark.parametrize("broken", [b"x\r\n", b"5\r\nabc\r\n\r\n\r\n", b"0\r\nX Y: z\r\n\r\n", b"-1\r\n\r\n"])
@pytest.mark.parametrize("is_apart", [False, True])
def test_a_broken_body_gets_one_refusal_that_says_whom_to_call(
    address: Address, lines: Lines, broken: bytes, is_apart: bool
) -> None:
    head = request("/v1/concerns", "POST", **{"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    with connected(address) as connection:
        for part in (head, broken + bye()) if is_apart else (head + broken + bye(),):
            connection.sendall(part)
        answer = everything_from(connection)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert statuses([answer]) == [400]
    assert body_of(answer)["signposts"][0]["phones"][0]["number"] == "999"
    assert body_of(answer)["contacts"]
    assert fields_of(answer)["strict-transport-security"] == "max-age=63072000"
    asked = fields_of(answer)["x-request-id"]  # the line is written after the answer
    wait_until(lambda: any(line.get("request_id") == asked and line["route"] for line in lines()))


def test_a_body_that_breaks_after_the_answer_gets_no_second_answer(address: Address) -> None:
    head = request(SECTION, **{"Transfer-Encoding": "chunked"})
    with connected(address) as connection:
        connection.sendall(head)
        first = one_answer(connection)
        connection.sendall(b"no chunk\r\n" + bye())
        rest = everything_from(connection)

    assert statuses([first]) == [200]
    assert rest == b""


EVIL = ["http://evil.example", "HTTP://evil.example", "https://evil.example:443", "http://localhost@evil.example"]
OURS = ["http://localhost", "http://LOCALHOST:8000", "https://guidance.council.example", "http://127.0.0.1"]


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_the_host_of_a_whole_address_overrides_the_host_field(address: Address, host: str) -> None:
    evil, ours = (
        [
            exchange(address, request(f"{each}{SECTION}", Connection="close").replace(b"localhost\r\n", own))[0]
            for each in names
            for own in [host.encode() + b"\r\n"]
        ]
        for names in (EVIL, OURS)
    )

    assert statuses(evil) == [400] * len(EVIL)
    assert {body_of(each)["type"] for each in evil} == {"/v1/problems/unknown-host"}
    assert statuses(ours) == [200] * len(OURS)


@pytest.mark.parametrize("target", ["http://", "http:///v1", "ftp://localhost/v1", "v1", "*", "localhost:80", "//v1"])
def test_a_target_that_is_neither_a_path_nor_an_address_answers_nothing(address: Address, target: str) -> None:
    [answer] = exchange(address, request(target, Connection="close"))

    assert statuses([answer]) == [404]


@pytest.mark.parametrize("refused", ["no host", "a large head", "many fields"])
def test_a_stop_ends_refused_connections_too(secure: FastAPI, settings: Settings, refused: str) -> None:
    with ExitStack() as stack:
        with run_server(secure, settings.model_copy(update={"client_seconds": 1000.0})) as url:
            connection = stack.enter_context(connected(address_of(url)))
            connection.sendall({**REFUSED, **TOO_LARGE}[refused])
            one_answer(connection)
            assert everything_from(connection) == b""  # the server has said everything, and waits for the client
            assert not is_closed(connection)
        wait_until(lambda: is_closed(connection))


def test_a_newcomer_gets_a_whole_refusal_if_every_connection_is_busy(
    secure: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClientDeadline, "waits_for_client", property(lambda _: False))
    with run_server(secure, settings.model_copy(update={"connections": 1})) as url, connected(address_of(url)) as first:
        first.sendall(request(SECTION))
        one_answer(first)
        with connected(address_of(url)) as newcomer:
            answer = everything_from(newcomer)

    expect_a_whole_refusal(answer, 503, "busy")
    assert int(fields_of(answer)["retry-after"]) > 0


TRIES = 20
BODY = b" " * 8_000_000
PIECE = 65_536
PATH = "/v1/concerns/check"
JSON = {"Content-Type": "application/json"}
FORWARDED = {"X-Forwarded-For": "203.0.113.1"}
Send = Callable[[str, Path], int]


def by_urllib(url: str, _: Path) -> int:
    called = urllib.request.Request(url, data=BODY, headers=JSON | FORWARDED)  # noqa: S310  # the test's own server
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(called, timeout=60)  # noqa: S310  # the test's own server
    assert b"999" in refusal.value.read()
    return refusal.value.code


def by_http_client(url: str, _: Path) -> int:
    return _by_http_client(url, BODY)


def by_chunks(url: str, _: Path) -> int:
    return _by_http_client(url, iter([BODY[at : at + PIECE] for at in range(0, len(BODY), PIECE)]))


def _by_http_client(url: str, body: Any) -> int:
    connection = http.client.HTTPConnection(*address_of(url), timeout=60)
    connection.request("POST", PATH, body, JSON | FORWARDED, encode_chunked=not isinstance(body, bytes))
    answer = connection.getresponse()
    assert b"999" in answer.read()
    connection.close()
    return answer.status


def by_curl(url: str, file: Path, *more: str) -> int:
    if shutil.which("curl") is None and "CI" not in os.environ:
        pytest.skip("curl is not installed")
    fields = [part for pair in (JSON | FORWARDED).items() for part in ("-H", ": ".join(pair))]
    command = ["curl", "--silent", "--max-time", "60", *fields, *more, "--data-binary", f"@{file}", url]
    answer = subprocess.run([*command, "-w", "\n%{http_code}"], capture_output=True, check=True, text=True)
    assert "999" in answer.stdout
    return int(answer.stdout.rpartition("\n")[2])


def by_curl_at_once(url: str, file: Path) -> int:
    return by_curl(url, file, "-H", "Expect:")  # it does not wait for `100 Continue`


def by_curl_with_http2(url: str, file: Path) -> int:
    return by_curl(url, file, "--http2", "-H", "Expect:")


CLIENTS = [by_urllib, by_http_client, by_chunks, by_curl, by_curl_at_once, by_curl_with_http2]


def at_work(service: FastAPI) -> None:
    """Take every place for requests in progress."""
    owner_of(service, "take_turn")._at_work = 1


def full_of_bodies(service: FastAPI) -> None:
    """Take all memory for bodies that arrive."""
    owner_of(service, "read_body")._arriving = MAX_BUFFERED_BYTES


def nothing(_: FastAPI) -> None:
    """Leave the service as it is."""


@contextmanager
def refusing(settings: Settings, prepare: Callable[[FastAPI], None] = nothing, **changes: Any) -> Iterator[str]:
    changes = {"trusted_proxies": ("127.0.0.1",), "concurrent_requests": 1, **changes}
    service = create_app(settings.model_copy(update=changes), lambda: A_TUESDAY)
    with run_server(service, settings.model_copy(update=changes)) as url:
        address = address_of(url)
        with connected(address) as connection:
            connection.sendall(bye())
            everything_from(connection)
        prepare(service)
        yield url


@pytest.mark.parametrize("by", first_by_day(CLIENTS, 2))
@pytest.mark.parametrize(("status", "limit"), [(413, "1000/minute"), (429, "1/minute")])
def test_a_client_that_still_sends_gets_the_refusal_every_time(
    settings: Settings, tmp_path: Path, by: Send, status: int, limit: str
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    with refusing(settings, limit_concerns=limit) as url:
        if status == 429:
            by(f"{url}{PATH}", file)  # the one that is not too often
        answers = [by(f"{url}{PATH}", file) for _ in range(TRIES)]

    assert answers == [status] * TRIES


@pytest.mark.parametrize("by", first_by_day(CLIENTS, 2))
def test_a_client_whose_body_finds_no_room_gets_the_refusal(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: Send
) -> None:
    monkeypatch.setattr(request_bodies, "MAX_BODY_BYTES", len(BODY))
    file = tmp_path / "body"
    file.write_bytes(BODY)
    with refusing(settings, full_of_bodies) as url:
        answers = [by(f"{url}{PATH}", file) for _ in range(TRIES)]

    assert answers == [503] * TRIES


def test_a_client_whom_no_connection_is_left_for_gets_the_refusal(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClientDeadline, "waits_for_client", property(lambda _: False))
    with refusing(settings, connections=1) as url, connected(address_of(url)):
        answers = [by_urllib(f"{url}{PATH}", tmp_path) for _ in range(TRIES)]

    assert answers == [503] * TRIES


HEAD = request(PATH, "POST", **JSON, **FORWARDED, **{"Content-Length": str(10 * MAX_DISCARDED_BYTES)})


def send_until_closed(connection: socket.socket, most: int) -> int:
    """Send until the server closes the connection, and return how much it took."""
    sent = 0
    try:
        while sent < most:
            sent += connection.send(BODY[:PIECE])
    except OSError:
        pass
    return sent


def test_only_so_much_of_a_body_is_discarded(settings: Settings) -> None:
    with refusing(settings) as url, connected(address_of(url)) as connection:
        connection.sendall(HEAD)
        answer = one_answer(connection)
        sent = send_until_closed(connection, 10 * MAX_DISCARDED_BYTES)

    assert statuses([answer]) == [413]
    assert MAX_DISCARDED_BYTES / 2 < sent < 2 * MAX_DISCARDED_BYTES


def test_only_a_bounded_amount_is_discarded_without_a_request(settings: Settings) -> None:
    with refusing(settings) as url, connected(address_of(url)) as connection:
        connection.sendall(b"Dear sir or madam,\r\n\r\n")
        answer = one_answer(connection)
        sent = send_until_closed(connection, 10 * MAX_DISCARDED_BYTES)

    assert statuses([answer]) == [400]
    assert MAX_DISCARDED_BYTES / 2 < sent < 2 * MAX_DISCARDED_BYTES


@pytest.mark.parametrize("first", [HEAD, b"Dear sir or madam,\r\n\r\n"])
def test_only_for_so_long_is_anything_discarded(settings: Settings, first: bytes) -> None:
    with refusing(settings, client_seconds=0.5) as url, connected(address_of(url)) as connection:
        connection.sendall(first)
        one_answer(connection)

        wait_until(lambda: is_closed(connection))


def test_a_refused_body_that_ends_leaves_the_connection_to_the_next_request(settings: Settings) -> None:
    head = request(PATH, "POST", **JSON, **FORWARDED, **{"Content-Length": "200000"})
    with refusing(settings, limit_concerns="1/minute") as url, connected(address_of(url)) as connection:
        answers = []
        for _ in range(2):
            connection.sendall(head + BODY[:100_000])
            connection.sendall(BODY[:100_000])
            answers.append(one_answer(connection))
        connection.sendall(bye(SECTION))
        answers.append(one_answer(connection))

    assert statuses(answers) == [400, 429, 200]


def test_a_large_request_without_a_free_place_gets_the_refusal(settings: Settings) -> None:
    with refusing(settings, at_work) as url:
        answers = [_by_http_client(url, BODY[:900_000]) for _ in range(TRIES)]

    assert answers == [503] * TRIES
