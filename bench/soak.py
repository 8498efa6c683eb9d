"""A soak test: a week in an hour, with 70,000 concerns, 300,000 reads and 20,000 desk actions, by day and by night.

`python -m bench.soak --database sqlite`, or `postgresql`, does the run. `python -m bench.soak --write` then writes the
recorded runs into the reference.

The service's clock runs faster (`bench.running.FastClock`), so its jobs announce overdue concerns and check the whole
audit log each night. The service's hourly work is timed by real hours, so it is due only once in such a run. A second
process therefore does that work, through the functions of the jobs, as a second node would. A third process repeatedly
takes the lock of all writers, and notes how long it waited.
"""

import argparse
import asyncio
import datetime as dt
import json
import math
import multiprocessing
import os
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from textwrap import wrap
from typing import Any

import httpx
from sqlalchemy import Engine, func, select, table, text

from app.db.database import DATABASE_FILE, for_writing, open_database, open_to_read
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from bench.content import running_context
from bench.mixed import IN_A_WEEK, MixedLoad
from bench.report import RESULTS, SPEED, WIDTH, commit, machine
from bench.running import FastClock
from bench.servers import UNLIMITED, Server, guidance, postgresql
from bench.signed_in import sign_in

MONDAY = dt.datetime(2026, 3, 2, 18, tzinfo=dt.UTC)
A_WEEK, AN_HOUR, AT_LEAST = dt.timedelta(days=6, hours=18), dt.timedelta(hours=1), dt.timedelta(days=2)
"""The run is slightly shorter than a desk session, which ends after a week."""
RETENTION = RetentionPeriods(acknowledged_days=2, closed_days=1)
SETTINGS = UNLIMITED | {
    "GUIDANCE_RETENTION_ACKNOWLEDGED_DAYS": str(RETENTION.acknowledged_days),
    "GUIDANCE_RETENTION_CLOSED_DAYS": str(RETENTION.closed_days),
    "GUIDANCE_DESK_SESSION_HOURS": "168",
    "GUIDANCE_DESK_IDLE_MINUTES": "720",
}
TENTHS, SAMPLES = 10, 200
"""Number of rows in the result, and number of samples in a run. A row has the peaks of its samples."""
TO_START_SECONDS = 20
"""The service's clock stands still for this time, while the processes start."""
MOST_GROWTH, MOST_MILLISECONDS = 0.05, 100
PROBE_SECONDS, POLL_SECONDS = 0.02, 0.001
MEMORY = {"Rss": "rss", "Private_Clean": "uss", "Private_Dirty": "uss"}
FLUSHES = re.compile(r'guidance_writer_flush_seconds_bucket{le="(0\.1|\+Inf)"} (\S+)')
NIGHT = re.compile(r'guidance_invariant_(broken|checked_timestamp_seconds){invariant="chains"} (\S+)')
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
BEGIN = "<!-- The recorded week: `python -m bench.soak --write` writes this part. -->"
END = "<!-- End of the recorded week. -->"
SQLITE_TABLES = """
    SELECT tbl_name, sum(pgsize) FROM dbstat('main', 1) JOIN sqlite_master USING (name) GROUP BY tbl_name
"""
POSTGRESQL_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Place:
    """The folder or URL of the database, and the clock: what each process of the run needs."""

    data_dir: Path
    url: str | None
    clock: FastClock


@dataclass
class Sample:
    """One sample of the run. `longest_...` fields and counts of events are of the time since the previous sample."""

    done: float
    """The share of all requests that has been sent, from 0 to 1."""
    at: str
    concerns: int
    rss: float
    uss: float
    """Memory that no other process shares, in megabytes. `rss`, `database` and `log` are megabytes too."""
    database: float
    log: float
    longest_wait: float
    """Milliseconds until the lock of all writers was free. `longest_post` and `post_p99` are milliseconds too."""
    longest_post: float = 0.0
    post_p99: float = 0.0


@dataclass
class Soak:
    """A run, with its processes and its samples."""

    place: Place
    server: Server
    load: MixedLoad
    waited: Any
    """The longest wait for the lock since the last sample. The process that measures it shares this value."""
    rows: list[Sample] = field(default_factory=list)
    flushes: dict[str, float] = field(default_factory=dict)
    nights: set[float] = field(default_factory=set)
    is_broken: bool = False
    _peak: Sample | None = None
    _posts: list[float] = field(default_factory=list)

    async def run(self, rate: float) -> None:
        """Send the load at `rate` requests a second, and take samples until the load is done."""
        total = len(self.load.left)
        running = asyncio.create_task(self.load.run(rate=rate))
        with httpx.Client(base_url=self.server.url, trust_env=False, timeout=60) as client:
            engine = open_to_read(self.place.data_dir, self.place.url)
            while not running.done():
                await asyncio.wait([running], timeout=max(0.5, total / rate / SAMPLES))
                done = 1 - len(self.load.left) / total
                await asyncio.to_thread(self._look, client, engine, 1.0 if running.done() else done)
            engine.dispose()
        await running

    def _look(self, client: httpx.Client, engine: Engine, done: float) -> None:
        with self.waited.get_lock():
            waited, self.waited.value = self.waited.value, 0.0
        metrics = client.get("/metrics").text
        self.flushes = {bound: float(count) for bound, count in FLUSHES.findall(metrics)}
        night = dict(NIGHT.findall(metrics))
        if "checked_timestamp_seconds" in night:
            self.nights.add(float(night["checked_timestamp_seconds"]))
            self.is_broken |= float(night["broken"]) > 0
        posts, self.load.took["concern"][:] = list(self.load.took["concern"]), self.load.took["concern"][:0]
        self._posts += posts
        files = read_files(self.place, engine)
        held = memory_of(self.server)
        concerns = self.load.statuses["concern 201"]
        now = Sample(done, f"{self.place.clock():%a %H:%M}", concerns, **held, **files, longest_wait=waited * 1000)
        if self._peak is not None:
            now.longest_wait = max(now.longest_wait, self._peak.longest_wait)
            now.log = max(now.log, self._peak.log)
        self._peak = now
        if done >= (len(self.rows) + 1) / TENTHS or done == 1:
            self._posts.sort()
            if self._posts:
                now.longest_post = self._posts[-1] * 1000
                now.post_p99 = self._posts[int(len(self._posts) * 0.99)] * 1000
            self.rows.append(now)
            self._peak, self._posts = None, []
            say(as_line(now))


def memory_of(server: Server) -> dict[str, float]:
    """Return the memory of the server process in megabytes: resident, and not shared with other processes."""
    held = dict.fromkeys(MEMORY.values(), 0.0)
    for line in Path(f"/proc/{server.pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in MEMORY:
            held[MEMORY[name]] += int(rest.split()[0]) * 1024 / 1e6
    return held


def read_files(place: Place, engine: Engine) -> dict[str, float]:
    """Return the sizes of the database and of its write-ahead log, in megabytes."""
    if place.url is None:
        path = place.data_dir / DATABASE_FILE
        sizes = [each.stat().st_size if each.exists() else 0 for each in (path, Path(f"{path}-wal"))]
    else:
        with engine.connect() as connection:
            sizes = [
                int(connection.execute(text(f"SELECT {each}")).scalar_one())
                for each in ("pg_database_size(current_database())", "sum(size) FROM pg_ls_waldir()")
            ]
    return {"database": sizes[0] / 1e6, "log": sizes[1] / 1e6}


def read_tables(place: Place) -> dict[str, dict[str, float]]:
    """Return the number of rows and the bytes of each larger table. The bytes of a table include its indexes."""
    engine = open_to_read(place.data_dir, place.url)
    with engine.connect() as connection:
        found = connection.execute(text(SQLITE_TABLES if place.url is None else POSTGRESQL_TABLES)).all()
        tables = {
            name: {
                "bytes": size,
                "rows": connection.execute(select(func.count()).select_from(table(name))).scalar_one(),
            }
            for name, size in found
            if size > 1e5  # noqa: PLR2004
        }
    engine.dispose()
    return tables


def ask_for_lock(place: Place, waited: Any, stop: Event) -> None:
    """Take and release the lock of all writers repeatedly until `stop` is set. Runs in a separate process.

    `waited` gets the longest wait in seconds.
    """
    with _taking_lock(place) as take:
        while not stop.wait(PROBE_SECONDS):
            began = time.perf_counter()
            take()
            took = time.perf_counter() - began
            with waited.get_lock():
                waited.value = max(waited.value, took)


@contextmanager
def _taking_lock(place: Place) -> Iterator[Callable[[], None]]:
    if place.url is not None:
        engine = for_writing(open_database(place.data_dir, place.url))

        def take() -> None:
            with engine.begin():
                pass

        yield take
        engine.dispose()
        return
    # no `busy_timeout`: with it SQLite tries less and less often, and its pauses would count as waiting
    connection = sqlite3.connect(place.data_dir / DATABASE_FILE, isolation_level=None, timeout=0)

    def take_of_file() -> None:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(POLL_SECONDS)
            else:
                connection.execute("ROLLBACK")
                return

    yield take_of_file
    connection.close()


def keep_house(place: Place, done: Any, stop: Event) -> None:
    """Do the hourly work of the job `housekeeping` until `stop` is set. Runs in a separate process.

    At the end, put the number of runs, the erased concerns and the longest run into `done`.
    """
    runs: list[tuple[int, float]] = []
    next_at = place.clock.start
    with running_context(place.data_dir, place.url, place.clock) as context:
        while not stop.wait(POLL_SECONDS):
            if (at := place.clock()) < next_at:
                continue
            next_at, began = at + AN_HOUR, time.perf_counter()
            context.checkpoints.make_if_due(at=at)
            erased = sum(1 for _ in erase_due_concerns(context.engine, context.writer, RETENTION, at=at))
            runs.append((erased, time.perf_counter() - began))
    done.put({"runs": len(runs), "erased": sum(n for n, _ in runs), "longest_seconds": max(s for _, s in runs)})


def soak(stack: ExitStack, arguments: argparse.Namespace) -> dict[str, Any]:
    """Do the whole run, and return the findings. `stack` stops the server and removes the database."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    url = None
    if arguments.database == "postgresql":
        url = stack.enter_context(postgresql()).get_uri(driver="psycopg")
    plan = {name: math.ceil(number * arguments.scale) for name, number in IN_A_WEEK.items()}
    seconds = sum(plan.values()) / arguments.rate
    factor = max(A_WEEK * arguments.scale, AT_LEAST).total_seconds() / seconds
    who = sign_in(folder, url, lambda: MONDAY)
    place = Place(folder, url, FastClock(MONDAY, time.time() + TO_START_SECONDS, factor))
    more = SETTINGS | {"BENCH_CLOCK": str(place.clock)} | ({"GUIDANCE_DATABASE_URL": url} if url else {})
    server = stack.enter_context(guidance("soak", folder, "--trial", **more))
    spawning = multiprocessing.get_context("spawn")
    waited, done, stop = spawning.Value("d", 0.0), spawning.SimpleQueue(), spawning.Event()
    helpers = [
        spawning.Process(target=ask_for_lock, args=(place, waited, stop), daemon=True),
        spawning.Process(target=keep_house, args=(place, done, stop), daemon=True),
    ]
    for each in helpers:
        each.start()
    run = Soak(place, server, MixedLoad(server.url, who, plan), waited)
    time.sleep(max(0.0, place.clock.since - time.time()))
    began, before = time.monotonic(), server.cpu_seconds()
    say(f"about {seconds / 60:.1f} minutes; the clock is {factor:,.0f} times as fast")
    asyncio.run(run.run(arguments.rate))
    spent = {"seconds": time.monotonic() - began, "cpu_seconds": server.cpu_seconds() - before}
    stop.set()
    house = done.get()
    for each in helpers:
        each.join(60)
    return spent | summary(run) | {"house": house, "tables": read_tables(place)}


def summary(run: Soak) -> dict[str, Any]:
    """Return the findings of the run as JSON values, with the figures that the bars need."""
    first, last, statuses = run.rows[0], run.rows[-1], run.load.statuses
    return {
        "rows": [asdict(each) for each in run.rows],
        "growth": {name: getattr(last, name) / getattr(first, name) - 1 for name in ("rss", "uss")},
        "longest_wait": max(each.longest_wait for each in run.rows),
        "longest_log": max(each.log for each in run.rows),
        "flushes": run.flushes.get("+Inf", 0.0),
        "flushes_over_100_ms": run.flushes.get("+Inf", 0.0) - run.flushes.get("0.1", 0.0),
        "nights": len(run.nights),
        "is_broken": run.is_broken,
        "statuses": dict(sorted(statuses.items())),
        "failed": sum(number for name, number in statuses.items() if name.rpartition(" ")[2] not in ("200", "201")),
    }


def explain(found: dict[str, Any]) -> list[str]:
    """Return sentences about whether the bars were reached, and about the sizes of the files."""
    tables, last = found["tables"], found["rows"][-1]
    whole, concerns = sum(each["bytes"] for each in tables.values()), tables["concerns"]["rows"]
    growth, wait = found["growth"]["rss"], found["longest_wait"]
    largest = sorted(tables.items(), key=lambda each: -each[1]["bytes"])
    return [
        f"Resident memory grew by {growth:.1%} after the first tenth ({_verdict(growth <= MOST_GROWTH)}: at most 5%); "
        f"memory that no other process shares by {found['growth']['uss']:.1%}.",
        f"Another writer waited at most {wait:,.0f} ms for the lock ({_verdict(wait <= MOST_MILLISECONDS)}: at most "
        f"100 ms); {found['flushes_over_100_ms']:,.0f} of {found['flushes']:,.0f} flushes took more than 100 ms.",
        f"{whole / concerns:,.0f} bytes for each concern with all that happened to it. The tables below, with their "
        f"indexes, are {whole / 1e6 / last['database']:.0%} of the files without the log. Bytes of a row: "
        + ", ".join(f"`{name}` {each['bytes'] / max(1, each['rows']):,.0f}" for name, each in largest)
        + f". One act at the desk is one row of `audit_entries`. The log had at most {found['longest_log']:,.0f} MB.",
        f"Retention ran {found['house']['runs']} times and erased {found['house']['erased']:,} concerns; the longest "
        f"run took {found['house']['longest_seconds']:.1f} s. The record was checked {found['nights']} times and "
        f"{'DID NOT VERIFY' if found['is_broken'] else 'verified'}.",
        f"{sum(found['statuses'].values()):,} requests in {found['seconds'] / 60:.0f} minutes took the server "
        f"{found['cpu_seconds']:,.0f} s of processor; {found['failed']:,} failed.",
    ]


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "**missed**"


COLUMNS = {
    "done": "done",
    "clock": "at",
    "concerns": "concerns",
    "resident MB": "rss",
    "own MB": "uss",
    "database MB": "database",
    "log MB": "log",
    "post p99 ms": "post_p99",
    "longest post ms": "longest_post",
    "longest wait for the lock ms": "longest_wait",
}


def _cells(row: dict[str, Any]) -> list[str]:
    row = row | {"done": f"{row['done']:.0%}"}
    return [each if isinstance(each, str) else f"{each:,.0f}" for each in (row[name] for name in COLUMNS.values())]


def as_line(row: Sample) -> str:
    """Return a sample as one line for a terminal."""
    return "  ".join(f"{name} {cell}" for name, cell in zip(COLUMNS, _cells(asdict(row)), strict=True))


def as_markdown(found: dict[str, Any]) -> str:
    """Return the findings of a recorded run as Markdown for the reference."""
    about = found["about"]
    lines = [
        f"{about['finished'][:10]}, {about['cpus']} processors ({about['cpu']}), Python {about['python']}:",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(_cells(row)) + " |" for row in found["rows"]),
        "",
        *(line for each in explain(found) for line in wrap(f"- {each}", WIDTH, subsequent_indent="  ")),
    ]
    return "\n".join(lines) + "\n"


def write_reference() -> None:
    """Replace the part about soak tests in the reference with the recorded runs."""
    text = SPEED.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    runs = {name: RESULTS / f"soak-{key}.json" for key, name in NAMES.items()}
    parts = [
        f"### {name}\n\n{as_markdown(json.loads(path.read_text(encoding='utf-8')))}"
        for name, path in runs.items()
        if path.exists()
    ]
    SPEED.write_text("\n".join([f"{before}{BEGIN}\n", *parts, f"{END}{after}"]), encoding="utf-8")


def say(line: str) -> None:
    """Write a line to standard output without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the soak test and write its findings or, with `--write`, write the recorded runs into the reference."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=NAMES, default="sqlite")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the week, for a trial; recorded apart")
    parser.add_argument("--rate", type=float, default=320, help="requests a second, at most")
    parser.add_argument("--write", action="store_true", help="write the recorded runs into docs/reference/speed.md")
    arguments = parser.parse_args()
    if arguments.write:
        write_reference()
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})  # for the load: the server is pinned to the last processor
    about = machine() | {"command": " ".join(["python -m bench.soak", *sys.argv[1:]]), "commit": commit()}
    with ExitStack() as stack:
        found = soak(stack, arguments)
    found["about"] = about | {"finished": time.strftime("%Y-%m-%d %H:%M")}
    name = f"soak-{arguments.database}.json" if arguments.scale >= 1 else f"partial.soak-{arguments.database}.json"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    say("\n".join(["", *explain(found), json.dumps(found["statuses"]), f"written to {RESULTS / name}"]))


if __name__ == "__main__":
    main()
