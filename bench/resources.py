"""Measurements of start-up time, of commands and of memory. Times are of the processor."""

import compileall
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.content import CONCERN
from bench.load import post, read
from bench.report import HELP, IDLE, LISTING, MEMORY, START
from bench.rounds import Results, Say
from bench.servers import ROOT, guidance

TIMES = 5
SECTION = "/v1/guides/child-sexual-exploitation/indicators"
IMPORTS = {
    "Python": "pass",
    "FastAPI": "import fastapi",
    "FastAPI and SQLModel": "import fastapi, sqlmodel",
    "the tables": "import app.db.tables",
    "the application": "import app.main",
}
IMPORT = ["-c", IMPORTS["FastAPI and SQLModel"]]
GUIDANCE = ["-m", "app.cli"]
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
    for what, program in IMPORTS.items():
        say(f"importing {what}")
        seconds, megabytes = min(spent_by(["-c", program]) for _ in range(TIMES))
        results.figures |= {f"seconds to import {what}": seconds, f"megabytes after importing {what}": megabytes}
    ratios: dict[str, list[float]] = {START: [], HELP: [], LISTING: []}
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
        ratios[HELP].append(spent_by([*GUIDANCE, "--help"])[0] / imported)
        ratios[LISTING].append(spent_by([*GUIDANCE, "clients", "list", "--data-dir", str(folder)])[0] / imported)
    results.figures |= {name: statistics.median(each) for name, each in ratios.items()}


def spent_by(arguments: Sequence[str]) -> tuple[float, float]:
    """Run Python with `arguments`, and return its processor seconds and the most memory that it used, in megabytes.

    Raise `CalledProcessError` if it fails.
    """
    command = [sys.executable, "-c", TIMED, sys.executable, *arguments]
    spent, kilobytes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return float(spent), int(kilobytes) * 1024 / 1e6
