"""Traces for an OpenTelemetry collector: a span for each request, and for each flush of the database writer.

Only a service with a collector imports this module, whose libraries are in the extra `traces`. Like the log line, a
span is made after the response, so tracing costs nothing without a collector.
"""

import time
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode
from requests import Session

from app.build import VERSION
from app.config import NAME
from app.http.metrics import FinishedRequest
from app.services.operations.external_services import TRACES_PATH

EXPORT_SECONDS = 5
FIRST_SERVER_ERROR = 500
NANOSECONDS = 1_000_000_000


class Traces:
    """Sends traces in the background. Traces that the collector refuses are dropped."""

    def __init__(self, url: str) -> None:
        self._provider = _make_provider(f"{url.rstrip('/')}{TRACES_PATH}")
        self._tracer = self._provider.get_tracer("guidance", VERSION)

    def record(self, answered: Sequence[FinishedRequest]) -> None:
        """Record the spans, each of which ends at the time of this call."""
        end = time.time_ns()
        for each in answered:
            span = self._tracer.start_span(
                f"{each.method} {each.route}",
                kind=SpanKind.SERVER,
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
                span.set_status(StatusCode.ERROR)
            span.end(end)

    def record_flush(self, operations: int, seconds: float) -> None:
        end = time.time_ns()
        span = self._tracer.start_span(
            "writer flush",
            kind=SpanKind.INTERNAL,
            start_time=end - int(seconds * NANOSECONDS),
            attributes={"guidance.operations": operations},
        )
        span.end(end)

    def close(self) -> None:
        """Send what is pending, which takes at most some seconds."""
        self._provider.shutdown()


def _make_provider(endpoint: str) -> TracerProvider:
    """Spans name neither host nor user, and proxy settings of the environment are ignored."""
    session = Session()
    session.trust_env = False
    resource = Resource({"service.name": NAME, "service.version": VERSION})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint, headers={}, timeout=EXPORT_SECONDS, session=session)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
