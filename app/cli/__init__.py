"""The `guidance` command."""

import gc
import sys
from typing import TYPE_CHECKING

from app.errors import GuidanceError

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Run the command. Print an expected error as one sentence, without a traceback, and exit with status 1.

    Expected errors are each `GuidanceError`, and each `OSError` of a file or folder.
    """
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
    """Return the Typer app to run, its arguments and its name.

    The app has only the command `health` or `serve` if the arguments name it, otherwise all commands. Probes run often,
    and a service that does not import the other commands starts sooner and takes less memory.
    """
    match arguments:
        case ["health", *others]:
            from app.cli.operations.health import probe  # noqa: PLC0415  # import only this command

            return probe, others, "guidance health"
        case ["serve", *others]:
            from app.cli.operations.serve import server  # noqa: PLC0415  # import only this command

            return server, others, "guidance serve"
    from app.cli.commands import app  # noqa: PLC0415  # imports all commands

    return app, arguments, "guidance"
