"""Traces for an OpenTelemetry collector: a span for each answered request, by its route template, and for each flush.

The extra `traces` holds the libraries. Nothing of a request is in a span but what its line in the log has: the method,
the template of the route, the status and the random id. A span is made after the answer, from that same record, so that
a request costs nothing where no collector is set.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.config import NAME, VERSION
from app.errors import SetupError
from app.http.metrics import Answered

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACES_PATH = "/v1/traces"
EXPORT_SECONDS = 5
FIRST_SERVER_ERROR = 500
NANOSECONDS = 1_000_000_000


class Traces:
    """Sends spans in the background. What the collector does not take is dropped: requests never wait for it."""

    def __init__(self, url: str) -> None:
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415  # an extra

        self._provider = _make_provider(f"{url.rstrip('/')}{TRACES_PATH}")
        self._tracer = self._provider.get_tracer("guidance", VERSION)
        self._server, self._internal = SpanKind.SERVER, SpanKind.INTERNAL
        self._error = StatusCode.ERROR

    def record(self, answered: Sequence[Answered]) -> None:
        """Make a span for each request that was answered just now."""
        end = time.time_ns()
        for each in answered:
            span = self._tracer.start_span(
                f"{each.method} {each.route}",
                kind=self._server,
                start_time=end - int(each.seconds * NANOSECONDS),
                attributes={
                    "http.request.method": each.method,
                    "http.route": each.route,
                    "http.response.status_code": each.status,
                    "guidance.request_id": each.request_id,
                    "guidance.cached": each.cached,
                },
            )
            if each.status >= FIRST_SERVER_ERROR:
                span.set_status(self._error)
            span.end(end)

    def record_flush(self, operations: int, seconds: float) -> None:
        """Make a span for a flush of the writer that ended just now."""
        end = time.time_ns()
        span = self._tracer.start_span(
            "writer flush",
            kind=self._internal,
            start_time=end - int(seconds * NANOSECONDS),
            attributes={"guidance.operations": operations},
        )
        span.end(end)

    def close(self) -> None:
        """Send what waits, for some seconds at most."""
        self._provider.shutdown()


def open_traces(url: str | None) -> Traces | None:
    """Return what sends traces to the collector at that address; None without one.

    Raises `SetupError` if the extra `traces` is not installed.
    """
    if url is None:
        return None
    try:
        return Traces(url)
    except ImportError:
        raise SetupError(
            "GUIDANCE_TRACES_URL needs the extra `traces`: pip install 'one-minute-guide[traces]'"
        ) from None


def _make_provider(endpoint: str) -> "TracerProvider":
    """Return a provider that reads nothing of the machine or the environment: no host name, no proxy, no user."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415  # as above
    from requests import Session  # noqa: PLC0415  # as above

    session = Session()
    session.trust_env = False
    resource = Resource({"service.name": NAME, "service.version": VERSION})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint, headers={}, timeout=EXPORT_SECONDS, session=session)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
