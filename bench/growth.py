"""Growth: the same reads on small and large databases, and on one worker and two."""

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.content import GUIDE, fill_with_concerns, fill_with_guides
from bench.load import read
from bench.rounds import Results, Say, Task
from bench.servers import EVERY_CPU, guidance

SECTION = f"/v1/guides/{GUIDE}/indicators"
INBOX = "/v1/desk/concerns"
FEW_GUIDES, FEW_CONCERNS = 10, 100
CONNECTIONS = 4


def measure_growth(results: Results, work: Path, arguments: argparse.Namespace, say: Say) -> None:
    """Fill the databases, then measure the inbox and a section on each."""
    results.figures |= {
        "guides of the large database": arguments.guides,
        "concerns of the large one": arguments.concerns,
    }

    def reading(url: str, headers: dict[str, str] | None = None) -> Task:
        return lambda _number: read(url, connections=CONNECTIONS, seconds=arguments.seconds, headers=headers)

    tasks: dict[str, Task] = {}
    with ExitStack() as stack:
        for size, guides in (("few", FEW_GUIDES), ("many", arguments.guides)):
            fill_with_guides(work / f"{size}-guides", guides, Bar(say))
            server = stack.enter_context(guidance(f"{size} guides", work / f"{size}-guides"))
            tasks[f"section, {size} guides"] = reading(server.url + SECTION)
        for size, concerns in (("few", FEW_CONCERNS), ("many", arguments.concerns)):
            began = time.perf_counter()
            key = fill_with_concerns(work / f"{size}-concerns", concerns, Bar(say))
            results.figures[f"concerns a second while filling ({size})"] = concerns / (time.perf_counter() - began)
            server = stack.enter_context(guidance(f"{size} concerns", work / f"{size}-concerns"))
            tasks[f"inbox, {size}"] = reading(server.url + INBOX, {"Authorization": f"Bearer {key}"})
        if "--workers" in _options():
            for number, name in ((1, "1 worker"), (2, "2 workers")):
                options = ("--workers", str(number))
                server = stack.enter_context(guidance(name, work / f"workers-{number}", *options, cpu=EVERY_CPU))
                tasks[f"section, {name}"] = reading(server.url + SECTION)
        else:
            results.skipped["2 workers"] = "`guidance serve` has no --workers"
        results.run(tasks, arguments.rounds, say)


def _options() -> str:
    command = [sys.executable, "-m", "app.cli", "serve", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Bar:
    """A progress bar of one line, at most once a second."""

    WIDTH = 40

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told_at = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if done == of or now - self._told_at > 1:
            self._told_at = now
            full = self.WIDTH * done // max(of, 1)
            self._say(f"{what} [{'#' * full}{'.' * (self.WIDTH - full)}] {done:,} of {of:,}")
