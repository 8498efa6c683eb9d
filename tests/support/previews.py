"""`guidance preview`, run as an editor runs it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.waiting import wait_until


@contextmanager
def preview_of(path: Path, data_dir: Path) -> Iterator[str]:
    """Run the preview of the file at a free port, and yield its address."""
    command = ("preview", str(path), "--data-dir", str(data_dir), "--port", "0")
    process = subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", *command], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    address = process.stderr.readline().split()[2].rstrip("/")
    try:
        wait_until(lambda: preview_version(address) == "1")
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def preview_version(address: str) -> str:
    """Return how often the preview has built the file; empty where it does not answer yet."""
    try:
        return httpx.get(f"{address}/preview/version", timeout=30).text
    except httpx.TransportError:
        return ""
