"""The `guidance` command, run as an operator runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.databases import address_for

ROOT = Path(__file__).parents[2]
Finished = subprocess.CompletedProcess[str]


def guidance(*arguments: str | Path, **settings: str) -> Finished:
    """Run the command as an operator does, and return its exit code and output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1"} | {f"GUIDANCE_{name}": value for name, value in settings.items()}
    if "--data-dir" in arguments and (address := address_for(Path(arguments[arguments.index("--data-dir") + 1]))):
        environment.setdefault("GUIDANCE_DATABASE_URL", address)
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)
