"""The log of requests: a line for each request, with its id, method, route, status and duration."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from app.http.metrics import FinishedRequest, Metrics
from app.logs import Log

if TYPE_CHECKING:
    from app.http.tracing import Traces

log = Log(__name__)
NO_ROUTE = "(none)"
OTHER_METHOD = "OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SERVER_ERROR = 500


class RequestRecords:
    def __init__(self, metrics: Metrics, traces: "Traces | None" = None) -> None:
        self._metrics = metrics
        self._traces = traces
        self._answered: list[FinishedRequest] = []

    def add(self, answered: FinishedRequest) -> None:
        """Record a request in the next turn of the event loop. A kill before that loses the record."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write)
        self._answered.append(answered)

    def _write(self) -> None:
        answered, self._answered = self._answered, []
        self._metrics.record(answered)
        lines = [
            {
                "request_id": each.request_id,
                "method": each.method,
                "route": each.route,
                "status": each.status,
                "milliseconds": round(each.seconds * 1000, 1),
            }
            for each in answered
        ]
        log.info_each("request", lines)
        if self._traces is not None:
            self._traces.record(answered)


def new_request_id() -> str:
    """Return a UUID of version 4. `uuid.uuid4` takes three times as long, and every cache hit pays for it."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def route_template(route: Any) -> str:
    """Return a template such as /v1/concerns/{reference}. The path itself may have the reference of a concern."""
    path: str = getattr(route, "path", NO_ROUTE)
    return path
