"""A request that another program may read in another way is refused, and nothing behind it is read."""

import random
import socket

import pytest
from fastapi import FastAPI
from sqlmodel import Session, func, select

from app.http.context import AppContext
from app.models.concerns import ConcernRow
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
def test_what_is_ambiguous_is_refused_and_the_connection_closes(address: Address, ambiguous: bytes) -> None:
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
def test_it_is_refused_however_its_bytes_come(address: Address, ambiguous: bytes) -> None:
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
