"""The `guidance` command: what is read to know which of its commands is asked for."""

from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from app.cli.serve import serve


class Commands(TyperGroup):
    """Every command. A server starts without reading what the others need."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        return self._all().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, None where there is none."""
        return self.commands.get(cmd_name) or self._all().get_command(ctx, cmd_name)

    def _all(self) -> TyperGroup:
        from app.cli.commands import app  # noqa: PLC0415  # only for another command than `serve`

        return get_group(app)


app = typer.Typer(
    cls=Commands,
    name="guidance",
    help="Serve a council's safeguarding guidance as versioned data, and take concerns in confidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)


@app.callback()
def _guidance() -> None:
    """Have `serve` be one command of several, though it is the only one that stands here."""
