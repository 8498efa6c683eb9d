"""One server for a long time: chains of requests with and without keys, and beside them the fuzz of raw sockets.

`make fuzz MINUTES=60` runs it for an hour.
"""

import itertools
import multiprocessing
import os
import random
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import psutil
import pytest

from app.models.access.clients import Scope
from tests.support.command import guidance
from tests.support.exploring import Explored, explore
from tests.support.live import LiveServer
from tests.support.raw_fuzz import KINDS, run_kind
from tests.support.raw_requests import Catalogue
from tests.support.waiting import wait_until
from tests.support.wire import address_of

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.skipif("FUZZ_MINUTES" not in os.environ, reason="takes as long as is wanted: make fuzz MINUTES=60"),
]

SECONDS = float(os.environ.get("FUZZ_MINUTES", "60")) * 60
TURN_SECONDS = 300.0  # an explorer remembers every case that it made: in an hour it takes more memory than there is
SEED = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
CALLERS = 3
SHOWN = 10


@pytest.fixture
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("fuzzed") / "data", workers=2, deliver="true") as server:
        yield server


def a_key_of_every_scope(server: LiveServer) -> str:
    scopes = itertools.chain.from_iterable(("--scope", each) for each in Scope)
    added = guidance("clients", "add", "fuzz", *scopes, "--data-dir", server.data_dir)
    assert added.returncode == 0, added.stderr
    return added.stdout.split()[-1]


def fuzz_beside(
    exploring: list[Future[Explored]], server: LiveServer, catalogue: Catalogue, caller: int
) -> Counter[str]:
    """Do what the fuzz does, in its proportions, until the explorers have ended; how often each was done."""
    draw, done = random.Random(f"{SEED}-{caller}"), Counter[str]()  # noqa: S311  # a test that can be repeated
    address, kinds = address_of(server.url), list(KINDS)
    while not all(each.done() for each in exploring):
        (kind,) = draw.choices(kinds, list(KINDS.values()))
        run_kind(kind, address, catalogue, caller, f"{SEED}-{caller}-{done.total()}")
        done[kind.__name__] += 1
    return done


def memory_of(server: LiveServer) -> int:
    """The megabytes that its processes hold."""
    return int(sum(each.memory_info().rss for each in [psutil.Process(server.pid), *server.children()])) >> 20


def results(running: list[Future[Explored]]) -> Explored:
    """The results of all explorers, as one."""
    everything = Explored()
    for each in running:
        explored = each.result()
        everything.answers += explored.answers
        everything.operations |= explored.operations
        everything.links += explored.links
        everything.broken += explored.broken
        everything.unanswered += explored.unanswered
    return everything


def explorers(number: int) -> ProcessPoolExecutor:
    """Processes for so many explorers at once, a new process for each turn."""
    return ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), max_tasks_per_child=1)


def turns(seed: int) -> Iterator[tuple[int, float]]:
    """The seed and the seconds of each turn: `SECONDS` in all."""
    left = SECONDS
    for number in itertools.count():
        if left <= 0:
            return
        yield seed + 1000 * number, min(left, TURN_SECONDS)  # an explorer counts on from its seed
        left -= TURN_SECONDS


def test_fuzzed_callers_get_their_own_answers_and_no_server_error(
    fuzzed: LiveServer,
) -> None:
    with fuzzed.client() as client:
        catalogue = Catalogue(client, callers=CALLERS, concerns=5)
    holders = [{"ClientKey": a_key_of_every_scope(fuzzed)}, {}]
    before = memory_of(fuzzed)
    with explorers(len(holders)) as processes, ThreadPoolExecutor() as threads:
        exploring = [
            processes.submit(explore, fuzzed.url, tokens, turn_seed, seconds)
            for turn_seed, seconds in turns(int(SEED, 16))
            for tokens in holders
        ]
        fuzzing = [threads.submit(fuzz_beside, exploring, fuzzed, catalogue, caller) for caller in range(CALLERS)]
        explored, done = results(exploring), sum((each.result() for each in fuzzing), Counter[str]())
    raw = catalogue.answers.statuses
    catalogue.answers.add(explored.answers)

    sys.stdout.write(
        f"seed {SEED}\n"
        f"raw: rounds {dict(done)}, answers {raw.total()}, by status {dict(sorted(raw.items()))}\n"
        f"chains: answers {len(explored.answers)}, by status {dict(sorted(explored.statuses.items()))}\n"
        f"chains: operations {len(explored.operations)}, links followed {explored.links.total()}, "
        f"different links {len(explored.links)}, checks broken {len(explored.broken)}\n"
        f"megabytes of the server before and after: {before}, {memory_of(fuzzed)}\n"
    )
    assert [each for each in catalogue.answers.statuses if each >= 500] == []
    wait_until(lambda: not catalogue.answers.strangers(fuzzed.log))
    assert explored.unanswered == 0
    assert explored.broken[:SHOWN] == []
    assert not any(each in fuzzed.log.read_text() for each in ('"level":"error"', "Traceback"))
    assert min(raw.total(), len(explored.answers)) > 0
