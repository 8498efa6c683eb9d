"""What the command line shows on a terminal alone: colours, and bars of progress."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from app.models.progress import OnStep, show_no_progress


def paint(text: str, colour: str) -> str:
    """Return the text in that colour, where standard output is a terminal and NO_COLOR is not set (no-color.org)."""
    return typer.style(text, fg=colour) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def echo_json(document: Any) -> None:
    """Print the document as JSON."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def echo_result(lines: Sequence[str], document: Any, *, as_json: bool) -> None:
    """Print what a command did: in lines for people, or as one JSON document for programs."""
    if as_json:
        echo_json(document)
        return
    for line in lines:
        typer.echo(line)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


@contextmanager
def progress(words: str) -> Iterator[OnStep]:
    """Yield a function that shows how far the work is: a bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield show_no_progress
        return
    with typer.progressbar(length=1, label=words, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show
