"""Memory over a long time of mixed load: what a process holds, minute by minute.

`python -m bench.memory --minutes 60`
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.mixed import MixedLoad
from bench.servers import UNLIMITED, Server, guidance
from bench.signed_in import sign_in

A_MINUTE = 60.0
FIELDS = {"Rss": "rss", "Private_Clean": "uss", "Private_Dirty": "uss", "Anonymous": "anonymous"}


def memory_of(server: Server) -> dict[str, float]:
    """Return what the process holds, in megabytes: resident, its own alone, and what comes from no file."""
    held = dict.fromkeys(FIELDS.values(), 0.0)
    for line in Path(f"/proc/{server.pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in FIELDS:
            held[FIELDS[name]] += int(rest.split()[0]) * 1024 / 1e6
    return held


async def watch(server: Server, load: MixedLoad, arguments: argparse.Namespace) -> None:
    """Send the load, and write a line for each minute."""
    running = asyncio.create_task(load.run(rate=arguments.rate, seconds=arguments.minutes * A_MINUTE))
    began = time.monotonic()
    while not running.done():
        held = memory_of(server)
        say(
            f"{(time.monotonic() - began) / A_MINUTE:5.1f} min  "
            + "  ".join(f"{name} {value:.1f}" for name, value in held.items())
            + f"  cpu {server.cpu_seconds():.1f}  answers {load.statuses.total()}"
        )
        await asyncio.wait([running], timeout=A_MINUTE)
    await running
    say(f" after     {memory_of(server)}")
    say("\n".join(f"{name}: {count}" for name, count in sorted(load.statuses.items())))


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=30, help="requests a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        who = sign_in(Path(folder))
        with guidance("service", Path(folder), **UNLIMITED) as server:
            asyncio.run(watch(server, MixedLoad(server.url, who), arguments))


if __name__ == "__main__":
    main()
