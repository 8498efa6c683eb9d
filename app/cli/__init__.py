"""The `guidance` command."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from app.cli.serving import serve
from app.errors import GuidanceError


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


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    try:
        app()
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)
