"""The report of a run: the bars with ratios and spread, in text, JSON and Markdown.

A bar is a value that the benchmark reports, with the minimum or maximum that it must reach, if any.
"""

import json
import os
import platform
import statistics
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rounds import Results

RESULTS = Path(__file__).parent / "results"
LATEST = RESULTS / "latest.json"
SPEED = Path(__file__).parents[1] / "docs" / "reference" / "speed.md"
BEGIN = "<!-- The recorded run: `make bench` and `make bench ARGS=--redraw` write this part. -->"
END = "<!-- End of the recorded run. -->"

TAIL, CPU, FIGURE = "tail", "processor", "figure"
"""Values of `Bar.to` for bars that do not compare two measurements.

They stand for the 99th percentile as a multiple of the median, the processor time, and a single figure.
"""
WIDTH = 120  # of a line of the documents
FEWEST_DECIMALS = 10  # figures from this value on are shown without decimals


@dataclass(frozen=True)
class Bar:
    """A value to report, and its minimum or maximum, if it has one. `what` is its name in the report.

    The value is how many times as fast as the task `to` the task `name` is: by rate or, with `by_cpu`, by the processor
    time for a request, which is reliable even on a busy machine. If `to` is `TAIL`, `CPU` or `FIGURE`, the value is
    about `name` only. `why` is the known reason for a missed bar.
    """

    what: str
    name: str
    to: str
    least: float | None = None
    most: float | None = None
    by_cpu: bool = False
    why: str = ""

    @property
    def is_target(self) -> bool:
        """True if the bar has a minimum or a maximum."""
        return self.least is not None or self.most is not None


WHOLE = "The process includes the pages, the desk, their languages and the embedded database."
IN_PYTHON = (
    "nginx is a program in C that sends a file. Half of a read is the operating system's work, and the rest is done in "
    "Python, where an application that sends only constant bytes takes more."
)
SAME_AS_BEFORE = (
    "Commit `af6fcf7c`, which reached the bar on an AMD EPYC (1.85), takes the same 13.2 microseconds on the machine "
    "of this run: more of a read is the operating system's work here."
)
BUILT_ONCE = (
    "A cold read builds the whole response once, to be cached: the sections with cautions, links and digest, after "
    "checks of host and query. The naive application returns its rows."
)
SEALED = "A concern is encrypted, signed and recorded in two chains. The floor does only this, and is in the table too."
AROUND = "The floor has no check of the caller, no limits, retries, log or negotiation: these are the difference."
LONGER = "A full concern has more fields to check, encrypt and sign."
NOT_THE_DISK = "The processor is the limit, not the disk: a slower disk raises the ratio."
EACH_GROUP = "A command reads the modules of its own group."
START, MEMORY = "start-up, to the import of FastAPI and SQLModel, by CPU", "resident megabytes with concerns too"
IDLE = "resident megabytes idle"
START_WITHOUT = "start-up without extensions, to the import of FastAPI and SQLModel, by CPU"
IDLE_WITHOUT = "resident megabytes idle, without extensions"
HELP, LISTING = "guidance --help, to that import, by CPU", "guidance clients list, to that import, by CPU"
GROUP_HELP = "guidance clients --help, to that import, by CPU"
COMPLETION = "completion of guidance clients, to that import, by CPU"
WEIGHTS = ("megabytes", "milliseconds", "modules")
NAIVE_ONE = "naive edition, one by one"
FIRST_READS = {"cold miss": "of the only edition of a guide", "cold miss of many": "of one of 300 editions"}
FIGURE_BARS = (
    Bar(START, START, FIGURE, most=2.8, why=WHOLE),
    Bar(START_WITHOUT, START_WITHOUT, FIGURE, most=2.4, why=WHOLE),
    Bar(IDLE, IDLE, FIGURE, most=145, why=WHOLE),
    Bar(IDLE_WITHOUT, IDLE_WITHOUT, FIGURE, most=120, why=WHOLE),
    Bar(MEMORY, MEMORY, FIGURE, why=WHOLE),
    *(Bar(name, name, FIGURE, most=0.75, why=EACH_GROUP) for name in (HELP, GROUP_HELP, COMPLETION)),
    Bar(LISTING, LISTING, FIGURE, most=2, why=EACH_GROUP),
)
FELT = (
    *(
        Bar(f"first read {of}, to a naive one, by CPU", task, NAIVE_ONE, least=1, by_cpu=True, why=BUILT_ONCE)
        for task, of in FIRST_READS.items()
    ),
    *(
        Bar(
            f"a concern at {number}, to the floor, by CPU",
            f"floor {number}",
            f"concerns {number}",
            most=most,
            by_cpu=True,
            why=AROUND,
        )
        for number, most in ((1, 2.8), (16, 1.7))
    ),
)
"""Bars of what people wait for."""
BARS = (
    *FELT,
    Bar("section read, to bare ASGI bytes, by CPU", "section", "bare", least=1.5, by_cpu=True, why=SAME_AS_BEFORE),
    Bar("304, to bare ASGI bytes", "304", "bare", least=0.75),
    Bar("section read, to nginx, by CPU", "section", "nginx", least=0.8, by_cpu=True, why=IN_PYTHON),
    Bar("section read, to naive", "section", "naive section", least=20),
    Bar("whole edition, to naive", "edition", "naive edition", least=20),
    Bar("search for other words each time, to naive, by CPU", "search", "naive search", by_cpu=True),
    Bar("concerns at 16, to naive unsealed posts", "concerns 16", "naive posts 16", why=SEALED),
    Bar("a concern at 16, microseconds of processor", "concerns 16", CPU),
    Bar("a concern at 64, microseconds of processor", "concerns 64", CPU),
    Bar("the floor of a concern, microseconds of processor", "floor 16", CPU),
    Bar("full concern to a small one, by CPU", "concerns 16", "full concerns 16", most=1.6, by_cpu=True, why=LONGER),
    Bar("concerns at 64, p99 to median", "concerns 64", TAIL, most=3),
    Bar("with 5 ms a flush: concerns at 64 to 1", "5 ms, concerns 64", "5 ms, concerns 1", least=8, why=NOT_THE_DISK),
    Bar("with 50 ms a flush: concerns at 64 to 1", "50 ms, concerns 64", "50 ms, concerns 1", least=20),
    Bar("concerns at 16, PostgreSQL to SQLite", "postgresql concerns 16", "concerns 16"),
)


@dataclass(frozen=True)
class Row:
    """A measured bar: the median, smallest and largest value of the rounds."""

    bar: Bar
    median: float
    smallest: float
    largest: float

    @property
    def is_reached(self) -> bool:
        """True if the median is within the minimum and maximum of the bar."""
        least, most = self.bar.least, self.bar.most
        return (least is None or self.median >= least) and (most is None or self.median <= most)


def table(results: Results) -> list[Row]:
    """Return a row for each bar that was measured."""
    measured = [(bar, _measured(results, bar)) for bar in (*FIGURE_BARS, *BARS)]
    return [Row(bar, statistics.median(each), each[0], each[-1]) for bar, each in measured if each]


def _measured(results: Results, bar: Bar) -> list[float]:
    """Return the value of the bar in each round, in ascending order. Return an empty list if it was not measured."""
    if bar.to == FIGURE:
        return [results.figures[bar.name]] if bar.name in results.figures else []
    if bar.name not in results.rounds:
        return []
    if bar.to == TAIL:
        return results.tails(bar.name)
    if bar.to == CPU:
        return sorted(each.cpu for each in results.rounds[bar.name])
    return results.ratios(bar.name, bar.to, by_cpu=bar.by_cpu) if bar.to in results.rounds else []


def as_text(results: Results) -> str:
    """Return the rates and the bars as text for a terminal."""
    lines = ["", f"{'requests a second (median)':<44}{'rate':>10}{'us CPU':>9}{'median ms':>11}{'p99 ms':>9}"]
    for name, rounds in results.rounds.items():
        median, tail = (statistics.median(values) for values in ([r.median for r in rounds], [r.p99 for r in rounds]))
        failed = sum(each.failed for each in rounds)
        failures = f"   {failed:,} failed" if failed else ""
        cpu = statistics.median(each.cpu for each in rounds)
        lines.append(f"{name:<44}{results.rate(name):>10,.0f}{cpu:>9,.0f}{median:>11.2f}{tail:>9.2f}{failures}")
    lines += ["", f"{'bar (median of rounds)':<60}{'median':>10}{'spread':>18}{'bar':>8}"]
    for row in table(results):
        verdict = "" if not row.bar.is_target else "  reached" if row.is_reached else "  NOT reached"
        spread = f"{row.smallest:.2f} to {row.largest:.2f}"
        lines.append(f"{row.bar.what:<60}{row.median:>10.2f}{spread:>18}{_target(row.bar, '>=', '<='):>8}{verdict}")
    lines += ["", *(f"{name}: {value:,.2f}" for name, value in results.figures.items())]
    lines += [f"not measured: {name} ({reason})" for name, reason in results.skipped.items()]
    return "\n".join(lines)


def as_markdown(run: dict[str, Any]) -> str:
    """Return a recorded run as Markdown for the documents: the machine, the bars, and the reasons for missed bars."""
    return "\n".join([BEGIN, "", *_described(run), "", *_tabulated(run), "", *_explained(run), *_weighed(run), END])


def _described(run: dict[str, Any]) -> Iterator[str]:
    about, results = run["about"], Results.from_json(run)
    rounds = len(next(iter(results.rounds.values())))
    yield f"{about['finished']}, commit `{about['commit']}`, `{about['command']}`: {rounds} rounds."
    yield f"{about['cpus']} processors ({about['cpu']}, {about['system'].partition('-')[0]}), Python {about['python']}."
    compared = {name for bar in BARS for name in (bar.name, bar.to)}
    for name, measured in ((name, results.rounds[name]) for name in results.rounds if name in compared):
        failed, answered = (sum(getattr(each, member) for each in measured) for member in ("failed", "answers"))
        if failed:
            yield f"Of {failed + answered:,} requests of '{name}', {failed:,} failed."
    for name, reason in results.skipped.items():
        yield f"Not measured: {name} ({reason})."
    for added in about.get("added", ()):
        when = f"Added on {added['finished']}, commit `{added['commit']}`, at a load of {added['load_before']:.0f}"
        yield f"{when}: {'; '.join(added['names'])}."


def _tabulated(run: dict[str, Any]) -> Iterator[str]:
    yield "| what, median of the rounds | measured | spread | bar | |"
    yield "|---|---|---|---|---|"
    for row in table(Results.from_json(run)):
        verdict = "" if not row.bar.is_target else "reached" if row.is_reached else "**missed**"
        spread = "" if row.bar.to == FIGURE else f"{_figure(row.smallest)} to {_figure(row.largest)}"
        cells = [row.bar.what, _figure(row.median), spread, _target(row.bar, "at least ", "at most "), verdict]
        yield f"| {' | '.join(cells)} |"


def _explained(run: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a list of the missed bars, grouped by the reason."""
    missed = [row.bar for row in table(Results.from_json(run)) if row.bar.is_target and not row.is_reached]
    if missed:
        yield "**What is missed, and why.**"
        yield ""
    for why in dict.fromkeys(bar.why for bar in missed):
        names = "; ".join(bar.what for bar in missed if bar.why == why)
        reason = f"- {names[0].upper()}{names[1:]}. {why or 'No reason is known yet.'}"
        yield from textwrap.wrap(reason, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    if missed:
        yield ""


def _weighed(run: dict[str, Any]) -> Iterator[str]:
    """Yield a table of what each module adds to a process that has imported those above it."""
    figures, mark = run["figures"], f"{WEIGHTS[0]} of "
    names = [name.removeprefix(mark) for name in figures if name.startswith(mark)]
    if names:
        yield f"| what an import adds to those above it | {' | '.join(WEIGHTS)} |"
        yield "|---|---:|---:|---:|"
    for name in names:
        added = [figures[f"{what} of {name}"] for what in WEIGHTS]
        yield f"| `{name}` | {added[0]:.1f} | {added[1]:,.0f} | {added[2]:,.0f} |"
    if names:
        yield ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= FEWEST_DECIMALS else f"{value:.2f}"


def _target(bar: Bar, least: str, most: str) -> str:
    if bar.least is not None:
        return f"{least}{bar.least:g}"
    return "" if bar.most is None else f"{most}{bar.most:g}"


def machine() -> dict[str, Any]:
    """Return a description of this machine: its processors, system, Python version and load."""
    cpu = next((ln for ln in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in ln), "")
    return {
        "cpus": os.cpu_count(),
        "cpu": cpu.partition(":")[2].strip(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def commit() -> str:
    """Return the short commit hash of this checkout, or an empty string if there is none."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def write(results: Results, about: dict[str, Any], *, is_whole: bool) -> Path:
    """Write the JSON, and return its path.

    Only a whole run replaces the recorded run, and the tables in the documents.
    """
    RESULTS.mkdir(exist_ok=True)
    path = LATEST if is_whole else RESULTS / "partial.json"
    path.write_text(json.dumps({"about": about, **results.as_json()}, indent=1) + "\n", encoding="utf-8")
    if is_whole:
        redraw()
    return path


def lacking() -> frozenset[str]:
    """Return the tasks and figures of bars that the recorded run lacks."""
    run, compared = recorded(), (TAIL, CPU, FIGURE)
    names = {name for bar in (*FIGURE_BARS, *BARS) for name in (bar.name, bar.to) if name not in compared}
    return frozenset(names - run["rounds"].keys() - run["figures"].keys())


def add_to_recorded(results: Results, about: dict[str, Any]) -> Path:
    """Add to the recorded run what it lacks, with `about`, and write the table again. Return its path."""
    run, found, added = recorded(), results.as_json(), list[str]()
    for kind in ("rounds", "figures"):
        new = {name: found[kind][name] for name in found[kind].keys() - run[kind].keys()}
        run[kind] |= new
        added += new
    run["about"].setdefault("added", []).append(about | {"names": sorted(added)})
    LATEST.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    write_part(BEGIN, as_markdown(run), END)
    return LATEST


def recorded() -> dict[str, Any]:
    """Return the recorded run, as parsed JSON."""
    run: dict[str, Any] = json.loads(LATEST.read_text(encoding="utf-8"))
    return run


def redraw() -> None:
    """Make the tables in the documents again from the recorded run."""
    write_part(BEGIN, as_markdown(recorded()), END)


def write_part(begin: str, part: str, end: str) -> None:
    """Replace what the reference has from `begin` to `end` by `part`, which includes both."""
    text = SPEED.read_text(encoding="utf-8")
    SPEED.write_text(text.partition(begin)[0] + part + text.partition(end)[2], encoding="utf-8")
