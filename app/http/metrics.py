"""Metrics of the desk, in the Prometheus format: exact counts, behind a scope of their own."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.config import VERSION

OF_ADDITIONS = "additions_"


def desk_metrics(counts: Mapping[str, int]) -> bytes:
    """Return the counts of concerns, and those of additions, whose names begin with `additions_`."""
    registry = CollectorRegistry()
    concerns = Gauge(
        "guidance_desk_concerns", "Concerns in each state, and overdue ones.", ["state"], registry=registry
    )
    additions = Gauge("guidance_desk_additions", "Additions that wait, and overdue ones.", ["state"], registry=registry)
    for name, count in counts.items():
        gauge = additions if name.startswith(OF_ADDITIONS) else concerns
        gauge.labels(name.removeprefix(OF_ADDITIONS)).set(count)
    return generate_latest(registry)


# Gauges of how the service works now: its threads, its caches, its outbox, and what is always true.


@dataclass(frozen=True)
class OperationState:
    """How the process that answers works now, and what the database says."""

    writer_alive: bool
    cached_responses: int
    cached_bytes: int
    outbox_seconds: Mapping[str, float] = field(default_factory=dict)
    """The age of the oldest event that waits for each webhook, in seconds."""
    acknowledgement_seconds: Mapping[str, float] = field(default_factory=dict)
    """The time to acknowledge, by quantile; empty where there are too few to show."""
    broken: Mapping[str, bool] = field(default_factory=dict)
    """Whether each invariant that was checked is broken."""
    checked_at: Mapping[str, float] = field(default_factory=dict)
    """When the last whole check of each ended, in seconds since 1970."""


class _Snapshot(Collector):
    """Values of one moment. A `Gauge` of the library would share them with all processes, and they would remain."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """Return the values."""
        return self._families


def snapshot_registry(families: Iterable[Metric]) -> CollectorRegistry:
    """Return a registry of these values alone."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(families))
    return registry


def gauge(name: str, words: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    """Return a gauge with a value for each combination of labels."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def operation_gauges(state: OperationState) -> Iterator[Metric]:
    """Yield a gauge for each of these."""
    alive = "Whether the writer's thread runs, in the process that answers."
    yield gauge("guidance_writer_alive", alive, (), {(): state.writer_alive})
    responses = "Responses in the cache of the process that answers."
    yield gauge("guidance_cache_responses", responses, (), {(): state.cached_responses})
    size = "Memory of the cache of the process that answers."
    yield gauge("guidance_cache_bytes", size, (), {(): state.cached_bytes})
    outbox = "Age of the oldest event that waits for a webhook, in seconds."
    yield gauge("guidance_outbox_age_seconds", outbox, ("webhook",), _by_one(state.outbox_seconds))
    waited = "Time to acknowledge concerns of the last 30 days, in seconds; not shown of fewer than five."
    yield gauge("guidance_acknowledgement_seconds", waited, ("quantile",), _by_one(state.acknowledgement_seconds))
    broken = "Whether what is always true is broken (1)."
    yield gauge("guidance_invariant_broken", broken, ("invariant",), _by_one(state.broken))
    checked = "When the last whole check of what is always true ended, in seconds since 1970."
    yield gauge("guidance_invariant_checked_timestamp_seconds", checked, ("invariant",), _by_one(state.checked_at))


def _by_one(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


# Metrics in the Prometheus format. Labels are route templates, methods and statuses: nothing from a request.


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
