"""Metrics of the desk, in the Prometheus format: exact counts, behind a scope of their own."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest

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
