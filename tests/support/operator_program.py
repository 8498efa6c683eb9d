"""A process of an operator, for the tests of faults: it runs the `guidance` commands that come line by line.

Each line is JSON: the words of the command and its settings. Each answer is a line of JSON: the exit code, the output,
and what it said on standard error. One process for many commands: a kill meets a command at work, not its start.
"""

import contextlib
import io
import json
import os
import sys
import traceback

from app.cli import main


def run(words: list[str], settings: dict[str, str]) -> tuple[int, str, str]:
    """Run one command as its own process would, and return the exit code, the output and the errors."""
    output, errors, code = io.StringIO(), io.StringIO(), 0
    os.environ.update(settings)
    sys.argv = ["guidance", *words]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception:  # what would have ended the process with a traceback
            traceback.print_exc()
            code = 1
    return code, output.getvalue(), errors.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(*json.loads(line))) + "\n")
        sys.stdout.flush()
