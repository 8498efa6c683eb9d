"""The `guidance` command, run as an operator runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.databases import address_for

ROOT = Path(__file__).parents[2]
Finished = subprocess.CompletedProcess[str]


def guidance(*words: str | Path, **settings: str) -> Finished:
    """Run the command as an operator does, and give what it said."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GUIDANCE_")}
    surroundings |= {"COLUMNS": "200", "NO_COLOR": "1"} | {f"GUIDANCE_{name}": told for name, told in settings.items()}
    if "--data-dir" in words and (address := address_for(Path(words[words.index("--data-dir") + 1]))):
        surroundings.setdefault("GUIDANCE_DATABASE_URL", address)
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, check=False, text=True)
