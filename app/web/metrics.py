"""Metrics in the Prometheus format. Labels are route templates, methods and statuses: nothing from a request."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from app.about import VERSION
from app.web.operation_gauges import OperationState, gauge, operation_gauges, snapshot_registry

SMALLEST_SHOWN = 5
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for the folder in which several processes share their counts."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Series = tuple[str, str, int, bool]
"""Method, route, status, and whether the response came from the cache."""
Bound = tuple[Counter, Histogram, Counter | None]


class Answered(NamedTuple):
    """One answered request: the template of its route, and the seconds that it took."""

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    cached: bool = False
    """True if it was answered from the response cache."""

    def fields(self) -> dict[str, Any]:
        """Return its fields in the log."""
        return {
            "request_id": self.request_id,
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "milliseconds": round(self.seconds * 1000, 1),
        }


class Metrics:
    """Counts and times of requests and flushes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "guidance_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "guidance_request_seconds",
            "Time to answer, in seconds.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )

        self._acts = Histogram(
            "guidance_writer_acts", "Acts that one flush carried.", buckets=BATCHES, registry=self.registry
        )
        self._flushes = Histogram(
            "guidance_writer_flush_seconds",
            "Time of one flush to the disk, in seconds.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._hits = Counter(
            "guidance_cache_hits", "Requests answered from the response cache.", ["route"], registry=self.registry
        )
        self._bound: dict[Series, Bound] = {}

    def record(self, answered: Sequence[Answered]) -> None:
        """Count answered requests."""
        alike: defaultdict[Series, list[float]] = defaultdict(list)
        for _, method, route, status, seconds, cached in answered:
            alike[method, route, status, cached].append(seconds)
        for series, took in alike.items():
            requests, times, hits = self._bound.get(series) or self._bind(series)
            requests.inc(len(took))
            if hits is not None:
                hits.inc(len(took))
            for seconds in took:
                times.observe(seconds)

    def _bind(self, series: Series) -> Bound:
        """Look the labels up, once: that takes longer than counting."""
        method, route, status, cached = series
        bound = self._bound[series] = (
            self._requests.labels(method, route, str(status)),
            self._seconds.labels(method, route),
            self._hits.labels(route) if cached else None,
        )
        return bound

    def record_flush(self, acts: int, seconds: float) -> None:
        """Count one flush of the writer."""
        self._acts.observe(acts)
        self._flushes.observe(seconds)

    def text(
        self,
        *,
        waiting: int,
        concerns: Mapping[str, int],
        deliveries: Mapping[tuple[str, str], int],
        workers: Mapping[str, tuple[bool, float]],
        operation: OperationState,
        commit: str | None = None,
    ) -> bytes:
        """Return all metrics in the text format of Prometheus, summed over all processes that serve together.

        `waiting` is the number of writes that this process has queued. Concerns are counted by state, and only where
        there are five or more: these metrics are public, and a small number could identify a child. Deliveries that
        wait or failed are counted by webhook. Each background worker of this process is alive or not, and last showed
        so some seconds ago.
        """
        registry = self.registry
        if SHARED_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        families = _current_state(waiting, concerns, deliveries, workers)
        build = gauge(
            "guidance_build_info", "The version, and the commit.", ("version", "commit"), {(VERSION, commit or ""): 1}
        )
        state = snapshot_registry([*families, *operation_gauges(operation), build])
        return generate_latest(registry) + generate_latest(state)


def _current_state(
    waiting: int,
    concerns: Mapping[str, int],
    deliveries: Mapping[tuple[str, str], int],
    workers: Mapping[str, tuple[bool, float]],
) -> Iterator[Metric]:
    """Yield the gauges of this moment."""
    yield gauge("guidance_writer_waiting", "Acts that wait for the disk.", (), {(): waiting})
    yield gauge(
        "guidance_concerns",
        "Concerns in each state, and overdue ones; a number under five is not shown.",
        ("state",),
        {(state,): count for state, count in concerns.items() if count >= SMALLEST_SHOWN},
    )
    is_overdue = concerns.get("overdue", 0) > 0
    yield gauge("guidance_overdue_any", "Whether any concern, or addition, is overdue.", (), {(): is_overdue})
    yield gauge(
        "guidance_deliveries",
        "Deliveries that wait, and that could not be made.",
        ("webhook", "state"),
        {(webhook, state): count for (webhook, state), count in deliveries.items()},
    )
    yield gauge(
        "guidance_worker_alive",
        "Whether the thread of a background worker runs, in the process that answers.",
        ("worker",),
        {(name,): is_alive for name, (is_alive, _) in workers.items()},
    )
    yield gauge(
        "guidance_worker_silent_seconds",
        "Seconds since a background worker last showed that it works, in the process that answers.",
        ("worker",),
        {(name,): seconds for name, (_, seconds) in workers.items()},
    )
