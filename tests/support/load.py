"""Load on a running service, for the tests of faults: callers that post concerns and record the responses."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

EXPECTED = frozenset({201, 503})
A_CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": "Alex Example was collected from school by an adult whom staff do not know."},
}


@dataclass
class LoadResult:
    """The responses to all callers: each receipt by its idempotency key, and the status of every refusal."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    @property
    def unexpected(self) -> list[int]:
        """Statuses that a fault of the system does not explain."""
        return [status for status in self.refusals if status not in EXPECTED]


def post_until(stop: threading.Event, urls: Sequence[str], name: str, result: LoadResult) -> None:
    """Post one concern after another, each under a key of its own, to each address in turn."""
    number = 0
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not stop.is_set():
            number += 1
            key = f"{name}-{number}"
            result.keys.add(key)
            try:
                url = f"{urls[number % len(urls)]}/v1/concerns"
                response = client.post(url, json=A_CONCERN, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                stop.wait(0.02)
                continue
            if response.status_code == httpx.codes.CREATED:
                result.receipts[key] = response.json()
            else:
                result.refusals.append(response.status_code)
                stop.wait(0.02)


@contextmanager
def load(urls: Sequence[str], *, callers: int, name: str = "load") -> Iterator[LoadResult]:
    """Run that many callers at once for as long as the block runs, and yield their result."""
    result, stop = LoadResult(), threading.Event()
    with ThreadPoolExecutor(callers) as pool:
        running: list[Future[None]] = [
            pool.submit(post_until, stop, urls, f"{name}-{each}", result) for each in range(callers)
        ]
        try:
            yield result
        finally:
            stop.set()
    for each in running:
        each.result()
