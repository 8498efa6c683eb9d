"""The page about the command line: every option of every command, from `--help`."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from app.cli.commands import app
from app.cli.lazy_commands import EXAMPLE
from docs_site.markdown import page, table

NOTE = "This page is made from the program. [Commands](commands.md) says in a line what each is for."


def commands_page() -> str:
    """Return a page with each command and its options."""
    blocks = ["# Every option", NOTE]
    for name, command in _commands(get_command(app), "guidance"):
        blocks += [
            f"## {name}",
            command.help or "",
            f"Example: `{(command.epilog or '').removeprefix(EXAMPLE)}`",
            table(["option or argument", "default", "meaning"], _rows(command)),
        ]
    return page(*blocks)


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for inner in group.list_commands(None):
        command = group.get_command(None, inner)
        if hasattr(command, "list_commands"):
            yield from _commands(command, f"{name} {inner}")
        else:
            yield f"{name} {inner}", command.load()


def _rows(command: Any) -> Iterator[tuple[str, str, str]]:
    for each in command.params:
        named = ", ".join(each.opts) if each.param_type_name == "option" else (each.name or "").upper()
        has_default = each.default not in (None, False, ()) and not callable(each.default)
        yield f"`{named}`", f"`{each.default}`" if has_default else "", each.help or ""
