"""Gauges of how the service works now: its threads, its caches, its outbox, and what is always true."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


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
