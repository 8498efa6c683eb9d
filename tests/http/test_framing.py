"""A request that another program may read in another way is refused, and nothing behind it is read."""

import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product

import h11
import pytest
from fastapi import FastAPI
from sqlalchemy import func
from sqlmodel import Session, select

from app.errors import Problem
from app.http.context import AppContext
from app.models.concerns.rows import ConcernRow
from app.server.framing import MAX_FIELD_BYTES, read_head
from tests.support.framing import BODIES, CLEAR, HEADS, HIDDEN
from tests.support.loops import for_each
from tests.support.raw_requests import BODY as CONCERN
from tests.support.wire import (
    SECTION,
    Address,
    address,
    body_of,
    bye,
    chunked,
    connected,
    everything_from,
    exchange,
    fields_of,
    one_answer,
    request,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

__all__ = ["address"]  # a fixture
JSON = {"Content-Type": "application/json"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LENGTH = {"Content-Length": str(len(CONCERN))}


def expect_the_last_refused(answers: list[bytes], *before: int) -> None:
    """Check that the last answer is a refusal that closes the connection, and the others are those statuses."""
    assert statuses(answers) == [*before, 400]
    assert body_of(answers[-1])["status"] == 400
    assert "999" in answers[-1].decode()
    assert fields_of(answers[-1])["connection"] == "close"


def test_the_table_has_the_ambiguous_heads() -> None:
    assert len(HEADS) > 100
    assert len(BODIES) > 20


@for_each("ambiguous", [*HEADS.values(), *BODIES.values()])
def test_an_ambiguous_request_is_refused_and_the_connection_closes(address: Address, ambiguous: bytes) -> None:
    expect_the_last_refused(exchange(address, ambiguous + HIDDEN))


@for_each("ambiguous", [*HEADS.values(), *BODIES.values()])
def test_behind_other_requests_it_is_refused_after_their_answers(address: Address, ambiguous: bytes) -> None:
    answers = exchange(address, request("/v1/signposts") + request(SECTION) + ambiguous + HIDDEN)

    expect_the_last_refused(answers, 200, 200)


@for_each("ambiguous", [*HEADS.values(), *BODIES.values()])
def test_on_a_connection_that_was_answered_from_the_cache_it_is_refused(address: Address, ambiguous: bytes) -> None:
    exchange(address, bye())
    with connected(address) as connection:
        connection.sendall(request(SECTION))
        first = one_answer(connection)
        connection.sendall(ambiguous + HIDDEN)
        answer = everything_from(connection)

    assert statuses([first]) == [200]
    expect_the_last_refused([answer])
    assert answer.count(b"HTTP/1.1 ") == 1


KILOBYTE = 1_024
RUNS = [
    b" ",
    b"\t",
    b"a",
    b"7",
    b":",
    b";",
    b",",
    b"=",
    b'"',
    b"\\",
    b"%",
    b"/",
    b"-",
    b"\r",
    b"\n",
    b"\0",
    b"\x7f",
    b"\xe9",
]
RUNS += [b" \t", b"a ", b": ", b"\r\n", b"\r\r\n", b"a:\r\n", b"[:", b"1,"]
PLACES = [
    "Host: a%sb",
    "Content-Type: a%sb",
    "Authorization:%sb",
    "Content-Length: 1%s1",
    "Transfer-Encoding:%sx",
    "X: %s",
]
PLACES += ["%sX: y", "X%s: y", "X: y%s"]


def seconds_to_check(place: str, run: bytes, size: int) -> float:
    """The seconds of processor that the check of a head takes whose fields hold so many bytes of the run."""
    line = place.encode().replace(b"%s", run * (8 * KILOBYTE // len(run) - 8)) + b"\r\n"
    data = b"GET /v1 HTTP/1.1\r\nHost: localhost\r\n" + line * (size // len(line)) + b"\r\n"
    whole = b"GET /v1 HTTP/1.1\r\n" + place.encode().replace(b"%s", run * (size // len(run))) + b"\r\n\r\n"
    began = time.process_time()
    for each in (data, whole):
        with suppress(Problem):
            read_head(each)
    return time.process_time() - began


@for_each(("place", "run"), list(product(PLACES, RUNS)))
def test_a_long_head_costs_no_more_to_check_per_byte(place: str, run: bytes) -> None:
    short = max(seconds_to_check(place, run, 8 * KILOBYTE), 0.001)

    assert seconds_to_check(place, run, 64 * KILOBYTE) < 30 * short


@for_each("place", ["Authorization: a%sb", "Host: a%sb", "Content-Type: a%sb"])
def test_others_are_answered_while_a_head_of_blanks_is_read(address: Address, place: str) -> None:
    blanks = [
        request("/v1/signposts")[:-2] + place.encode().replace(b"%s", b" " * size) + b"\r\n\r\n"
        for size in (8_000, 60_000)
    ]
    exchange(address, bye())
    began = time.process_time()  # of the server too, which is a thread of this process
    with ThreadPoolExecutor() as callers:
        slow = [callers.submit(exchange, address, each + bye()) for each in blanks * 4]
        answers = [exchange(address, bye("/health/live")) for _ in range(5)]
        sent = [each.result() for each in slow]

    assert [statuses(each) for each in answers] == [[200]] * 5
    assert all(statuses(each)[0] in {200, 400, 431} for each in sent)
    assert time.process_time() - began < 5


def test_a_field_has_at_most_eight_kilobytes(address: Address) -> None:
    longest = MAX_FIELD_BYTES - len("X: ")

    answers = [exchange(address, bye(X="x" * (longest + more)))[0] for more in (0, 1)]

    assert statuses(answers) == [200, 431]
    assert body_of(answers[1])["type"] == "/v1/problems/head-too-large"


def test_a_read_from_the_cache_needs_a_clear_head(address: Address) -> None:
    exchange(address, bye())
    clear = request(SECTION)
    ambiguous = [
        clear.replace(b"\r\n", b"\n"),
        clear[:-2] + b"X: y\r\n z\r\n\r\n",
        clear[:-2] + b"Host: localhost\r\n\r\n",
        clear[:-2] + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        clear.replace(b"localhost", b"local/host"),
    ]

    assert statuses(exchange(address, clear + bye())) == [200, 200]
    assert [statuses(exchange(address, each)) for each in ambiguous] == [[400]] * len(ambiguous)


@for_each("ambiguous", HEADS.values())
def test_an_ambiguous_request_is_refused_also_byte_by_byte(address: Address, ambiguous: bytes) -> None:
    with connected(address) as connection:
        for byte in ambiguous[:-1]:
            connection.sendall(bytes([byte]))
        connection.sendall(ambiguous[-1:] + HIDDEN)
        answer = everything_from(connection)

    expect_the_last_refused([answer])


@for_each("clear", CLEAR.values())
def test_what_has_one_meaning_is_answered_and_the_connection_goes_on(address: Address, clear: bytes) -> None:
    answers = exchange(address, clear + clear + bye())

    assert statuses(answers)[2:] == [200]
    assert {*statuses(answers)[:2]} <= {415, 422}  # no concern, but a whole request
    assert "connection" not in fields_of(answers[0])


@for_each("seed", range(30))
def test_a_body_in_chunks_arrives_whole_however_it_is_cut(address: Address, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # a test that can be repeated
    cuts = sorted(draw.sample(range(1, len(CONCERN)), draw.randint(1, 30)))
    parts = [CONCERN[start:end] for start, end in zip([0, *cuts], [*cuts, len(CONCERN)], strict=True)]
    body = b"".join(chunked(part)[: -len(b"0\r\n\r\n")] for part in parts) + b"0\r\nX: y\r\n\r\n"
    posted = request("/v1/concerns/check", "POST", **JSON, **{"Transfer-Encoding": "chunked"}) + body
    data = posted * 3 + bye()
    with connected(address) as connection:
        while data:
            size = draw.choice([1, 2, 3, 50, 1000])
            connection.sendall(data[:size])
            data = data[size:]
        answers = everything_from(connection)

    assert answers.count(b"HTTP/1.1 200 ") == 4


def concerns_of(service: FastAPI) -> int:
    """The number of concerns that are stored."""
    context: AppContext = service.state.context
    with Session(context.engine) as session:
        return session.exec(select(func.count()).select_from(ConcernRow)).one()


def half_closed(address: Address, *parts: bytes) -> bytes:
    """All that comes after the parts were sent and the side of the client was closed at once."""
    with connected(address) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return everything_from(connection)


@for_each("fields", [LENGTH, {**LENGTH, "Expect": "100-continue"}, {**LENGTH, "Connection": "close"}])
def test_who_closes_their_side_after_a_concern_gets_the_receipt(address: Address, fields: dict[str, str]) -> None:
    for _ in range(5):
        head = request("/v1/concerns", "POST", **JSON, **fields)
        for parts in ([head + CONCERN], [head, CONCERN]):
            answer = half_closed(address, *parts).removeprefix(CONTINUE)

            assert statuses([answer]) == [201]
            assert body_of(answer)["status_token"]


def test_every_request_before_the_end_is_answered(address: Address) -> None:
    posted = request("/v1/concerns", "POST", **JSON, **LENGTH) + CONCERN
    in_chunks = request("/v1/concerns", "POST", **JSON, **{"Transfer-Encoding": "chunked"}) + chunked(CONCERN)

    answers = half_closed(address, posted + in_chunks + request(SECTION) + posted)

    assert [int(each[:3]) for each in answers.split(b"HTTP/1.1 ")[1:]] == [201, 201, 200, 201]


@for_each("part", [CONCERN[:-1], b""])
def test_a_concern_that_is_not_whole_is_not_stored(service: FastAPI, address: Address, part: bytes) -> None:
    before = concerns_of(service)

    answer = half_closed(address, request("/v1/concerns", "POST", **JSON, **LENGTH) + part)

    assert statuses([answer]) == [400]
    assert concerns_of(service) == before


def test_a_chunked_concern_that_is_not_whole_is_not_stored(service: FastAPI, address: Address) -> None:
    head = request("/v1/concerns", "POST", **JSON, **{"Transfer-Encoding": "chunked"})

    answer = half_closed(address, head + chunked(CONCERN)[:-2])

    assert statuses([answer]) == [400]
    assert concerns_of(service) == 0


@for_each("data", [b"", request(SECTION)[:-2], b"GET"])
def test_who_asked_nothing_whole_gets_nothing(address: Address, data: bytes) -> None:
    assert half_closed(address, data) == b""


def test_a_read_before_the_end_is_answered_from_the_cache_too(address: Address) -> None:
    exchange(address, bye())

    assert [statuses([half_closed(address, request(SECTION))]) for _ in range(3)] == [[200]] * 3


MARK = b"GET /the-next HTTP/1.1\r\nHost: a\r\n\r\n"


def by_h11(head: bytes, body: bytes) -> tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]:
    """The method, target and fields that h11 reads in the head, and the bytes it leaves after the body."""
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(head + body + MARK)
    request = reader.next_event()
    assert isinstance(request, h11.Request)
    while not isinstance(reader.next_event(), h11.EndOfMessage):
        pass
    fields = [(name, value.lower()) for name, value in request.headers]
    return request.method, request.target, fields, reader.trailing_data[0]


@for_each("seed", range(3_000))
def test_every_reader_of_a_checked_head_reads_the_same(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # a test that can be repeated
    data = draw.choice([*HEADS.values(), *CLEAR.values()]).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for _ in range(draw.randint(0, 2)):
        at = draw.randrange(len(data) - 4)
        data = (
            data[:at]
            + draw.choice([b"\r\n", b"\n", b":", b" ", b"\t", b"0", b"X: y\r\n", b""])
            + data[at + draw.randint(0, 2) :]
        )
    with suppress(Problem):
        head = read_head(data)
        body = b"0\r\n\r\n" if head.is_chunked else b"x" * min(head.length, 1_000)
        if len(body) == head.length or head.is_chunked:
            fields = [(name, value.lower()) for name, value in head.fields]  # h11 does so with a coding
            assert by_h11(data, body) == (head.method, head.target, fields, MARK)
