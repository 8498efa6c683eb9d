"""Forks servers from a process in which the service has run once: a start takes a fifth of the processor's time.

`python -m tests.support.forking` is that process. Each line that it reads is JSON: the words of the command, the
environment and the log. Each line that it answers is the number of the process that runs the command.
"""

import gc
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, suppress
from functools import lru_cache
from pathlib import Path

import psutil
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app, held_versions

ROOT = Path(__file__).parents[2]
IMPORTED = ("app.cli.operations.serve", "app.server.run")


class ForkedProcess:
    """A server that was forked, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """Return None as long as it runs."""
        return None if self._process.is_running() else 0

    def send_signal(self, number: int) -> None:
        """Send a signal to it. It may have ended."""
        with suppress(psutil.NoSuchProcess):
            self._process.send_signal(number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        self._process.wait(timeout)
        return 0


def fork_command(words: list[str], environment: dict[str, str], log: Path) -> ForkedProcess:
    """Run the `guidance` command in a process of its own, whose output and errors are appended to the log."""
    parent = _parent()
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(json.dumps([words, environment, os.getcwd(), str(log)]) + "\n")
    parent.stdin.flush()
    return ForkedProcess(int(parent.stdout.readline()))


@lru_cache(maxsize=1)
def _parent() -> subprocess.Popen[str]:
    """Start the process that forks. It ends with this one, when nobody can write to it any more."""
    command = [sys.executable, "-m", "tests.support.forking"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _run_once() -> None:
    """Make the routes and the templates, which take a start 0.7 seconds. What it logs is no server's."""
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        service = create_app(Settings(data_dir=Path(folder) / "data", deliver=False))
        with TestClient(service) as client:
            for path in held_versions(service.state.context.engine):
                client.get(path)


def _fork_each() -> None:
    """Fork a child for each line, in which this function ends with the command."""
    for line in sys.stdin:
        words, environment, folder, log = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(environment, folder, log)
            sys.argv = ["guidance", *words]
            importlib.import_module("app.cli").main()
            return
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _become(environment: dict[str, str], folder: str, log: str) -> None:
    """Make this process what a new one would be."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    tempfile.tempdir = None
    with Path(os.devnull).open("rb") as nothing, Path(log).open("ab") as appended:
        os.dup2(nothing.fileno(), 0)
        os.dup2(appended.fileno(), 1)
        os.dup2(appended.fileno(), 2)


def _reap(*_: object) -> None:
    """Let children that have ended go."""
    with suppress(ChildProcessError):  # there is none
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    _run_once()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the tests
    signal.signal(signal.SIGCHLD, _reap)
    _fork_each()
