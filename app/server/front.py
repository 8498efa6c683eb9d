"""The front of the server: responds to public reads from the cache, before uvicorn parses the request, and refuses.

A client that repeats a read sends the same bytes, so the raw request head is stored with the finished response. A
request with a body, an Authorization header or a cookie is never stored.
"""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote

from app.errors import Problem
from app.http.cache import CacheRequest, ResponseCache, WireResponse
from app.http.log_requests import NO_ROUTE, OTHER_METHOD, RequestRecords, new_request_id, route_template
from app.http.metrics import FinishedRequest
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.http.response_headers import security_headers
from app.models.links import problem_path
from app.models.operations.problems import ProblemDetails
from app.server.framing import Head

MAX_STORED_ANSWERS = 500
MAX_ANSWER_BYTES = 50_000
"""The body is shared with the cache, so it uses no more memory."""
MAX_HEAD_BYTES = 2_000
STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\ndate: ", 304: b"HTTP/1.1 304 Not Modified\r\ndate: "}
KEEP_ALIVE = b"keep-alive"
CREDENTIALS = frozenset((b"authorization", b"cookie"))


class StoredAnswer(NamedTuple):
    """A response for all requests with the same raw head."""

    request: CacheRequest
    response: WireResponse
    holds: bool
    """True if valid until the cache is cleared. Otherwise it expires, and is looked up in the cache at each use."""
    route: str
    fields: bytes
    """The last is `x-request-id` without its value, which is new in each response."""


class Front:
    """The finished responses by raw request head.

    When responses become invalid, the cache gets a new store: responses of an earlier store are not used.
    """

    def __init__(self, cache: ResponseCache, records: RequestRecords, *, is_https: bool) -> None:
        self._cache = cache
        self._records = records
        self._store = cache.store
        self._answers: dict[bytes, StoredAnswer] = {}
        self._headers_of_refusals = {
            **security_headers(is_https=is_https),
            "Content-Type": PROBLEM_MEDIA_TYPE,
            "Access-Control-Allow-Origin": "*",  # the response holds no personal data, and no Origin was read
            "Connection": "close",
        }
        self._second = 0
        self._date = b""

    @property
    def date(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True).encode()
        return self._date

    def answer_known(self, head: bytes) -> bytes | None:
        """Return the response for a known raw head, or None if the caller must parse the head."""
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
        """Return the cached response, and store it under the raw head, unless its body is large.

        None if this is no plain public read, is not cached, or if the head is longer than `MAX_HEAD_BYTES`.
        """
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

    def refuse(self, kind: type[Problem]) -> bytes:
        """Refuse data and connections that never reach the service, with a record in log and metrics."""
        request_id = new_request_id()
        self._records.add(FinishedRequest(request_id, OTHER_METHOD, NO_ROUTE, kind.status, 0.0))
        problem = ProblemDetails(
            type=problem_path(kind.slug),
            title=kind.title,
            status=kind.status,
            detail=f"{kind.meaning} In immediate danger call 999.",
            instance=f"urn:uuid:{request_id}",
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        own = {"Content-Length": str(len(body)), "X-Request-ID": request_id, **kind.headers}
        fields = [f"{name}: {value}".encode() for name, value in (self._headers_of_refusals | own).items()]
        status_line = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}".encode()
        return b"\r\n".join([status_line, b"date: " + self.date, *fields, b"", body])

    def _parse(self, head: Head) -> CacheRequest | None:
        """A plain public read is a GET by HTTP/1.1 for a path, without credentials, that keeps the connection alive."""
        values = dict(head.fields)
        if (
            head.method != b"GET"
            or head.is_1_0
            or not CREDENTIALS.isdisjoint(values)
            or not head.target.startswith(b"/")
        ):
            return None
        if values.get(b"connection", KEEP_ALIVE).lower() != KEEP_ALIVE:
            return None
        path, _, query = head.target.partition(b"?")
        scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": head.fields}
        return self._cache.parse({**scope, "path": unquote(path.decode("ascii")), "query_string": query})

    def _finish(self, answer: StoredAnswer, began: float) -> bytes:
        request_id, (status, _, _, body) = new_request_id(), answer.response
        self._records.add(FinishedRequest(request_id, "GET", answer.route, status, time.perf_counter() - began, True))
        return b"".join(
            (STATUS_LINES[status], self.date, b"\r\n", answer.fields, request_id.encode(), b"\r\n\r\n", body)
        )

    def _put(self, data: bytes, answer: StoredAnswer) -> None:
        if self._cache.store is not self._store:
            self._store = self._cache.store
            self._answers.clear()
        self._answers[data] = answer
        if len(self._answers) > MAX_STORED_ANSWERS:
            del self._answers[next(iter(self._answers))]
