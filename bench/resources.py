"""Measurements of start-up time, of commands and of memory. Times are of the processor."""

import compileall
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.content import CONCERN
from bench.load import post, read
from bench.report import (
    COMPLETION,
    GROUP_HELP,
    HELP,
    IDLE,
    IDLE_WITHOUT,
    LISTING,
    MEMORY,
    START,
    START_WITHOUT,
    WEIGHTS,
)
from bench.rounds import Results, Say
from bench.servers import ROOT, guidance

TIMES = 5
SECTION = "/v1/guides/child-sexual-exploitation/indicators"
MODULES = (
    "pydantic",
    "fastapi",
    "sqlmodel",
    "uvicorn",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "jinja2",
    "rich.console",
    "pygments",
    "httpx",
    "jwt",
    "app.models.base",
    "app.db.tables",
    "app.http.context",
    "app.main",
)
"""Modules in the order of a start, so that each is measured without what those before it have imported."""
WEIGHED = """
import importlib, sys, time
from pathlib import Path
def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
for name in sys.argv[1:]:
    before, began, known = resident(), time.process_time(), len(sys.modules)
    importlib.import_module(name)
    print(name, resident() - before, (time.process_time() - began) * 1000, len(sys.modules) - known)
"""
IMPORT = ["-c", "import fastapi, sqlmodel"]
GUIDANCE = ["-m", "app.cli"]
WITHOUT = {"GUIDANCE_EXTENSIONS": "none"}
COMPLETING = {"_GUIDANCE_COMPLETE": "complete_bash", "COMP_WORDS": "guidance clients ", "COMP_CWORD": "2"}
TIMED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A small program that runs a command, and prints the processor seconds and the most memory that the command used.

It is small because a process begins with the memory of the process that starts it, which would be counted too.
"""


def measure_resources(results: Results, work: Path, say: Say) -> None:
    """Measure imports, starts, commands and memory of the service, and add the figures to `results`.

    A start lasts until the service is ready, which includes publishing the seed. Starts and commands are compared with
    the import of the frameworks. Memory is measured idle, after reads, and after posts of concerns. The service is
    compiled first, as an installation does, because not every machine lets Python write its bytecode.
    """
    compileall.compile_dir(ROOT / "app", quiet=1)
    results.figures |= weigh_modules(say)
    ratios: dict[str, list[float]] = {
        START: [],
        START_WITHOUT: [],
        HELP: [],
        GROUP_HELP: [],
        COMPLETION: [],
        LISTING: [],
    }
    for number in range(TIMES):
        say(f"starting: {number + 1} of {TIMES}")
        folder, (imported, _) = work / f"start-{number}", spent_by(IMPORT)
        with guidance("service", folder) as server:
            ratios[START].append(server.cpu_seconds() / imported)
            if number == TIMES - 1:
                results.figures[IDLE] = server.resident_megabytes()
                read(server.url + SECTION, connections=64, seconds=3)
                read(server.url + "/v1/search?q=missing", connections=16, seconds=2)
                results.figures["resident megabytes under load"] = server.resident_megabytes()
                post(server.url + "/v1/concerns", CONCERN, connections=64, seconds=3)
                results.figures[MEMORY] = server.resident_megabytes()
        with guidance("service", work / f"without-{number}", **WITHOUT) as server:
            ratios[START_WITHOUT].append(server.cpu_seconds() / imported)
            results.figures[IDLE_WITHOUT] = server.resident_megabytes()
        ratios[HELP].append(spent_by([*GUIDANCE, "--help"])[0] / imported)
        ratios[GROUP_HELP].append(spent_by([*GUIDANCE, "clients", "--help"])[0] / imported)
        ratios[COMPLETION].append(spent_by([*GUIDANCE], **COMPLETING)[0] / imported)
        ratios[LISTING].append(spent_by([*GUIDANCE, "clients", "list", "--data-dir", str(folder)])[0] / imported)
    results.figures |= {name: statistics.median(each) for name, each in ratios.items()}


def weigh_modules(say: Say) -> dict[str, float]:
    """Return the megabytes, milliseconds and number of modules that each of `MODULES` adds: the least of all times."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for number in range(TIMES):
        say(f"weighing modules: {number + 1} of {TIMES}")
        command = [sys.executable, "-c", WEIGHED, *MODULES]
        for line in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
            name, *figures = line.split()
            found.setdefault(name, []).append(tuple(map(float, figures)))
    least = {name: [min(each) for each in zip(*figures, strict=True)] for name, figures in found.items()}
    return {
        f"{what} of {name}": each
        for name, figures in least.items()
        for what, each in zip(WEIGHTS, figures, strict=True)
    }


def spent_by(arguments: Sequence[str], **environment: str) -> tuple[float, float]:
    """Run Python with `arguments`, and return its processor seconds and the most memory that it used, in megabytes.

    Raise `CalledProcessError` if it fails.
    """
    command = [sys.executable, "-c", TIMED, sys.executable, *arguments]
    spent, kilobytes = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    ).stdout.split()
    return float(spent), int(kilobytes) * 1024 / 1e6
