"""Metrics in the Prometheus format. No label holds text from a request: routes are templates."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.services.concerns.submission import ConcernCount

OF_ADDITIONS = "additions_"
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable: the folder in which several processes share their counts."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Series = tuple[str, str, int, bool]
"""Method, route, status, and True for a response from the cache."""
Bound = tuple[Counter, Histogram, Counter | None]


class _Snapshot(Collector):
    """A `Gauge` would store the values, and share them with all processes."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def snapshot(families: Iterable[Metric]) -> bytes:
    return generate_latest(_Snapshot(families))


def gauge(name: str, words: str, values: Mapping[Any, float] | float, *labels: str) -> GaugeMetricFamily:
    """Return a gauge. A key of `values` is the value of the only label, or a tuple with one for each label."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for key, value in values.items() if isinstance(values, Mapping) else [((), values)]:
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family


def desk_metrics(counts: Mapping[str, int]) -> bytes:
    """Return the gauges of the desk. The states of additions begin with `additions_`."""
    additions = {name.removeprefix(OF_ADDITIONS): counts[name] for name in counts if name.startswith(OF_ADDITIONS)}
    concerns = {name: count for name, count in counts.items() if not name.startswith(OF_ADDITIONS)}
    return snapshot(
        [
            gauge("guidance_desk_concerns", "Concerns in each state, and overdue ones.", concerns, "state"),
            gauge("guidance_desk_additions", "Unacknowledged additions, and overdue ones.", additions, "state"),
        ]
    )


class FinishedRequest(NamedTuple):
    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    cached: bool = False


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "guidance_requests", "Finished requests.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "guidance_request_seconds",
            "Time to respond, in seconds.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._acts = Histogram(
            "guidance_writer_acts", "Operations in one flush.", buckets=BATCHES, registry=self.registry
        )
        self._flushes = Histogram(
            "guidance_writer_flush_seconds",
            "Time of one flush to the disk, in seconds.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._hits = Counter(
            "guidance_cache_hits", "Requests served from the response cache.", ["route"], registry=self.registry
        )
        tests = Counter(
            "guidance_test_concerns",
            "Test concerns: stored, or refused because only one of key and concern was for tests.",
            ["outcome"],
            registry=self.registry,
        )
        words = "Concerns without a key from a source that had sent many."
        self._concerns: dict[ConcernCount, Counter] = {
            ConcernCount.TEST: tests.labels(ConcernCount.TEST.value),
            ConcernCount.TEST_REFUSED: tests.labels(ConcernCount.TEST_REFUSED.value),
            ConcernCount.MARKED: Counter("guidance_marked_concerns", words, registry=self.registry),
        }
        self._refused_rows = Counter(
            "guidance_rows_refused",
            "Refused rows that would have granted access.",
            ["table"],
            registry=self.registry,
        )
        self._bound: dict[Series, Bound] = {}

    def record(self, answered: Sequence[FinishedRequest]) -> None:
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
        """A look-up is slower than a count."""
        method, route, status, cached = series
        bound = self._bound[series] = (
            self._requests.labels(method, route, str(status)),
            self._seconds.labels(method, route),
            self._hits.labels(route) if cached else None,
        )
        return bound

    def count_concern(self, counted: ConcernCount) -> None:
        self._concerns[counted].inc()

    def record_refused_row(self, table: str) -> None:
        """Count a row that would grant access, but which this service did not write."""
        self._refused_rows.labels(table).inc()

    def record_flush(self, operations: int, seconds: float) -> None:
        self._acts.observe(operations)
        self._flushes.observe(seconds)

    def text(self, gauges: Iterable[Metric]) -> bytes:
        """Return the metrics as text. With `SHARED_FOLDER`, each count is the sum over all processes."""
        is_shared = SHARED_FOLDER in os.environ
        counts = MultiProcessCollector(None) if is_shared else self.registry  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return generate_latest(counts) + snapshot(gauges)
