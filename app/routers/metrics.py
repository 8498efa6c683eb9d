"""Metrics in the Prometheus format. Labels are route templates, methods and statuses: nothing that anyone sent."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SMALLEST_SHOWN = 5
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counts and times of this process's requests, and the length of the writer's queue."""

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

        self._concerns = Gauge(
            "guidance_concerns",
            "Concerns in each state, and overdue ones; a number under five is not shown.",
            ["state"],
            registry=self.registry,
        )

        self._deliveries = Gauge(
            "guidance_deliveries",
            "Deliveries that wait, and that could not be made.",
            ["webhook", "state"],
            registry=self.registry,
        )

        self._waiting = Gauge("guidance_writer_waiting", "Acts that wait for the disk.", registry=self.registry)
        self._acts = Histogram(
            "guidance_writer_acts", "Acts that one flush carried.", buckets=BATCHES, registry=self.registry
        )
        self._flushes = Histogram(
            "guidance_writer_flush_seconds",
            "Time of one flush to the disk, in seconds.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def record(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        bound = self._bound.get((method, route, status))
        if bound is None:  # looking labels up takes longer than counting
            bound = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._bound[method, route, status] = bound
        requests, times = bound
        requests.inc()
        times.observe(seconds)

    def record_flush(self, acts: int, seconds: float) -> None:
        """Count one flush of the writer."""
        self._acts.observe(acts)
        self._flushes.observe(seconds)

    def show_waiting(self, acts: int) -> None:
        """Show how many acts wait for the writer."""
        self._waiting.set(acts)

    def count_concerns(self, counted: Mapping[str, int]) -> None:
        """Show how many concerns stand in each state, and how many are overdue: none where there are fewer than five.

        These metrics are open to everyone, and a small number could point at a child.
        """
        for state, count in counted.items():
            if count >= SMALLEST_SHOWN:
                self._concerns.labels(state).set(count)
            else:
                self._concerns.remove(state)

    def count_deliveries(self, counted: Mapping[tuple[str, str], int]) -> None:
        """Show how many deliveries wait and how many could not be made, by webhook."""
        self._deliveries.clear()
        for (webhook, state), count in counted.items():
            self._deliveries.labels(webhook, state).set(count)

    def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self.registry)
