"""A real server in a process of its own, which can be killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.databases import address_for

STARTING_SECONDS = 30


def environment_for(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process that uses that folder's database."""
    address = address_for(data_dir)
    values = {"drain_seconds": "0"} | ({"database_url": address} if address else {}) | settings
    return {**os.environ, **{f"GUIDANCE_{name.upper()}": value for name, value in values.items()}}


def eventually(holds: Callable[[], bool], *, patience_seconds: float = 60) -> bool:
    """Wait until the condition holds, and return whether it does. The time limit only ends a test that would fail."""
    deadline = time.monotonic() + patience_seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


class LiveServer:
    """`guidance serve` on a free port; its log goes to a file."""

    def __init__(self, data_dir: Path, *, workers: int = 1, **settings: Any) -> None:
        self.data_dir = data_dir
        self._workers = str(workers)
        self.database_url: str | None = settings.get("database_url") or address_for(data_dir)
        self.log = data_dir.parent / "server.log"
        self._environment = environment_for(data_dir, **settings)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it is ready."""
        command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data-dir", str(self.data_dir)]
        command += ["--workers", self._workers]
        read_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdout=log, env=self._environment)
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline:
            output = self.log.read_bytes()[read_from:].decode()
            found = re.search(r"Serving on (http://[0-9.]+:[0-9]+)", output)
            if found and self._is_ready(found[1]):
                self.url = found[1]
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")

    @staticmethod
    def _is_ready(url: str) -> bool:
        try:
            return httpx.get(f"{url}/health/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Send SIGKILL, so that the server cannot clean up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM, as an operator would, and do not wait."""
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> bool:
        """Wait until it has ended."""
        assert self._process is not None
        self._process.wait(timeout=STARTING_SECONDS)
        return True

    def stop(self) -> None:
        """Stop as an operator would."""
        if self._process is not None and self._process.poll() is None:
            self.terminate()
            self.wait()

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> list[psutil.Process]:
        """Return the worker processes, where there are several."""
        assert self._process is not None
        return [each for each in psutil.Process(self._process.pid).children() if _serves(each)]

    def client(self) -> httpx.Client:
        """Return an HTTP client of this server."""
        return httpx.Client(base_url=self.url, timeout=STARTING_SECONDS, trust_env=False)


def _serves(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return False
