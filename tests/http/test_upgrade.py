"""An offer of another protocol (`Connection: Upgrade`): the service stays with HTTP/1.1, and a body is a body."""

import json
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from app.models.concerns.examples import SMALLEST_EXAMPLE
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.waiting import wait_until
from tests.support.wire import (
    SECTION,
    Address,
    Chunk,
    address,
    answers_in,
    body_of,
    bye,
    chunked,
    chunks,
    connected,
    everything_from,
    one_answer,
    request,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

__all__ = ["address", "chunks"]  # fixtures

CONCERNS = "/v1/concerns"
OFFERS = ["h2c", "websocket"]
JSON = "application/json"
BODY = json.dumps(SMALLEST_EXAMPLE).encode()
SMUGGLED = request("/v1/signposts")


def offer(method: str, path: str, protocol: str, **fields: str) -> bytes:
    more = {"HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"} if protocol == "h2c" else {"Sec-WebSocket-Version": "13"}
    connection = "Upgrade, HTTP2-Settings" if protocol == "h2c" else "keep-alive, Upgrade"
    typed = {"Content-Type": JSON, "Connection": connection, "Upgrade": protocol}
    return request(path, method=method, **typed, **more, **fields)


@dataclass(frozen=True)
class Way:
    """A way in which the body comes."""

    is_chunked: bool
    is_apart: bool

    def parts(self, head: bytes, body: bytes) -> list[bytes]:
        """The parts to send, each separately."""
        framing, framed = (
            (b"Transfer-Encoding: chunked", chunked(body))
            if self.is_chunked
            else (b"Content-Length: %d" % len(body), body)
        )
        whole = head.removesuffix(b"\r\n") + framing + b"\r\n\r\n"
        return [whole, framed] if self.is_apart else [whole + framed]


WAYS = [Way(is_chunked, is_apart) for is_chunked, is_apart in product((False, True), repeat=2)]


@for_each("protocol", OFFERS)
@for_each("way", WAYS)
@for_each("method", ["GET", "POST"])
@for_each("body", [BODY, SMUGGLED])
def test_a_body_after_a_protocol_offer_is_read_as_a_body(
    address: Address, chunks: list[Chunk], protocol: str, way: Way, method: str, body: bytes
) -> None:
    path = f"{CONCERNS}/check" if method == "POST" else SECTION
    with connected(address) as connection:
        for part in way.parts(offer(method, path, protocol), body):
            before = len(chunks)
            connection.sendall(part)
            wait_until(lambda before=before: len(chunks) > before)  # type: ignore[misc]  # bound at once
        connection.sendall(bye(f"{SECTION}/no-such-factor"))
        answers = answers_in(everything_from(connection))

    assert statuses(answers) == [400 if method == "POST" and body == SMUGGLED else 200, 404]
    assert b"signposts" not in answers[0] or method == "POST"
    assert body_of(answers[1])["type"] == "/v1/problems/no-such-item"


@pytest.mark.parametrize("protocol", OFFERS)
@pytest.mark.parametrize("way", WAYS)
def test_callers_sharing_a_proxy_connection_get_their_own_answers(address: Address, protocol: str, way: Way) -> None:
    """A proxy sends each request when the one before is answered. The first caller hides a request in its body."""
    with connected(address) as connection:

        def call(method: str, path: str, body: bytes, **fields: str) -> bytes:
            for part in way.parts(offer(method, path, protocol, **fields), body):
                connection.sendall(part)
            return one_answer(connection)

        attacker = call("POST", f"{CONCERNS}/check", SMUGGLED)
        victim = call("POST", CONCERNS, BODY, **{"Idempotency-Key": "the-victim"})
        again = call("POST", CONCERNS, BODY, **{"Idempotency-Key": "the-victim"})
        third = call("GET", SECTION, SMUGGLED)

    assert statuses([attacker, victim, again, third]) == [400, 201, 201, 200]
    assert body_of(victim)["reference"] == body_of(again)["reference"]
    assert "factors" in body_of(third)
    assert b"status_token" not in attacker + third


def test_protocol_offers_and_invalid_requests_leave_one_line_each(lines: Lines, address: Address) -> None:
    """A caller that repeats them must not fill the log."""
    with connected(address) as connection:
        for protocol in OFFERS:
            connection.sendall(offer("GET", SECTION, protocol))
            one_answer(connection)
    with connected(address) as connection:
        connection.sendall(b"Dear sir or madam,\r\n\r\n")
        one_answer(connection)

    written: list[dict[str, Any]] = []

    def are_all_written() -> bool:
        written.extend(lines())
        return [line["event"] for line in written].count("request") == 3

    wait_until(are_all_written)
    of_the_server = [line["event"] for line in written if line["logger"].startswith("uvicorn")]
    assert [each for each in of_the_server if "upgrade" in each or "WebSocket" in each or "Invalid" in each] == []
