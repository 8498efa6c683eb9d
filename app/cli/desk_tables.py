"""How the command line shows what the desk answers: plain tables, or JSON."""

import json
from collections.abc import Sequence
from typing import Any

import typer

COLUMN_HEADINGS = ("REFERENCE", "STATE", "DANGER", "ACKNOWLEDGE BY", "ADDED", "ASSIGNED TO", "GUIDE")


def print_json(answer: Any) -> None:
    """Print the answer as JSON."""
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def print_inbox(entries: Sequence[dict[str, Any]]) -> None:
    """Print a line for each concern, under headings."""
    print_table([COLUMN_HEADINGS, *map(_line_of, entries)])


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print the rows in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_entry(entry: dict[str, Any], *, as_json: bool) -> None:
    """Print what a concern is now: in a line, or as JSON."""
    if as_json:
        print_json(entry)
        return
    held = ", on hold" if entry["held"] else ""
    outcome = f", {entry['outcome']}" if entry["outcome"] else ""
    erased = ", erased" if entry["erased_at"] else ""
    typer.echo(f"{entry['reference']}: {entry['state']}{outcome}{held}{erased}")


def _line_of(entry: dict[str, Any]) -> tuple[str, ...]:
    waiting = entry["additions_waiting"]
    return (
        entry["reference"],
        f"{entry['state']}, overdue" if entry["overdue"] else entry["state"],
        entry["addition_danger"] if entry["addition_danger"] == "yes" else entry["immediate_danger"],
        entry["addition_acknowledge_by"] or entry["acknowledge_by"],
        f"{waiting} waiting" if waiting else "",
        entry["assigned_to"] or "",
        entry["guide"],
    )
