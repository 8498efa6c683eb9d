"""Measurements of imports, commands, starts and memory."""

import compileall
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.content import CONCERN
from bench.load import post, read
from bench.report import COMMAND, COMMANDS, IDLE, MEMORY, START
from bench.rounds import Results, Say
from bench.servers import ROOT, guidance, pinned

TIMES = 5
SECTION = "/v1/guides/child-sexual-exploitation/indicators"
IMPORTS = {
    "Python": "pass",
    "FastAPI": "import fastapi",
    "FastAPI and SQLModel": "import fastapi, sqlmodel",
    "the tables": "import app.db.tables",
    "the application": "import app.main",
}
FRAMEWORKS = "FastAPI and SQLModel"
GUIDANCE = [sys.executable, "-m", "app.cli"]
COMPLETION = ["env", "_GUIDANCE_COMPLETE=complete_bash", "COMP_WORDS=guidance desk ", "COMP_CWORD=2", *GUIDANCE]
TIMED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A small program that runs a command, and prints the processor seconds and the most memory that the command used.

It is small because a process begins with the memory of the process that starts it, which would be counted too.
"""


def spent_by(command: Sequence[str]) -> tuple[float, float]:
    """Run `command`, and return the processor seconds and the most megabytes that it used.

    Raise `CalledProcessError` if the command fails.
    """
    timed = [sys.executable, "-c", TIMED, *command]
    seconds, kilobytes = subprocess.run(timed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), int(kilobytes) * 1024 / 1e6


def measure_resources(results: Results, work: Path, say: Say) -> None:
    """Measure imports, starts, memory and commands, and add the figures to `results`.

    A start is measured in seconds of processor until ready, which includes publishing the seed, and compared with the
    import of the frameworks. Memory is measured idle, after reads, and after posts of concerns. The service is compiled
    first, as an installation does, because not every machine lets Python write its bytecode.
    """
    compileall.compile_dir(ROOT / "app", quiet=1)
    for what, program in IMPORTS.items():
        say(f"importing {what}")
        seconds, megabytes = _median_of(pinned([sys.executable, "-c", program], "0"))
        results.figures |= {f"seconds to import {what}": seconds, f"megabytes after importing {what}": megabytes}
    starts = []
    for number in range(TIMES):
        say(f"starting: {number + 1} of {TIMES}")
        with guidance("service", work / f"start-{number}") as server:
            starts.append(server.cpu_seconds())
            if number == TIMES - 1:
                results.figures[IDLE] = server.resident_megabytes()
                read(server.url + SECTION, connections=64, seconds=3)
                read(server.url + "/v1/search?q=missing", connections=16, seconds=2)
                results.figures["resident megabytes under load"] = server.resident_megabytes()
                post(server.url + "/v1/concerns", CONCERN, connections=64, seconds=3)
                results.figures[MEMORY] = server.resident_megabytes()
                say("commands")
                results.figures |= _measure_commands(server.url, work / "start-0")
    results.figures["seconds of processor until ready, seed published"] = statistics.median(starts)
    results.figures[START] = statistics.median(starts) / results.figures[f"seconds to import {FRAMEWORKS}"]


def _measure_commands(url: str, data_dir: Path) -> dict[str, float]:
    """Return the processor seconds of each of `COMMANDS`.

    `health` asks the service at `url`. Commands that read the database have `data_dir`, a folder without concerns.
    """
    folder = ["--data-dir", str(data_dir)]
    options = {"health": ["--url", url], "clients list": folder, "due": folder, "verify": folder}
    commands = {name: [*GUIDANCE, *name.split(), *options.get(name, ())] for name in COMMANDS}
    commands["completion"] = COMPLETION
    return {COMMAND.format(name): _median_of(pinned(command, "0"))[0] for name, command in commands.items()}


def _median_of(command: Sequence[str]) -> tuple[float, float]:
    spent = [spent_by(command) for _ in range(TIMES)]
    return statistics.median(each[0] for each in spent), statistics.median(each[1] for each in spent)
