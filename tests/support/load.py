"""Load on a running service, for the tests of faults: callers that post concerns and remember what they were told."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

HONEST = frozenset({201, 503})
A_CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": "Alex Example was collected from school by an adult whom staff do not know."},
}


@dataclass
class Told:
    """What callers were told: each receipt by its idempotency key, and every other answer's status."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    @property
    def dishonest(self) -> list[int]:
        """Statuses that no fault excuses."""
        return [status for status in self.refusals if status not in HONEST]


def post_until(stop: threading.Event, urls: Sequence[str], name: str, told: Told) -> None:
    """Post one concern after another, each under a key of its own, to each address in turn."""
    number = 0
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not stop.is_set():
            number += 1
            key = f"{name}-{number}"
            told.keys.add(key)
            try:
                url = f"{urls[number % len(urls)]}/v1/concerns"
                answer = client.post(url, json=A_CONCERN, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                stop.wait(0.02)
                continue
            if answer.status_code == httpx.codes.CREATED:
                told.receipts[key] = answer.json()
            else:
                told.refusals.append(answer.status_code)
                stop.wait(0.02)


@contextmanager
def load(urls: Sequence[str], *, callers: int, name: str = "load") -> Iterator[Told]:
    """So many callers at once, from the beginning of the block to its end."""
    told, stop = Told(), threading.Event()
    with ThreadPoolExecutor(callers) as pool:
        at_work: list[Future[None]] = [
            pool.submit(post_until, stop, urls, f"{name}-{each}", told) for each in range(callers)
        ]
        try:
            yield told
        finally:
            stop.set()
    for each in at_work:
        each.result()
