"""`python -m bench`: the whole benchmark, or a part of it."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench.growth import measure_growth
from bench.others import measure_others
from bench.pages import measure_pages
from bench.reads import measure_reads
from bench.report import (
    GUARDED,
    LATEST,
    add_to_recorded,
    as_text,
    commit,
    lacking,
    machine,
    recorded,
    redraw,
    regressions,
    write,
)
from bench.resources import measure_resources
from bench.rounds import Results
from bench.writes import measure_writes

PARTS = ("resources", "reads", "writes", "growth", "others", "pages")
GUARDING = ("resources", "reads", "writes", "growth")
"""The parts that `--check` measures."""


def say(line: str) -> None:
    """Write a line of progress to standard error. On a terminal, each line overwrites the one before."""
    width = shutil.get_terminal_size().columns
    end = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"{line[: width - 1]:<{width - 1}}{end}" if sys.stderr.isatty() else line + end)
    sys.stderr.flush()


def main() -> int:
    """Run the benchmark, and print and write the results. Return the exit status.

    With `--redraw`, only make the chart and the table of the recorded run again. With `--check`, compare with the
    recorded run, and return 1 if a bar is worse or no run is recorded.
    """
    arguments = _arguments()
    if arguments.redraw:
        redraw()
        return 0
    if arguments.check and not LATEST.exists():
        sys.stdout.write("No whole run is recorded yet: make bench\n")
        return 1
    results = Results(wanted=GUARDED if arguments.check else lacking() if arguments.add else None)
    about = machine() | {"command": " ".join(["python -m bench", *sys.argv[1:]]), "commit": commit()}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})  # for the load: servers are pinned to the last processor
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        parts = {
            "resources": lambda: measure_resources(results, work, say),
            "reads": lambda: measure_reads(results, work, arguments.rounds, arguments.seconds, say),
            "writes": lambda: measure_writes(results, work, arguments.rounds, arguments.seconds, say),
            "others": lambda: measure_others(results, work, arguments.rounds, arguments.seconds, say),
            "growth": lambda: measure_growth(results, work, say),
            "pages": lambda: measure_pages(results, work, arguments, say),
        }
        try:
            for name in PARTS:
                if name in arguments.part:
                    parts[name]()
        except BaseException:  # an hour of measurements is written even if the run fails or is interrupted
            say(f"what was measured is in {write(results, about, is_whole=False)}")
            raise
    sys.stdout.write(as_text(results) + "\n")
    if arguments.check:
        worse = regressions(results, Results.from_json(recorded()))
        sys.stdout.write(
            "\n".join(["", *worse] if worse else ["", "Nothing is worse than recorded by a quarter."]) + "\n"
        )
        return 1 if worse else 0
    about["finished"] = time.strftime("%Y-%m-%d %H:%M")
    is_whole = not arguments.quick and set(arguments.part) == set(PARTS)
    path = add_to_recorded(results, about) if arguments.add else write(results, about, is_whole=is_whole)
    sys.stdout.write(f"\nwritten to {path}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few, short rounds")
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure in short rounds what people wait for, and compare with the recorded run; exit status 1 if worse",
    )
    parser.add_argument(
        "--redraw",
        action="store_true",
        help="make the picture and the table again from the recorded run, and measure nothing",
    )
    parser.add_argument(
        "--add", action="store_true", help="measure what the recorded run lacks, of the given parts, and add it there"
    )
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=None, help="of each measurement")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure this part alone (may be repeated)")
    arguments = parser.parse_args()
    few = {"rounds": 3, "seconds": 1.0, "part": list(PARTS)}
    guarded = few | {"part": list(GUARDING)}
    many = {"rounds": 5, "seconds": 3.0, "part": list(PARTS)}
    for name, value in (guarded if arguments.check else few if arguments.quick else many).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
