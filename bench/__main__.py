"""`python -m bench`: the whole benchmark, or a part of it."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench.reads import measure_reads
from bench.report import add_to_recorded, as_text, commit, lacking, machine, redraw, write
from bench.resources import measure_resources
from bench.rounds import Results
from bench.writes import measure_writes

PARTS = ("resources", "reads", "writes")


def say(line: str) -> None:
    """Write a line of progress to standard error. On a terminal, each line overwrites the one before."""
    width = shutil.get_terminal_size().columns
    end = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"{line[: width - 1]:<{width - 1}}{end}" if sys.stderr.isatty() else line + end)
    sys.stderr.flush()


def main() -> int:
    """Run the benchmark, and print and write the results. Return the exit status.

    With `--redraw`, only make the tables of the recorded run again.
    """
    arguments = _arguments()
    if arguments.redraw:
        redraw()
        return 0
    results = Results(wanted=lacking() if arguments.add else None)
    about = machine() | {"command": " ".join(["python -m bench", *sys.argv[1:]]), "commit": commit()}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})  # for the load: servers are pinned to the last processor
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        parts = {
            "resources": lambda: measure_resources(results, work, say),
            "reads": lambda: measure_reads(results, work, arguments.rounds, arguments.seconds, say),
            "writes": lambda: measure_writes(results, work, arguments.rounds, arguments.seconds, say),
        }
        try:
            for name in PARTS:
                if name in arguments.part:
                    parts[name]()
        except BaseException:  # an hour of measurements is written even if the run fails or is interrupted
            say(f"what was measured is in {write(results, about, is_whole=False)}")
            raise
    sys.stdout.write(as_text(results) + "\n")
    about["finished"] = time.strftime("%Y-%m-%d %H:%M")
    is_whole = not arguments.quick and set(arguments.part) == set(PARTS)
    path = add_to_recorded(results, about) if arguments.add else write(results, about, is_whole=is_whole)
    sys.stdout.write(f"\nwritten to {path}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few, short rounds")
    parser.add_argument("--redraw", action="store_true", help="make the tables of the recorded run again")
    parser.add_argument(
        "--add", action="store_true", help="measure what the recorded run lacks, of the given parts, and add it there"
    )
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=None, help="of each measurement")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure this part alone (may be repeated)")
    arguments = parser.parse_args()
    few = {"rounds": 3, "seconds": 1.0, "part": list(PARTS)}
    many = {"rounds": 5, "seconds": 3.0, "part": list(PARTS)}
    for name, value in (few if arguments.quick else many).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
