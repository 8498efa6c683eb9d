"""The chart of a run: the rates that matter most, and what a command takes."""

from pathlib import Path
from typing import Any

from bench.rounds import Results

OURS, THEIRS = "#1d5c96", "#b0b7bf"
BASELINES = ("naive", "nginx", "Parse", "Django", "seconds")
IMPORT = "seconds to import FastAPI and SQLModel"
COMMANDS = "Milliseconds for a command: shorter is better"
CHOSEN = {
    "Reads of a section of a guide, a second": {
        "section": "This service",
        "nginx": "nginx, a file with the same bytes",
        "naive section": "Naive FastAPI + SQLModel",
    },
    "First reads of an edition, a second": {
        "cold miss of many": "This service, one of 300 editions",
        "naive edition, one by one": "Naive FastAPI + SQLModel, every read",
    },
    "Posts of a concern, a second, from 16 callers": {
        "concerns 16": "This service, encrypted, on SQLite",
        "service, posts on PostgreSQL": "This service, encrypted, on PostgreSQL",
        "Django REST, sealed posts on PostgreSQL": "Django REST Framework, encrypted, on PostgreSQL",
        "Django REST, posts on PostgreSQL": "Django REST Framework, unencrypted, on PostgreSQL",
        "Parse Server, posts on PostgreSQL": "Parse Server, unencrypted, on PostgreSQL",
    },
    COMMANDS: {
        "guidance --help, to that import, by CPU": "guidance --help",
        "guidance clients list, to that import, by CPU": "guidance clients list",
        IMPORT: "import fastapi, sqlmodel",
    },
}
"""The bars of the chart: for each heading, the names of the measurements with their labels."""


def draw_chosen(results: Results, path: Path) -> None:
    """Draw the chosen measurements as bars on a linear scale, each with its value, and write the chart to `path`."""
    pyplot = _pyplot()
    known = results.rounds.keys() | results.figures.keys()
    shown = {title: {name: bars[name] for name in bars if name in known} for title, bars in CHOSEN.items()}
    shown = {title: bars for title, bars in shown.items() if bars}
    figure, every_axes = pyplot.subplots(
        len(shown),
        figsize=(9, 0.42 * sum(map(len, shown.values())) + 0.8 * len(shown)),
        height_ratios=[len(bars) + 0.6 for bars in shown.values()],
        squeeze=False,
    )
    for axes, (title, bars) in zip(every_axes[:, 0], shown.items(), strict=True):
        names = list(bars)[::-1]
        rates = [_value(results, name) for name in names]
        drawn = axes.barh([bars[name] for name in names], rates, color=[_colour(name) for name in names])
        axes.bar_label(drawn, labels=[f"{rate:,.0f}" for rate in rates], padding=4)
        axes.set_xlim(right=max(rates) * 1.12)
        axes.set_title(title, loc="left", fontweight="bold", fontsize=11)
        axes.xaxis.set_visible(False)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(left=False)
    figure.align_labels()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def _value(results: Results, name: str) -> float:
    """Return the rate of the task `name` or, if it is a command, its milliseconds."""
    if name in results.rounds:
        return results.rate(name)
    imported = results.figures[IMPORT] * 1000
    return imported if name == IMPORT else imported * results.figures[name]


def _colour(name: str) -> str:
    return THEIRS if name.startswith(BASELINES) else OURS


def _pyplot() -> Any:
    """Return matplotlib's pyplot. The import is here because it is slow and only the benchmark has matplotlib."""
    import matplotlib as mpl  # noqa: PLC0415  # as above

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415  # as above

    return pyplot
