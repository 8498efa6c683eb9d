"""Problem responses to data or connections that are refused before they reach the service."""

from http import HTTPStatus

from app.errors import Problem
from app.http.log_requests import NO_ROUTE, OTHER_METHOD, RequestRecords, new_request_id
from app.http.metrics import FinishedRequest
from app.http.problems import PROBLEM_MEDIA_TYPE
from app.http.response_headers import security_headers
from app.models.links import problem_path
from app.models.operations.problems import ProblemDetails


class Refusals:
    """Refuses requests that never reach the service, and records each in log and metrics."""

    def __init__(self, records: RequestRecords, *, is_https: bool) -> None:
        self._records = records
        self._headers = {
            **security_headers(is_https=is_https),
            "Content-Type": PROBLEM_MEDIA_TYPE,
            "Access-Control-Allow-Origin": "*",  # the response holds no personal data, and no Origin was read
            "Connection": "close",
        }

    def make(self, kind: type[Problem], date: bytes) -> bytes:
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
        fields = [f"{name}: {value}".encode() for name, value in (self._headers | own).items()]
        status_line = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}".encode()
        return b"\r\n".join([status_line, b"date: " + date, *fields, b"", body])
