"""Two nodes behind nginx are replaced one after the other under load. Nobody gets an error but an honest 503."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.live import LiveServer
from tests.support.load import A_CONCERN
from tests.support.proxies import exported, nginx, two_nodes
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

CALLERS = 4
SOME = 40
"""Answers that must have come before, between and after the two restarts."""


class Callers:
    """Callers that read and raise concerns, one request after another, until they are stopped."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.stop = threading.Event()
        self.reads: list[int] = []
        self.writes: list[httpx.Response] = []
        self.sent: dict[str, dict[str, Any]] = {}

    def call(self, name: int) -> None:
        number = 0
        while not self.stop.wait(0.05):
            number += 1
            # Each read has an address of its own in the cache of the proxy, so that a node must answer it.
            self.reads.append(self._client.get(f"/v1/search?q=friend&limit={number % 200 + 1}").status_code)
            key = f"rolling-{name}-{number}"
            answer = self._client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
            self.writes.append(answer)
            if answer.status_code == httpx.codes.CREATED:
                self.sent[key] = answer.json()

    def have_had(self, number: int) -> bool:
        return len(self.writes) >= number


def replace_one_after_another(client: httpx.Client, nodes: Sequence[LiveServer]) -> None:
    """Replace the nodes behind that proxy under load. Fail where a request failed otherwise than by an honest 503."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = Callers(client)
        running = [pool.submit(callers.call, each) for each in range(CALLERS)]
        try:
            for node in nodes:
                before = len(callers.writes)
                assert eventually(partial(callers.have_had, before + SOME))
                node.stop()
                node.start()
            before = len(callers.writes)
            assert eventually(partial(callers.have_had, before + SOME))
        finally:
            callers.stop.set()
        for each in running:
            each.result()

    statuses = Counter(answer.status_code for answer in callers.writes)
    refused = [answer for answer in callers.writes if answer.status_code != httpx.codes.CREATED]
    assert set(statuses) <= {201, 503}, statuses
    assert statuses[201] > statuses[503]
    assert [answer.text for answer in refused if "999" not in answer.text] == []
    assert [answer.headers for answer in refused if "retry-after" not in answer.headers] == []
    assert set(callers.reads) <= {200}, Counter(callers.reads)
    for key, receipt in list(callers.sent.items())[:: max(1, len(callers.sent) // 20)]:
        again = client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
        assert again.json()["reference"] == receipt["reference"]


def test_a_rolling_update_under_load_fails_no_request_but_by_an_honest_503(tmp_path: Path) -> None:
    with two_nodes(tmp_path / "data") as nodes:
        export = exported(tmp_path / "export", tmp_path / "data")
        with nginx(tmp_path / "nginx", nodes, export, rate="1000r/s") as client:
            replace_one_after_another(client, nodes)
