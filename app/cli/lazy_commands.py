"""Commands that are declared by name. The module of a command is imported only when the command runs."""

import ast
import gc
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand
from typer.models import CommandFunctionType

from app.cli.examples import EXAMPLES
from app.cli.option_groups import GroupedCommand

PROGRAM = "guidance"
EXAMPLE = "Example: "


class LazyCommand(TyperCommand):
    """A command whose module is imported only when the command runs. A list of commands needs only name and help.

    `place` is the command's function as `module:name`. `example` is shown at the end of the command's own help. The
    list shows the command under the heading `panel`. Typer's other arguments describe an empty function, and are
    ignored.
    """

    def __init__(self, name: str | None, *, place: str, panel: str | None, example: str, **_settings: Any) -> None:
        self._module, _, self._function = place.partition(":")
        self._example = example
        super().__init__(name, rich_help_panel=panel)

    def _read_help(self) -> str | None:
        return docstrings_of(self._module)[self._function]

    def _ignore_help(self, _text: str | None) -> None:
        """Do nothing: the help that Typer sets belongs to an empty function."""

    help = property(_read_help, _ignore_help)
    """The docstring of the command's function, for lists of commands. Reading `help` does not import the module."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        """Load the real command, which parses `arguments`, and return its context, with which the real command runs."""
        return self.load().make_context(*arguments, **extra)

    def load(self) -> Any:
        """Import the module, and return the real command with its parameters.

        If `main` has turned the garbage collector off, turn it on again, but only for objects that are created later.
        """
        function = getattr(import_module(self._module), self._function)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        single = Commands(add_completion=False)
        single.command(self.name, epilog=self._example and EXAMPLE + self._example)(function)
        return typer.main.get_command(single)


class Commands(typer.Typer):
    """A Typer app whose commands can have option groups and can be declared without importing their modules."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Return a decorator that declares a function as the command `name`, which can have option groups."""
        return super().command(name, cls=GroupedCommand, **options)

    def declare(self, places: Mapping[str, str], panel: str | None = None) -> None:
        """Declare the commands in `places`, which has the function of each command as `module:name`, by command name.

        A function is imported only when its command runs. The help lists the commands under the heading `panel`. Each
        command should have an example in `EXAMPLES`.
        """
        group = f"{self.info.name} " if self.info.name != PROGRAM else ""
        for name, place in places.items():
            make = partial(LazyCommand, place=place, panel=panel, example=EXAMPLES.get(f"{group}{name}", ""))
            super().command(name, cls=make)(_run_nothing)  # type: ignore[arg-type]  # Typer only calls it


def _run_nothing() -> None:
    """Do nothing: Typer needs a function to declare a command, and `LazyCommand` imports the real function later."""


@cache
def docstrings_of(module: str) -> dict[str, str]:
    """Return the docstring of each function of `module`, by name. Read the source, and do not import the module."""
    found = find_spec(module)
    source = Path(str(found and found.origin)).read_bytes()
    functions = (each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef))
    return {each.name: ast.get_docstring(each) or "" for each in functions}
