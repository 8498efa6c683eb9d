"""What the command line shows on a terminal alone: colours."""

import os
import sys

import typer


def paint(text: str, colour: str) -> str:
    """Return the text in that colour, where standard output is a terminal and NO_COLOR is not set (no-color.org)."""
    return typer.style(text, fg=colour) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
