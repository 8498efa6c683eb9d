"""The `guidance` command."""

import gc
import sys
from importlib import import_module

import typer

from app.errors import GuidanceError

ALONE = ("health", "serve")
"""Commands that are read without the others: a probe runs often, and a service starts sooner and takes less memory."""


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    gc.disable()  # what imports make is never garbage: the collector would take a fifth of a start to walk through it
    command, arguments, name = _read_command(sys.argv[1:])
    gc.freeze()
    gc.enable()
    try:
        command(arguments, prog_name=name)
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)


def _read_command(arguments: list[str]) -> tuple[typer.Typer, list[str], str]:
    """Return the command line, its arguments and its name: of all commands, or of one that is read alone."""
    if arguments[:1] and arguments[0] in ALONE:
        name, *others = arguments
        return import_module(f"app.cli.{name}").alone, others, f"guidance {name}"
    return import_module("app.cli.commands").app, arguments, "guidance"
