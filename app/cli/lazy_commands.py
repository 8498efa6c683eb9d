"""Commands that are declared by name. The module of a command is imported only when the command runs."""

import ast
import gc
import os
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from app.cli.option_groups import GroupedCommand
from app.extensions import Places

PROGRAM = "guidance"
SITE = "site"
EXAMPLE = "Example: "
NO_WIDTH = 10_000
"""A pipe has no lines to break: whoever reads there breaks, or searches, them."""


def _markup_mode() -> Literal["rich"] | None:
    """Boxes and colours are for a terminal; pipes and files get plain text. FORCE_COLOR counts as a terminal."""
    is_terminal = (sys.stdout.isatty() and sys.stderr.isatty()) or os.environ.get("FORCE_COLOR")
    return "rich" if is_terminal else None


class CommandGroup(TyperGroup):
    """Plain help keeps the headings of `rich_help_panel`, and whole sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            panels.setdefault(command.rich_help_panel or "Commands", []).append(
                (name, command.get_short_help_str(NO_WIDTH))
            )
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


class ExportGroup(CommandGroup):
    """`export DIR` is short for `export site DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] not in ([name] for name in (*self.commands, "--help")):
            args = [SITE, *args]
        return list(super().parse_args(ctx, args))


class LazyCommand(TyperCommand):
    """A list needs only name and help, which are read without importing the module.

    `place` is its function as `module:name`, `panel` its heading in lists, `example` the end of its own help.
    """

    def __init__(self, name: str | None, *, place: str, panel: str | None, example: str, **_settings: Any) -> None:
        self._module, _, self._function = place.partition(":")
        self._example = example
        super().__init__(name, rich_help_panel=panel)

    def _read_help(self) -> str | None:
        return docstrings_of(self._module)[self._function]

    def _ignore_help(self, _text: str | None) -> None:
        """Ignore the help that Typer sets, which belongs to an empty function."""

    help = property(_read_help, _ignore_help)

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        """Let the real command parse `arguments` and run."""
        return self.load().make_context(*arguments, **extra)

    def load(self) -> Any:
        """Turn the garbage collector, which `main` has turned off, on for what comes later."""
        function = getattr(import_module(self._module), self._function)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        single = Commands(add_completion=False)
        single.command(self.name, epilog=self._example and EXAMPLE + self._example)(function)
        return typer.main.get_command(single)


class Commands(typer.Typer):
    """A group of commands, which can have option groups and are declared without importing their modules."""

    def __init__(self, **settings: Any) -> None:
        mode = _markup_mode()
        plain = {} if mode else {"context_settings": {"terminal_width": NO_WIDTH}}
        super().__init__(**{"cls": CommandGroup, "rich_markup_mode": mode, **plain, **settings})

    def command(self, name: str | None = None, **options: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        return super().command(name, cls=GroupedCommand, **options)

    def declare(self, places: Places, panel: str | None, package: str) -> None:
        """Declare commands. `package` is the beginning of each module's name."""
        for name, (place, example) in places.items():
            make = partial(LazyCommand, place=package + place, panel=panel, example=example)
            super().command(name, cls=make)(_run_nothing)  # type: ignore[arg-type]  # Typer only calls it


def _run_nothing() -> None:
    """Stand in for a command: Typer needs a function to declare one."""


@cache
def docstrings_of(module: str) -> dict[str, str]:
    """Read the docstrings from the source: the module is not imported."""
    found = find_spec(module)
    source = Path(str(found and found.origin)).read_bytes()
    functions = (each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef))
    return {each.name: ast.get_docstring(each) or "" for each in functions}
