"""Gauges of how the service works now: its threads, its caches, its outbox, and what is always true."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge


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


def add_operation_gauges(registry: CollectorRegistry, state: OperationState) -> None:
    """Add a gauge for each of these to the registry."""
    alive = Gauge(
        "guidance_writer_alive", "Whether the writer's thread runs, in the process that answers.", registry=registry
    )
    alive.set(state.writer_alive)
    responses = Gauge(
        "guidance_cache_responses", "Responses in the cache of the process that answers.", registry=registry
    )
    responses.set(state.cached_responses)
    size = Gauge("guidance_cache_bytes", "Memory of the cache of the process that answers.", registry=registry)
    size.set(state.cached_bytes)
    _add(
        registry, "guidance_outbox_age_seconds", "Age of the oldest event that waits.", "webhook", state.outbox_seconds
    )
    _add(
        registry,
        "guidance_acknowledgement_seconds",
        "Time to acknowledge concerns of the last 30 days, in seconds; not shown of fewer than five.",
        "quantile",
        state.acknowledgement_seconds,
    )
    _add(registry, "guidance_invariant_broken", "Whether what is always true is broken (1).", "invariant", state.broken)


def _add(registry: CollectorRegistry, name: str, words: str, label: str, values: Mapping[str, float]) -> None:
    gauge = Gauge(name, words, [label], registry=registry)
    for key, value in values.items():
        gauge.labels(key).set(value)
