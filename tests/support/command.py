"""The `guidance` command, run as an operator runs it."""

import gc
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from app.cli import main
from tests.support.databases import address_for

ROOT = Path(__file__).parents[2]
Finished = subprocess.CompletedProcess[str]


def guidance(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command as an operator does, and return its exit code and output."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    environment = _environment_of(arguments, settings)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)


def guidance_here(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command in this process: many runs take a tenth of the time."""
    command, output, errors = ["guidance", *map(str, arguments)], io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, _environment_of(arguments, settings), clear=True),
        patch.object(sys, "argv", command),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
            status: str | int | None = 0
        except SystemExit as end:
            status = end.code
        finally:
            gc.unfreeze()
    return subprocess.CompletedProcess(command, int(status or 0), output.getvalue(), errors.getvalue())


def _environment_of(arguments: tuple[str | Path, ...], settings: dict[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1"} | {f"GUIDANCE_{name}": value for name, value in settings.items()}
    if "--data-dir" in arguments and (address := address_for(Path(arguments[arguments.index("--data-dir") + 1]))):
        environment.setdefault("GUIDANCE_DATABASE_URL", address)
    return environment
