"""`guidance desk serve` in a process of its own, for tests that work at the desk of a worker's own machine."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.canaries import traces
from tests.support.waiting import eventually


@contextmanager
def served_here(url: str, identity: Path, key: str, *options: str) -> Iterator[str]:
    """Run the command for the service at that address, and yield the address that it prints. Its log has no canary."""
    command = [sys.executable, "-m", "app.cli", "desk", "serve", "--url", url, "--identity", str(identity), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
    log = identity.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment | {"GUIDANCE_DESK_KEY": key}, stderr=output, stdout=output)
    try:
        assert eventually(lambda: "http" in log.read_text() or process.poll() is not None)
        (address,) = re.findall(r"http://[0-9.]+:[0-9]+/open/\S+", log.read_text())
        yield address
    finally:
        process.terminate()
        process.wait()
    assert traces(log.read_bytes()) == []
