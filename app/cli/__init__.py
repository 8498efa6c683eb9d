"""The `guidance` command."""

import sys

from app.cli.commands import app
from app.errors import GuidanceError


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
