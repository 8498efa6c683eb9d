"""Load on a running service, for the tests of faults.

Callers post concerns, and add to them. A worker acknowledges every other one, and erases every other one of those. All
record the responses.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

PACE_SECONDS = 0.02
EXPECTED = frozenset({201, 503})
SENT = ("Alex Example was collected from school by an adult whom staff do not know.", "Alex Example has not come home.")
"""The words of a concern, and of what is added to it."""
A_CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": SENT[0]},
}
AN_ADDITION = {"immediate_danger": "yes", "concern": {"narrative": SENT[1]}}


@dataclass
class LoadResult:
    """The responses to all callers: each receipt by its idempotency key, and the status of every refusal.

    `additions` are the receipts of additions, by the key of their concern. `acknowledged` are the keys of concerns of
    which an acknowledgement of that addition was answered, `attempted` those of which one was sent. `erased` and
    `erasing` are the same of erasures.
    """

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    additions: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    erasing: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
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
        self.erasing |= other.erasing
        self.erased |= other.erased
        self.refusals += other.refusals


def add_more(client: httpx.Client, url: str, receipt: dict[str, Any], key: str) -> httpx.Response:
    """Add to the concern, under a key of its own."""
    headers = {"Authorization": f"Bearer {receipt['status_token']}", "Idempotency-Key": f"{key}-more"}
    return client.post(f"{url}{receipt['links']['self']}/additions", json=AN_ADDITION, headers=headers)


@dataclass(frozen=True)
class _Worker:
    """A worker of the duty team, for one concern."""

    client: httpx.Client
    url: str
    headers: Mapping[str, str]
    result: LoadResult

    def acknowledge(self, key: str) -> bool:
        """Acknowledge the concern and its addition, and return whether the service said so."""
        self.result.attempted.add(key)
        return self._act(key, "acknowledgement", {"up_to_addition": 1}, self.result.acknowledged)

    def erase(self, key: str) -> None:
        """Erase the concern."""
        self.result.erasing.add(key)
        self._act(key, "erasure", {"reason": "A made-up reason."}, self.result.erased)

    def erase_unread(self, key: str) -> None:
        """Try to erase what nobody has acknowledged, which is refused."""
        refused = self._post(key, "erasure", {"reason": "A made-up reason."})
        if refused.status_code != httpx.codes.CONFLICT:
            self.result.refusals.append(refused.status_code)

    def _act(self, key: str, act: str, body: dict[str, Any], done: set[str]) -> bool:
        answer = self._post(key, act, body)
        if answer.status_code != httpx.codes.OK:
            self.result.refusals.append(answer.status_code)
            return False
        done.add(key)
        return True

    def _post(self, key: str, act: str, body: dict[str, Any]) -> httpx.Response:
        path = f"{self.url}/v1/desk/concerns/{self.result.receipts[key]['reference']}/{act}"
        return self.client.post(path, json=body, headers=dict(self.headers))


def _follow_up(
    client: httpx.Client, url: str, key: str, number: int, result: LoadResult, worker: _Worker | None
) -> None:
    """Add to the concern that was just stored; a worker, if there is one, then acts on it."""
    added = add_more(client, url, result.receipts[key], key)
    if added.status_code != httpx.codes.CREATED:
        result.refusals.append(added.status_code)
        return
    result.additions[key] = added.json()
    if worker is None:
        return
    if number % 2 == 0:
        worker.erase_unread(key)
    elif worker.acknowledge(key) and number % 4 == 1:
        worker.erase(key)


def post_until(
    stop: threading.Event, urls: Sequence[str], name: str, result: LoadResult, worker: Mapping[str, str] | None
) -> None:
    """Post one concern after another, each under a key of its own, to each address in turn, and follow each up."""
    number, pace = 0, 0.0
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not stop.wait(pace):
            number, pace = number + 1, PACE_SECONDS
            key = f"{name}-{number}"
            result.keys.add(key)
            try:
                url = urls[number % len(urls)]
                response = client.post(f"{url}/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
                if response.status_code == httpx.codes.CREATED:
                    pace = 0.0
                    result.receipts[key] = response.json()
                    _follow_up(
                        client, url, key, number, result, _Worker(client, url, worker, result) if worker else None
                    )
                else:
                    result.refusals.append(response.status_code)
            except httpx.TransportError:
                continue


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
