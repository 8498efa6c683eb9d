"""What is said of a run: the bars with their ratios and spread, a JSON file and a plot; and whether it got worse."""

import json
import os
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rounds import Results

RESULTS = Path(__file__).parent / "results"
LATEST = RESULTS / "latest.json"
WORSE = 0.75  # a ratio that falls under so much of the recorded one is reported as a regression

TAIL, CPU, FIGURE = "tail", "processor", "figure"
"""What a bar is about where it is no ratio to another candidate."""


@dataclass(frozen=True)
class Bar:
    """A ratio, or the processor time of a request, and how large (or how small) it should be.

    A ratio `by_cpu` is of processor time for a request: it also holds on a machine that others use.
    """

    what: str
    name: str
    to: str
    least: float | None = None
    most: float | None = None
    by_cpu: bool = False


BARS = (
    Bar("section read, to bare ASGI bytes", "section", "bare", least=1.5),
    Bar("section read, to bare ASGI bytes, by CPU", "section", "bare", least=1.5, by_cpu=True),
    Bar("304, to bare ASGI bytes", "304", "bare", least=0.75),
    Bar("section read, to bare ASGI with the same headers", "section", "bare, same headers"),
    Bar("304, to bare ASGI with the same headers", "304", "bare, same headers"),
    Bar("section read, to nginx", "section", "nginx"),
    Bar("section read, to nginx, by CPU", "section", "nginx", least=0.8, by_cpu=True),
    Bar("section read, to naive", "section", "naive section", least=20),
    Bar("whole edition, to naive", "edition", "naive edition", least=20),
    Bar("search, to naive", "search", "naive search"),
    Bar("section read, to Datasette", "section", "datasette"),
    Bar("cold miss, to naive edition", "cold miss", "naive edition, one by one", least=1.5),
    Bar("cold miss, to naive edition, by CPU", "cold miss", "naive edition, one by one", least=1.5, by_cpu=True),
    Bar("concerns at 16, to naive unsealed posts", "concerns 16", "naive posts 16", least=5),
    Bar("concerns at 16, to naive posts, by CPU", "concerns 16", "naive posts 16", by_cpu=True),
    Bar("a concern at 16, microseconds of processor", "concerns 16", CPU, most=350),
    Bar("a concern at 64, microseconds of processor", "concerns 64", CPU, most=350),
    Bar("full concern to a small one, by CPU", "concerns 16", "full concerns 16", most=1.6, by_cpu=True),
    Bar("the model of a concern alone, microseconds of processor", "floor, model alone 16", CPU),
    Bar("the floor but its rows, microseconds of processor", "floor, unstored 16", CPU),
    Bar("the floor of a concern, microseconds of processor", "floor 16", CPU),
    Bar("the floor, to naive posts, by CPU", "floor 16", "naive posts 16", by_cpu=True),
    Bar("the floor: full concern to a small one, by CPU", "floor 16", "full floor 16", by_cpu=True),
    Bar("concerns at 16, to the floor, by CPU", "concerns 16", "floor 16", by_cpu=True),
    Bar("concerns at 64, p99 to median", "concerns 64", TAIL, most=3),
    Bar("with 5 ms a flush: concerns at 64 to 1", "5 ms, concerns 64", "5 ms, concerns 1", least=8),
    Bar("with 50 ms a flush: concerns at 64 to 1", "50 ms, concerns 64", "50 ms, concerns 1", least=20),
    Bar("with 150 ms a flush: concerns at 64 to 1", "150 ms, concerns 64", "150 ms, concerns 1"),
    Bar("with 5 ms a flush: naive posts at 64 to 1", "slow naive posts 64", "slow naive posts 1"),
    *(
        Bar(f"{words}, to {name}{', by CPU' if by_cpu else ''}", f"service, {task}", f"{name}, {task}", by_cpu=by_cpu)
        for name in ("Kinto", "Parse Server")
        for words, task in (("indicators", "indicators on PostgreSQL"), ("concerns", "posts on PostgreSQL"))
        for by_cpu in (False, True)
    ),
    *(
        Bar(f"{name}, many concerns to few, by CPU", f"{name}, few", f"{name}, many", most=1.3, by_cpu=True)
        for name in ("post", "inbox", "inbox page", "open", "status")
    ),
    Bar("section read, few guides to many", "section, few guides", "section, many guides", most=1.3),
    Bar("section read, 2 workers to 1", "section, 2 workers", "section, 1 worker"),
    Bar("concerns at 16, PostgreSQL to SQLite", "postgresql concerns 16", "concerns 16"),
)
START, MEMORY = "start-up, to the import of FastAPI and SQLModel", "resident megabytes with concerns too"
ALONE = "microseconds of one concern alone, beside a flush"
FLOOR_ALONE = "microseconds of the floor alone, beside a flush"
SLOWEST_FIRST = "milliseconds of the slowest first page of the desk,"
FIGURE_BARS = (
    Bar(START, START, FIGURE, most=2.5),
    Bar(MEMORY, MEMORY, FIGURE, most=150),
    Bar(ALONE, ALONE, FIGURE, most=500),
    *(
        Bar(f"{SLOWEST_FIRST} {name}{how}", f"{SLOWEST_FIRST} {name}{how}", FIGURE, most=1000)
        for name in ("SQLite", "PostgreSQL")
        for how in ("", ", in Chromium")
    ),
)


def table(results: Results) -> list[dict[str, Any]]:
    """Return a row for each measured bar: median, smallest and largest ratio, and whether the bar is reached."""
    rows = []
    for bar in (*FIGURE_BARS, *BARS):
        ratios = _measured(results, bar)
        if not ratios:
            continue
        median = statistics.median(ratios)
        reached = None
        if bar.least is not None or bar.most is not None:
            reached = (bar.least is None or median >= bar.least) and (bar.most is None or median <= bar.most)
        rows.append(
            {"what": bar.what, "median": median, "from": ratios[0], "to": ratios[-1]}
            | {"bar": bar.least or bar.most, "is_most": bar.most is not None, "reached": reached}
        )
    return rows


def _measured(results: Results, bar: Bar) -> list[float]:
    """Return what each round gave for the bar, in order of size; nothing where it was not measured."""
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
    """Format the rates and the bars for people to read."""
    lines = ["", f"{'requests a second (median)':<44}{'rate':>10}{'us CPU':>9}{'median ms':>11}{'p99 ms':>9}"]
    for name, rounds in results.rounds.items():
        median, tail = (statistics.median(values) for values in ([r.median for r in rounds], [r.p99 for r in rounds]))
        failed = sum(each.failed for each in rounds)
        failures = f"   {failed:,} failed" if failed else ""
        cpu = statistics.median(each.cpu for each in rounds)
        lines.append(f"{name:<44}{results.rate(name):>10,.0f}{cpu:>9,.0f}{median:>11.2f}{tail:>9.2f}{failures}")
    lines += ["", f"{'ratio (median of rounds)':<50}{'median':>8}{'spread':>18}{'bar':>8}"]
    for row in table(results):
        bar = "" if row["bar"] is None else f"{'<=' if row['is_most'] else '>='}{row['bar']:g}"
        verdict = "" if row["reached"] is None else "  reached" if row["reached"] else "  NOT reached"
        spread = f"{row['from']:.2f} to {row['to']:.2f}"
        lines.append(f"{row['what']:<50}{row['median']:>8.2f}{spread:>18}{bar:>8}{verdict}")
    lines += ["", *(f"{name}: {value:,.2f}" for name, value in results.figures.items())]
    lines += [f"not measured: {name} ({reason})" for name, reason in results.skipped.items()]
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Describe the machine of the measurement."""
    cpu = next((ln for ln in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in ln), "")
    return {
        "cpus": os.cpu_count(),
        "cpu": cpu.partition(":")[2].strip(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def write(results: Results, about: dict[str, Any], *, is_whole: bool) -> Path:
    """Write the JSON and the plot; gives the JSON's path. No quick or partial run takes the place of a whole one."""
    RESULTS.mkdir(exist_ok=True)
    path = LATEST if is_whole else RESULTS / "partial.json"
    run = {"about": about, "bars": table(results), **results.as_json()}
    path.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    _plot(results, path.with_suffix(".png"))
    return path


def regressions(results: Results, recorded: dict[str, Any]) -> list[str]:
    """Return the ratios that are worse than the recorded ones by more than a quarter."""
    before = {row["what"]: row["median"] for row in recorded["bars"]}
    found = []
    for row in table(results):
        then, now = before.get(row["what"]), row["median"]
        if then is not None and (now > then / WORSE if row["is_most"] else now < then * WORSE):
            found.append(f"{row['what']}: {now:.2f}, recorded {then:.2f}")
    return found


def _plot(results: Results, path: Path) -> None:
    """Every rate as a bar on a logarithmic scale; the whiskers are the slowest and the fastest round."""
    import matplotlib as mpl  # noqa: PLC0415  # slow to import, and needed only at the end

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    names = list(results.rounds)[::-1]
    middle = [results.rate(name) for name in names]
    rates = [[each.rate for each in results.rounds[name]] for name in names]
    below = [m - min(r) for m, r in zip(middle, rates, strict=True)]
    above = [max(r) - m for m, r in zip(middle, rates, strict=True)]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(names) + 1.2))
    colours = [
        "#b0b7bf"
        if name.startswith(
            ("bare", "naive", "slow naive", "floor", "full floor", "nginx", "datasette", "Kinto", "Parse")
        )
        else "#1d5c96"
        for name in names
    ]
    axes.barh(names, middle, xerr=[below, above], color=colours, ecolor="#555555", capsize=2)
    axes.set_xscale("log")
    axes.set_xlabel("requests a second (median of rounds; whiskers: slowest and fastest round)")
    axes.set_title("The service (blue) and baselines (grey), one run, one machine")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
