"""Two nodes behind a proxy are replaced one after the other under load.

Nobody is refused, nobody waits for long, and nothing is lost or stored twice.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from tests.support.concerns import token_of
from tests.support.databases import raw_connection
from tests.support.live import LiveServer
from tests.support.load import A_CONCERN
from tests.support.proxies import haproxy, nginx, site_behind
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

CALLERS = 3
SOME = 30
"""Answers that must have come before, between and after the restarts."""
LONGEST_SECONDS, TIMES_USUAL = 5, 20
"""Each answer comes within three seconds alone, and two more beside other tests; on a machine that has too much to do,
within so many times the usual one."""


class Callers:
    """Callers that read and raise concerns, one request after another, until they are stopped."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.stop = threading.Event()
        self.reads: list[httpx.Response] = []
        self.writes: list[httpx.Response] = []
        self.keys: list[str] = []
        self.sent: dict[str, dict[str, Any]] = {}

    def call(self, name: int) -> None:
        number = 0
        while not self.stop.wait(0.1):
            number += 1
            # Each read has an address of its own in the cache of the proxy, so that a node must answer it.
            self.reads.append(self._client.get(f"/v1/search?q=friend&limit={number % 200 + 1}"))
            key = f"rolling-{name}-{number}"
            self.keys.append(key)
            answer = self.raise_concern(key)
            self.writes.append(answer)
            if answer.status_code == httpx.codes.CREATED:
                self.sent[key] = answer.json()

    def raise_concern(self, key: str) -> httpx.Response:
        """Raise the concern of that key: the first time or again."""
        return self._client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})

    def have_had(self, number: int) -> bool:
        return len(self.writes) >= number


def replace_one_after_another(client: httpx.Client, nodes: Sequence[LiveServer]) -> Callers:
    """Replace the nodes behind that proxy under load, and return the callers with every answer that they had."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = Callers(client)
        running = [pool.submit(callers.call, each) for each in range(CALLERS)]
        try:
            for node in nodes:
                before = len(callers.writes)
                assert eventually(partial(callers.have_had, before + SOME))
                node.stop()
                node.start()
                assert eventually(partial(gets_concerns, node)), "the proxy does not take the node back"
            before = len(callers.writes)
            assert eventually(partial(callers.have_had, before + SOME))
        finally:
            callers.stop.set()
        for each in running:
            each.result()

    return callers


def gets_concerns(node: LiveServer) -> bool:
    """Whether the proxy sends concerns to the node again: it avoids one for two seconds that did not answer."""
    counts = httpx.get(f"{node.url}/metrics", headers={"Host": "guidance.example"}, trust_env=False)
    return 'route="/v1/concerns"' in counts.text


def read(client: httpx.Client, receipt: dict[str, Any]) -> httpx.Response:
    """Read the status of the concern, as its reporter does."""
    return client.get(receipt["links"]["self"], headers=token_of(receipt))


def stored(data_dir: Path) -> list[str]:
    """The reference of every concern in the database."""
    with raw_connection(data_dir) as database:
        return [reference for (reference,) in database.execute("SELECT reference FROM concerns").fetchall()]


@pytest.mark.nightly
@pytest.mark.parametrize(
    "proxy",
    [partial(nginx, rate="1000r/s"), haproxy],
    ids=["nginx", "haproxy"],
)
def test_three_restarts_under_load_refuse_nobody_and_lose_nothing(tmp_path: Path, proxy: Any) -> None:
    with site_behind(proxy, tmp_path) as site:
        callers = replace_one_after_another(site.client, [*site.nodes, site.nodes[0]])
        kept = set(stored(tmp_path / "data"))
        again = {key: callers.raise_concern(key) for key in callers.keys}
        statuses = {read(site.client, receipt).status_code for receipt in callers.sent.values()}

    assert Counter(answer.status_code for answer in callers.writes) == {201: len(callers.writes)}
    assert Counter(answer.status_code for answer in callers.reads) == {200: len(callers.reads)}
    assert statuses == {200}
    seconds = [answer.elapsed.total_seconds() for answer in (*callers.reads, *callers.writes)]
    assert max(seconds) < max(LONGEST_SECONDS, TIMES_USUAL * median(seconds))
    receipts = {key: receipt["reference"] for key, receipt in callers.sent.items()}
    assert set(receipts.values()) <= kept
    assert {key: again[key].json()["reference"] for key in receipts} == receipts
    assert sorted(stored(tmp_path / "data")) == sorted(answer.json()["reference"] for answer in again.values())
