"""The front of the server: responds to plain reads from the cache, before uvicorn parses them.

A client that repeats a read sends the same bytes. So the bytes of a head that was answered from the cache are stored
with the finished response. They hold nothing personal: a request with a credential or a body is never stored.
"""

import time
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import unquote

from app.http.cache import CacheRequest, ResponseCache, WireResponse
from app.http.log_requests import RequestRecords, new_request_id, route_template
from app.http.metrics import Answered
from app.server.framing import Head

MAX_STORED_ANSWERS = 500
MAX_ANSWER_BYTES = 50_000
"""Maximum bytes of a stored response. It shares its body with the cache, as long as the cache holds that."""
MAX_HEAD_BYTES = 2_000
STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\ndate: ", 304: b"HTTP/1.1 304 Not Modified\r\ndate: "}
KEEP_ALIVE = b"keep-alive"
CREDENTIAL = b"authorization"


class StoredAnswer(NamedTuple):
    """The stored response to a head."""

    request: CacheRequest
    response: WireResponse
    holds: bool
    """True if it is valid until the cache is cleared; False if it expires, and so is looked up at each use."""
    route: str
    fields: bytes
    """The header fields up to the request ID."""


class Front:
    """The stored responses to heads. They are dropped when the cache is cleared, which replaces its store."""

    def __init__(self, cache: ResponseCache, records: RequestRecords) -> None:
        self._cache = cache
        self._records = records
        self._store = cache.store
        self._answers: dict[bytes, StoredAnswer] = {}
        self._second = 0
        self._date = b""

    @property
    def date(self) -> bytes:
        """The current second, in the format of the `Date` header."""
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True).encode()
        return self._date

    def answer_known(self, head: bytes) -> bytes | None:
        """Return the stored response to a head, or None if the head must be parsed."""
        stored = self._answers.get(head)
        if stored is None:
            return None
        began = time.perf_counter()
        if self._cache.store is not self._store:
            return None
        if not stored.holds and (self._cache.find(stored.request) or (None,))[-1] is not stored.response:
            return None
        return self._finish(stored, began)

    def answer(self, data: bytes, head: Head) -> bytes | None:
        """Return the response to the head, and store it; None if it is not in the cache."""
        if len(data) > MAX_HEAD_BYTES:
            return None
        began = time.perf_counter()
        request = self._parse(head)
        found = None if request is None else self._cache.find(request)
        if request is None or found is None:
            return None
        route, response = found
        entry = self._cache.store.find(request.key)
        holds = entry is not None and entry.holds_until is None
        answer = StoredAnswer(request, response, holds, route_template(route), response.fields + b"x-request-id: ")
        if len(response.body) <= MAX_ANSWER_BYTES:
            self._put(data, answer)
        return self._finish(answer, began)

    def _parse(self, head: Head) -> CacheRequest | None:
        """Return the request as the cache sees it; None if it is not a plain read."""
        values = dict(head.fields)
        if head.method != b"GET" or head.is_1_0 or CREDENTIAL in values or not head.target.startswith(b"/"):
            return None
        if values.get(b"connection", KEEP_ALIVE).lower() != KEEP_ALIVE:
            return None
        path, _, query = head.target.partition(b"?")
        scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": head.fields}
        return self._cache.parse({**scope, "path": unquote(path.decode("ascii")), "query_string": query})

    def _finish(self, answer: StoredAnswer, began: float) -> bytes:
        """Record the response, and return it with the date and a new request ID."""
        request_id, (status, _, _, body) = new_request_id(), answer.response
        self._records.add(Answered(request_id, "GET", answer.route, status, time.perf_counter() - began, True))
        return b"".join(
            (STATUS_LINES[status], self.date, b"\r\n", answer.fields, request_id.encode(), b"\r\n\r\n", body)
        )

    def _put(self, data: bytes, answer: StoredAnswer) -> None:
        """Store the response. Drop the oldest if there are too many, and all of them if the cache was cleared."""
        if self._cache.store is not self._store:
            self._store = self._cache.store
            self._answers.clear()
        self._answers[data] = answer
        if len(self._answers) > MAX_STORED_ANSWERS:
            del self._answers[next(iter(self._answers))]
