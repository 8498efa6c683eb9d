"""Measurements of start-up time and memory."""

import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.content import CONCERN
from bench.load import post, read
from bench.report import IDLE, MEMORY, START
from bench.rounds import Results, Say
from bench.servers import ROOT, guidance, pinned

TIMES = 5
SECTION = "/v1/guides/child-sexual-exploitation/indicators"


def measure_resources(results: Results, work: Path, say: Say) -> None:
    """Measure the start-up time and the memory of the service, and add the figures to `results`.

    The start-up time is in seconds until ready, which includes publishing the seed. It is compared with the import of
    the frameworks. Memory is measured idle, after reads, and after posts of concerns. The service is compiled first, as
    an installation does, because not every machine lets Python write its bytecode.
    """
    compileall.compile_dir(ROOT / "app", quiet=1)
    imports, starts = [], []
    for number in range(TIMES):
        say(f"starting: {number + 1} of {TIMES}")
        imports.append(_seconds_to_import())
        with guidance("service", work / f"start-{number}") as server:
            starts.append(server.seconds_to_start)
            if number == TIMES - 1:
                results.figures[IDLE] = server.resident_megabytes()
                read(server.url + SECTION, connections=64, seconds=3)
                read(server.url + "/v1/search?q=missing", connections=16, seconds=2)
                results.figures["resident megabytes under load"] = server.resident_megabytes()
                post(server.url + "/v1/concerns", CONCERN, connections=64, seconds=3)
                results.figures[MEMORY] = server.resident_megabytes()
    results.figures["seconds to import fastapi and sqlmodel"] = statistics.median(imports)
    results.figures["seconds until ready, seed published"] = statistics.median(starts)
    results.figures[START] = statistics.median(s / i for s, i in zip(starts, imports, strict=True))


def _seconds_to_import() -> float:
    began = time.perf_counter()
    subprocess.run(pinned([sys.executable, "-c", "import fastapi, sqlmodel"], "0"), check=True)
    return time.perf_counter() - began
