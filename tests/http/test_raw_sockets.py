"""A fuzz of raw sockets: whatever way the bytes come, no answer is an error of the server or goes to another request.

`make fuzz ROUNDS=1000` runs it for longer. `FUZZ_SEED` repeats a run.
"""

import os
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import accumulate

import pytest

from tests.support.live import LiveServer
from tests.support.raw_requests import AnswerStream, Catalogue, RawRequest
from tests.support.wire import Address, address_of, connected

pytestmark = [pytest.mark.slow]

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "2"))
SEED = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
CALLERS = 4
ODD = ["\r", "\n", "\0", " ", "\t", ":", ",", ";", "é", "%00", "\x7f", "\r\n", "\r\n ", "Content-Length: 5\r\n"]


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two processes"])
def fuzzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("fuzzed") / "data", workers=request.param, deliver="false")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def catalogue(fuzzed: LiveServer) -> Catalogue:
    with fuzzed.client() as client:
        return Catalogue(client, concerns=20)


class Fuzz:
    """One caller's requests, drawn from a seed."""

    def __init__(self, address: Address, catalogue: Catalogue, seed: str) -> None:
        self._address = address
        self._catalogue = catalogue
        self._draw = random.Random(seed)  # noqa: S311  # a test that can be repeated

    def a_head_in_two_parts_at_every_byte(self) -> None:
        """One request on one connection, again and again, each time cut at the next byte of its head."""
        request = self._catalogue.draw(self._draw)
        data = request.data()
        with connected(self._address) as connection:
            answers = AnswerStream(connection)
            for cut in range(1, data.index(b"\r\n\r\n") + 4):
                connection.sendall(data[:cut])
                connection.sendall(data[cut:])
                self._expect(answers, request)

    def halves_of_two_requests(self) -> None:
        """Several requests without a pause, cut anywhere: a part has the end of one and the start of the next.

        Or each comes in a part of its own, before the one before is answered.
        """
        requests = [self._catalogue.draw(self._draw) for _ in range(self._draw.randint(2, 8))]
        data = b"".join(each.data() for each in requests)
        cuts = sorted(self._draw.sample(range(1, len(data)), self._draw.randint(1, 12)))
        if self._draw.random() < 0.5:
            cuts = list(accumulate(len(each.data()) for each in requests))[:-1]
        with connected(self._address) as connection:
            for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                connection.sendall(data[start:end])
            answers = AnswerStream(connection)
            for each in requests:
                self._expect(answers, each)

    def fields_that_are_repeated(self) -> None:
        """A request with fields of its own repeated. Where the connection lasts, the next caller of it is answered."""
        request, next_request = self._catalogue.draw(self._draw), self._catalogue.draw(self._draw)
        line, *fields = request.head_lines
        for _ in range(self._draw.randint(1, 3)):
            fields.insert(self._draw.randint(0, len(fields)), self._draw.choice(fields))
        self._odd_request(request, [line, *fields], next_request)

    def a_head_with_odd_bytes(self) -> None:
        """A request with something odd in its head. It may be any request, so only its own connection may suffer."""
        request = self._catalogue.draw(self._draw)
        head = "\r\n".join(request.head_lines)
        at = self._draw.randrange(len(head))
        odd = head[:at] + self._draw.choice(ODD) + head[at + self._draw.randint(0, 2) :]
        with connected(self._address) as connection, suppress(OSError):
            connection.sendall(odd.encode("latin-1") + request.data().partition(b"\r\n\r\n")[2])
            connection.sendall(b"\r\n\r\nGET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answers = AnswerStream(connection)
            while (answer := answers.next()) is not None:
                assert int(answer[9:12]) < 500, (odd, answer)

    def _odd_request(self, request: RawRequest, head_lines: list[str], next_request: RawRequest) -> None:
        with connected(self._address) as connection:
            answers = AnswerStream(connection)
            connection.sendall(request.data(head_lines))
            answer = answers.next()
            assert answer is not None, head_lines
            self._catalogue.check(request, answer, must_succeed=False)
            if b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                return
            connection.sendall(next_request.data())
            self._expect(answers, next_request)

    def _expect(self, answers: AnswerStream, request: RawRequest) -> None:
        answer = answers.next()
        assert answer is not None, request
        self._catalogue.check(request, answer, must_succeed=True)


KINDS: dict[Callable[[Fuzz], None], int] = {
    Fuzz.a_head_in_two_parts_at_every_byte: 1,
    Fuzz.halves_of_two_requests: 25,
    Fuzz.fields_that_are_repeated: 50,
    Fuzz.a_head_with_odd_bytes: 50,
}
"""How often each caller does each of it in a round."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_request_gets_its_own_answer_whatever_way_its_bytes_come(
    fuzzed: LiveServer, catalogue: Catalogue, kind: Callable[[Fuzz], None]
) -> None:
    address = address_of(fuzzed.url)

    def run(caller: int) -> None:
        for number in range(ROUNDS * KINDS[kind]):
            seed = f"{SEED}-{caller}-{number}"
            try:
                kind(Fuzz(address, catalogue, seed))
            except (AssertionError, OSError) as failure:
                failure.add_note(f"FUZZ_SEED={SEED}, caller {caller}, number {number}")
                raise

    with ThreadPoolExecutor(CALLERS) as pool:
        for each in [pool.submit(run, caller) for caller in range(CALLERS)]:
            each.result()

    lines = fuzzed.log.read_text()
    assert '"level":"error"' not in lines
    assert "Traceback" not in lines
