"""The `guidance` command."""

import gc
import sys
from typing import TYPE_CHECKING

from app.errors import GuidanceError

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    gc.disable()  # imported objects are never garbage: collecting them would take a fifth of the start-up time
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


def _read_command(arguments: list[str]) -> tuple["typer.Typer", list[str], str]:
    """Return the command to run, its arguments and its name: `health` and `serve` only, otherwise all commands.

    Probes run often. A service that does not import the other commands starts sooner and takes less memory.
    """
    match arguments:
        case ["health", *others]:
            from app.cli.operations.health import probe  # noqa: PLC0415  # only this command, as above

            return probe, others, "guidance health"
        case ["serve", *others]:
            from app.cli.operations.serve import server  # noqa: PLC0415  # only this command, as above

            return server, others, "guidance serve"
    from app.cli.commands import app  # noqa: PLC0415  # all commands

    return app, arguments, "guidance"
