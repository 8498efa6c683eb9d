"""The `guidance` command."""

import gc
import sys

from app.cli.commands import app
from app.errors import GuidanceError


def main() -> None:
    """Run the command. Print an expected error as one sentence, without a traceback, and exit with status 1.

    Expected errors are each `GuidanceError`, and each `OSError` of a file or folder.
    """
    gc.disable()  # imported objects are never garbage: collecting them would take a fifth of the start-up time
    try:
        app(prog_name="guidance")
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)
    finally:
        gc.enable()
