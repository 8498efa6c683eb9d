"""Outcomes on the command line: by their codes, or by their words."""

import re

import typer

from app.cli.desk_client import DeskClient
from app.models.links import CODE_LISTS


def find_outcome(service: DeskClient, typed: str) -> str:
    """Return the code that was meant: `early help` is `early_help`. Where there is none, list them all."""
    codes: dict[str, str] = {
        each["code"]: each["label"] for each in service.call("GET", f"{CODE_LISTS}/outcome")["codes"]
    }
    known = {_plain(name): code for code, label in codes.items() for name in (code, label)}
    found = known.get(_plain(typed))
    if found is None:
        lines = "\n".join(f"  {code}  {label}" for code, label in codes.items())
        raise typer.BadParameter(f"no outcome has that code. The outcomes are:\n{lines}")
    return found


def _plain(words: str) -> str:
    return "_".join(re.findall("[a-z0-9]+", words.lower()))
