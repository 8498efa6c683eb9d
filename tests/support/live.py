"""A real server in a process of its own, which can be killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import psutil

from app.models.access.clients import Scope
from tests.support.command import guidance
from tests.support.databases import address_for
from tests.support.forking import ForkedProcess, fork_command
from tests.support.waiting import eventually

STARTING_SECONDS = 120


def environment_for(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process that uses that folder's database."""
    address = address_for(data_dir)
    values = {"drain_seconds": "0"} | ({"database_url": address} if address else {}) | settings
    return {**os.environ, **{f"GUIDANCE_{name.upper()}": value for name, value in values.items()}}


class LiveServer:
    """`guidance serve` on a free port, or on that port; its log goes to a file. `with` starts and stops it.

    It is forked from a process that has imported the service, unless it has several workers or `is_forked` is false:
    then it starts as an operator starts it.
    """

    def __init__(
        self, data_dir: Path, *, workers: int = 1, port: int = 0, is_forked: bool = True, **settings: Any
    ) -> None:
        self.data_dir = data_dir
        self._port = str(port)
        self._workers = workers
        self._is_forked = is_forked and workers == 1
        self.database_url: str | None = settings.get("database_url") or address_for(data_dir)
        self.log = data_dir.parent / "server.log"
        self._is_trial = "seal_to" not in settings
        self._environment = environment_for(data_dir, **settings)
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.url = ""
        self.started_at = "/health/ready"
        """What answers with success once it has started."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it is ready."""
        words = ["serve", "--port", self._port, "--data-dir", str(self.data_dir), "--workers", str(self._workers)]
        words += ["--trial"] if self._is_trial else []
        self.log.touch()
        read_from = self.log.stat().st_size
        self._process = process = self._run(words)
        self.url = ""
        is_over = eventually(
            lambda: self._find_url(read_from) or process.poll() is not None, patience_seconds=STARTING_SECONDS
        )
        if not (is_over and self.url):
            self.stop()
            raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def _run(self, words: list[str]) -> subprocess.Popen[bytes] | ForkedProcess:
        if self._is_forked:
            return fork_command(words, self._environment, self.log)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app.cli", *words], stderr=log, stdout=log, env=self._environment
            )

    def _find_url(self, read_from: int) -> bool:
        """Read the address from the log, once the server is ready."""
        found = re.search(r"Serving on (http://[0-9.]+:[0-9]+)", self.log.read_bytes()[read_from:].decode())
        if found and self._is_ready(found[1]):
            self.url = found[1]
        return bool(self.url)

    def _is_ready(self, url: str) -> bool:
        try:
            return httpx.get(f"{url}{self.started_at}", timeout=STARTING_SECONDS, trust_env=False).is_success
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

    def new_key(self, *scopes: Scope) -> str:
        """Return the key of a new client with those scopes, added by the command."""
        name = f"example-{uuid4().hex}"
        added = guidance("clients", "add", name, *(f"--scope={scope}" for scope in scopes), "--data-dir", self.data_dir)
        assert added.returncode == 0, added.stderr
        return added.stdout.split()[-1]

    def client(self) -> httpx.Client:
        """Return an HTTP client of this server."""
        return httpx.Client(base_url=self.url, timeout=STARTING_SECONDS, trust_env=False)


def _serves(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return False
