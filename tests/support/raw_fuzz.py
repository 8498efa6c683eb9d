"""Requests over raw sockets whose bytes come in odd ways, drawn from a seed."""

import random
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from socket import socket

from tests.support.raw_requests import AnswerStream, Catalogue, RawRequest
from tests.support.wire import Address, connected

ODD = ["\r", "\n", "\0", " ", "\t", ":", ",", ";", "é", "%00", "\x7f", "\r\n", "\r\n ", "Content-Length: 5\r\n"]
LAST = RawRequest("GET", "/health/live", "/health/live", '"checks":{}', ("Connection: close",))


class Fuzz:
    """One caller's requests, drawn from a seed."""

    def __init__(self, address: Address, catalogue: Catalogue, caller: int, seed: str) -> None:
        self._address = address
        self._catalogue = catalogue
        self._caller = caller
        self._draw = random.Random(seed)  # noqa: S311  # a test that can be repeated

    def a_head_in_two_parts_at_every_byte(self) -> None:
        """One request on one connection, again and again, each time cut at the next byte of its head."""
        request = self._drawn()
        data = request.data()
        with connected(self._address) as connection:
            answers = AnswerStream(connection)
            for cut in range(1, data.index(b"\r\n\r\n") + 4):
                connection.sendall(data[:cut])
                connection.sendall(data[cut:])
                self._expect(answers, request)
            self._expect_the_end(connection, answers)

    def halves_of_two_requests(self) -> None:
        """Several requests without a pause, cut anywhere: a part has the end of one and the start of the next.

        Or each comes in a part of its own, before the one before is answered.
        """
        drawn = [self._drawn() for _ in range(self._draw.randint(2, 8))]
        requests = list({each.marker: each for each in drawn}.values())  # each answer names one of them alone
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
            self._expect_the_end(connection, answers)

    def fields_that_are_repeated(self) -> None:
        """A request with fields of its own repeated. Where the connection lasts, the next caller of it is answered."""
        request, next_request = self._drawn(), self._drawn()
        line, *fields = request.head_lines
        for _ in range(self._draw.randint(1, 3)):
            fields.insert(self._draw.randint(0, len(fields)), self._draw.choice(fields))
        self._odd_request(request, [line, *fields], next_request)

    def a_head_with_odd_bytes(self) -> None:
        """A request with something odd in its head. It may be any request, so only its own connection may suffer."""
        request = self._drawn()
        head = "\r\n".join(request.head_lines)
        at = self._draw.randrange(len(head))
        odd = head[:at] + self._draw.choice(ODD) + head[at + self._draw.randint(0, 2) :]
        with connected(self._address) as connection, suppress(OSError):
            connection.sendall(odd.encode("latin-1") + request.data().partition(b"\r\n\r\n")[2])
            connection.sendall(b"\r\n\r\n" + LAST.data())
            answers = AnswerStream(connection)
            while (answer := answers.next()) is not None:
                self._catalogue.check_odd(answer, self._caller)

    def _drawn(self) -> RawRequest:
        return self._catalogue.draw(self._draw, self._caller)

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
            self._expect_the_end(connection, answers)

    def _expect(self, answers: AnswerStream, request: RawRequest) -> None:
        answer = answers.next()
        assert answer is not None, request
        self._catalogue.check(request, answer, must_succeed=True)

    def _expect_the_end(self, connection: socket, answers: AnswerStream) -> None:
        """Check that each request had one answer: the next is that to a last one, and nothing follows."""
        connection.sendall(LAST.data())
        self._expect(answers, LAST)
        assert answers.next() is None
        assert answers.rest == b""


Kind = Callable[[Fuzz], None]
KINDS: dict[Kind, int] = {
    Fuzz.a_head_in_two_parts_at_every_byte: 1,
    Fuzz.halves_of_two_requests: 25,
    Fuzz.fields_that_are_repeated: 50,
    Fuzz.a_head_with_odd_bytes: 50,
}
"""How often each caller does each of it in a round."""


def run_kind(kind: Kind, address: Address, catalogue: Catalogue, caller: int, seed: str) -> None:
    """Do one of it, and say with a failure how it is repeated."""
    try:
        kind(Fuzz(address, catalogue, caller, seed))
    except (AssertionError, OSError) as failure:
        failure.add_note(f"{kind.__name__}, caller {caller}, seed {seed}")
        raise
