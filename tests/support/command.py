"""The `guidance` command, run as an operator runs it."""

import gc
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.main import get_command

from app.cli import main
from app.cli.commands import app
from tests.support.databases import address_for

ROOT = Path(__file__).parents[2]
Finished = subprocess.CompletedProcess[str]


def every_command() -> Iterator[tuple[str, Any]]:
    """Yield the words of each command, such as `clients add`, and the command with its parameters."""
    yield from _commands_below(get_command(app))


def _commands_below(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from _commands_below(each, *above, name)
        else:
            yield " ".join([*above, name]), each.load()


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def guidance(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command in this process, which takes a tenth of the time, and return its exit code and output."""
    return _run_here(arguments, _environment_of(arguments, settings) | {"NO_COLOR": "1"}, io.StringIO)


def guidance_on_a_terminal(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command in this process, with output and errors on terminals, and return its exit code and output."""
    return _run_here(arguments, _environment_of(arguments, settings), Terminal)


def _run_here(arguments: tuple[str | Path, ...], environment: dict[str, str], stream: type[io.StringIO]) -> Finished:
    command, output, errors = ["guidance", *map(str, arguments)], stream(), stream()
    with (
        logs_as_before(),
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", command),
        patch.object(gc, "freeze"),  # of this process nothing more
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
            status: str | int | None = 0
        except SystemExit as end:
            status = end.code
    return subprocess.CompletedProcess(command, int(status or 0), output.getvalue(), errors.getvalue())


def guidance_process(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command as an operator does, in a process of its own."""
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    environment = _environment_of(arguments, settings)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)


@contextmanager
def logs_as_before() -> Iterator[None]:
    """Undo what a command that runs in this process sets up for the logs."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    root.handlers[:], root.level = before
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def _environment_of(arguments: tuple[str | Path, ...], settings: dict[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
    environment |= {"COLUMNS": "200"} | {f"GUIDANCE_{name}": value for name, value in settings.items()}
    if "--data-dir" in arguments and (address := address_for(Path(arguments[arguments.index("--data-dir") + 1]))):
        environment.setdefault("GUIDANCE_DATABASE_URL", address)
    return environment
