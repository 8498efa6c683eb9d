"""The version and the commit of this build. Apart from `app.config`, so that `guidance --version` is fast."""

import os
import re
import shutil
import subprocess  # nosec B404  # it only runs git
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

VERSION = version("one-minute-guide")
APP = Path(__file__).resolve().parent
COMMIT_FILE = APP / "commit.txt"
GIT_SECONDS = 5.0


def built_commit(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the commit from `GUIDANCE_COMMIT`, otherwise the clone, otherwise the release's file. None if unknown."""
    return environment.get("GUIDANCE_COMMIT") or commit_of_clone(APP.parent) or _commit_of_release(COMMIT_FILE)


def _commit_of_release(file: Path) -> str | None:
    commit = file.read_text(encoding="ascii").strip() if file.is_file() else ""
    return commit if re.fullmatch(r"[0-9a-f]{40,64}", commit) else None


def commit_of_clone(folder: Path) -> str | None:
    """Return the commit that is checked out, or None if Git cannot read it within `GIT_SECONDS`.

    A clone that contains `folder` and variables such as `GIT_DIR` are ignored.
    """
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(folder.resolve().parent)
    command = [git, "-C", str(folder.resolve()), "rev-parse", "--verify", "HEAD"]
    try:
        answer = subprocess.run(  # noqa: S603  # nosec B603  # a fixed command
            command, env=environment, capture_output=True, check=True, text=True, timeout=GIT_SECONDS
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
