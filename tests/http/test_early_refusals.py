"""A request that is refused before its body has come: its client gets the answer, also if it sends everything first."""

import http.client
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.config import Settings
from app.main import create_app
from app.server.connection import MAX_DISCARDED_BYTES, ClientDeadline
from tests.support.clock import A_TUESDAY
from tests.support.threaded import run_server
from tests.support.waiting import wait_until
from tests.support.wire import (
    SECTION,
    address_of,
    bye,
    connected,
    everything_from,
    is_closed,
    one_answer,
    request,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

TRIES = 20
BODY = b" " * 8_000_000
PIECE = 65_536
PATH = "/v1/concerns"
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
    fields = [part for pair in (JSON | FORWARDED).items() for part in ("-H", ": ".join(pair))]
    command = ["curl", "--silent", "--max-time", "60", *fields, *more, "--data-binary", f"@{file}", url]
    answer = subprocess.run([*command, "-w", "\n%{http_code}"], capture_output=True, check=True, text=True)
    assert "999" in answer.stdout
    return int(answer.stdout.rpartition("\n")[2])


def by_curl_at_once(url: str, file: Path) -> int:
    return by_curl(url, file, "-H", "Expect:")  # it does not wait for `100 Continue`


def by_curl_with_http2(url: str, file: Path) -> int:
    return by_curl(url, file, "--http2", "-H", "Expect:")


CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
CLIENTS = [
    by_urllib,
    by_http_client,
    by_chunks,
    *(pytest.param(each, marks=CURL) for each in (by_curl, by_curl_at_once, by_curl_with_http2)),
]


def at_work(service: FastAPI) -> None:
    """Take every place for requests in progress."""
    layer: Any = service.middleware_stack
    while not hasattr(layer, "_at_work"):
        layer = layer.app
    layer._at_work = 1


def stopping(service: FastAPI) -> None:
    """Let the process drain."""
    service.state.context.draining.set()


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


@pytest.mark.parametrize("by", CLIENTS)
@pytest.mark.parametrize(
    ("status", "prepare", "limit"),
    [(413, nothing, "1000/minute"), (429, nothing, "1/minute"), (503, stopping, "1000/minute")],
)
def test_a_client_that_still_sends_gets_the_refusal_every_time(
    settings: Settings, tmp_path: Path, by: Send, status: int, prepare: Callable[[FastAPI], None], limit: str
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    with refusing(settings, prepare, limit_concerns=limit) as url:
        if status == 429:
            by(f"{url}{PATH}", file)  # the one that is not too often
        answers = [by(f"{url}{PATH}", file) for _ in range(TRIES)]

    assert answers == [status] * TRIES


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


def test_only_so_much_is_discarded_where_no_request_was_read(settings: Settings) -> None:
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


def test_a_request_refused_for_want_of_a_place_has_no_body_left_to_send(settings: Settings) -> None:
    with refusing(settings, at_work) as url:
        answers = [_by_http_client(url, BODY[:900_000]) for _ in range(TRIES)]

    assert answers == [503] * TRIES
