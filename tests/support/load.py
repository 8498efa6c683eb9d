"""Load on a running service, for the tests of faults.

Callers post concerns, add to them, acknowledge what they added where they may, and record the responses.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
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
AN_ADDITION = {"immediate_danger": "yes", "concern": {"narrative": "Alex Example has not come home."}}


@dataclass
class LoadResult:
    """The responses to all callers: each receipt by its idempotency key, and the status of every refusal.

    `additions` are the receipts of additions, by the key of their concern. `acknowledged` are the keys of concerns of
    which an acknowledgement of that addition was answered, `attempted` those of which one was sent.
    """

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    additions: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refusals: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    @property
    def unexpected(self) -> list[int]:
        """Statuses that a fault of the system does not explain."""
        return [status for status in self.refusals if status not in EXPECTED]

    def include(self, other: "LoadResult") -> None:
        """Add the responses of another load."""
        self.receipts |= other.receipts
        self.additions |= other.additions
        self.attempted |= other.attempted
        self.acknowledged |= other.acknowledged
        self.refusals += other.refusals


def add_more(client: httpx.Client, url: str, receipt: dict[str, Any], key: str) -> httpx.Response:
    """Add to the concern, under a key of its own."""
    headers = {"Authorization": f"Bearer {receipt['status_token']}", "Idempotency-Key": f"{key}-more"}
    return client.post(f"{url}{receipt['links']['self']}/additions", json=AN_ADDITION, headers=headers)


def _follow_up(client: httpx.Client, url: str, key: str, result: LoadResult, worker: Mapping[str, str] | None) -> None:
    """Add to the concern that was just stored; a worker, if there is one, then acknowledges it and the addition."""
    receipt = result.receipts[key]
    added = add_more(client, url, receipt, key)
    if added.status_code != httpx.codes.CREATED:
        result.refusals.append(added.status_code)
        return
    result.additions[key] = added.json()
    if worker is not None:
        result.attempted.add(key)
        path = f"{url}/v1/desk/concerns/{receipt['reference']}/acknowledgement"
        seen = client.post(path, json={"up_to_addition": 1}, headers=dict(worker))
        if seen.status_code == httpx.codes.OK:
            result.acknowledged.add(key)
        else:
            result.refusals.append(seen.status_code)


def post_until(
    stop: threading.Event, urls: Sequence[str], name: str, result: LoadResult, worker: Mapping[str, str] | None
) -> None:
    """Post one concern after another, each under a key of its own, to each address in turn, and follow each up.

    A worker acknowledges every other one.
    """
    number = 0
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not stop.is_set():
            number += 1
            key = f"{name}-{number}"
            result.keys.add(key)
            try:
                url = urls[number % len(urls)]
                response = client.post(f"{url}/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
                if response.status_code == httpx.codes.CREATED:
                    result.receipts[key] = response.json()
                    _follow_up(client, url, key, result, worker if number % 2 else None)
            except httpx.TransportError:
                stop.wait(0.02)
                continue
            if response.status_code != httpx.codes.CREATED:
                result.refusals.append(response.status_code)
                stop.wait(0.02)


@contextmanager
def load(
    urls: Sequence[str], *, callers: int, name: str = "load", worker: Mapping[str, str] | None = None
) -> Iterator[LoadResult]:
    """Run that many callers at once for as long as the block runs, and yield their result.

    `worker` are the headers of a client of the desk; without one nothing is acknowledged.
    """
    result, stop = LoadResult(), threading.Event()
    with ThreadPoolExecutor(callers) as pool:
        running: list[Future[None]] = [
            pool.submit(post_until, stop, urls, f"{name}-{each}", result, worker) for each in range(callers)
        ]
        try:
            yield result
        finally:
            stop.set()
    for each in running:
        each.result()
