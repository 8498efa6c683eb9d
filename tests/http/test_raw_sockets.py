"""A fuzz of raw sockets: whatever way the bytes come, no answer is an error of the server or goes to another request.

`make fuzz ROUNDS=1000` runs it for longer. `FUZZ_SEED` repeats a run.
"""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.live import LiveServer
from tests.support.raw_fuzz import KINDS, Kind, run_kind
from tests.support.raw_requests import Catalogue
from tests.support.waiting import wait_until
from tests.support.wire import address_of

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "2"))
SEED = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
CALLERS = 4


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two processes"])
def fuzzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that lets one concern be read as often as the fuzz does."""
    folder = tmp_path_factory.mktemp("fuzzed") / "data"
    with LiveServer(folder, workers=request.param, deliver="false", limit_status="1000000/minute") as server:
        yield server


@pytest.fixture(scope="module")
def catalogue(fuzzed: LiveServer) -> Catalogue:
    with fuzzed.client() as client:
        return Catalogue(client, callers=CALLERS, concerns=5)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_request_gets_its_own_answer_whatever_way_its_bytes_come(
    fuzzed: LiveServer, catalogue: Catalogue, kind: Kind
) -> None:
    address = address_of(fuzzed.url)

    def run(caller: int) -> None:
        for number in range(ROUNDS * KINDS[kind]):
            run_kind(kind, address, catalogue, caller, f"{SEED}-{caller}-{number}")

    with ThreadPoolExecutor(CALLERS) as pool:
        for each in [pool.submit(run, caller) for caller in range(CALLERS)]:
            each.result()

    wait_until(lambda: not catalogue.answers.strangers(fuzzed.log))
    lines = fuzzed.log.read_text()
    assert '"level":"error"' not in lines
    assert "Traceback" not in lines
