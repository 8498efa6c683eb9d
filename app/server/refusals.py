"""Bare refusals: problems that a connection sends where no request was read, not even its path."""

from collections.abc import Iterable
from http import HTTPStatus

from app.errors import Problem
from app.models.links import problem_path
from app.models.problems import ProblemDetails
from app.web.metrics import Answered
from app.web.middleware.request_log import NO_ROUTE, OTHER_METHOD, RequestRecords, new_request_id
from app.web.middleware.security_headers import security_headers
from app.web.problem_responses import PROBLEM_MEDIA_TYPE

REFUSALS = "refusals"
"""The name of the `Refusals` in the lifespan state (ASGI), which every connection gets."""


class Refusals:
    """Makes bare refusals, and records each like every other response: a line in the log, and a count."""

    def __init__(self, records: RequestRecords, *, is_https: bool) -> None:
        self._records = records
        self._headers = {
            **security_headers(is_https=is_https),
            "Content-Type": PROBLEM_MEDIA_TYPE,
            "Access-Control-Allow-Origin": "*",  # it says nothing of anybody, and no Origin was read
            "Connection": "close",
        }

    def make(self, kind: type[Problem], default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the problem as the bytes of a response."""
        request_id = new_request_id()
        self._records.add(Answered(request_id, OTHER_METHOD, NO_ROUTE, kind.status, 0.0))
        problem = ProblemDetails(
            type=problem_path(kind.slug),
            title=kind.title,
            status=kind.status,
            detail=f"{kind.meaning} In immediate danger call 999.",
            instance=f"urn:uuid:{request_id}",
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        own = {"Content-Length": str(len(body)), "X-Request-ID": request_id, **kind.headers}
        fields = [f"{name}: {value}".encode() for name, value in (self._headers | own).items()]
        default = [b"%b: %b" % field for field in default_headers]
        status_line = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}".encode()
        return b"\r\n".join([status_line, *default, *fields, b"", body])
