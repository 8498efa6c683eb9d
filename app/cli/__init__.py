"""The `guidance` command."""

import gc
import sys
from collections.abc import Callable

from app.errors import GuidanceError


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    try:
        _read_program()()
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)


def _read_program() -> Callable[[], None]:
    """The program, which is no garbage: the collector rests while it is read, and never looks at it again."""
    gc.disable()
    from app.cli.guidance import app  # noqa: PLC0415  # with the collector at rest

    gc.freeze()
    gc.enable()
    return app
