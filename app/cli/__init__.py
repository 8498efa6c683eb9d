"""The `guidance` command."""

import gc
import sys

from app.errors import GuidanceError

PROBE_COMMAND = "health"


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    gc.disable()  # what imports make is never garbage: the collector would take a fifth of a start to walk through it
    if sys.argv[1:2] == [PROBE_COMMAND]:
        from app.cli.health import PROBE as app  # noqa: PLC0415, N811  # without the rest: probes run often

        del sys.argv[1]
    else:
        from app.cli.commands import app  # noqa: PLC0415  # after the collector is off

    gc.freeze()
    gc.enable()
    try:
        app()
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)
