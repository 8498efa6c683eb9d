"""The version and the commit of this build. Apart from `app.config`, so that `guidance --version` is fast.

The build back-end runs this file, so it imports nothing of the service.
"""

import os
import re
import shutil
import subprocess  # nosec B404  # it only runs git
from collections.abc import Mapping
from pathlib import Path

RELEASE = "1.0.0.dev0"
"""A release, or between releases the next one, with `.dev0`. `make release` writes it."""
APP = Path(__file__).resolve().parent
COMMIT_FILE = APP / "commit.txt"
GIT_SECONDS = 5.0
SHORT = 12


def built_commit(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the commit from `GUIDANCE_COMMIT`, otherwise the clone, otherwise the wheel's file. None if unknown."""
    return environment.get("GUIDANCE_COMMIT") or commit_of_clone(APP.parent) or _commit_of_wheel(COMMIT_FILE)


def version_of(release: str, commit: str | None) -> str:
    """Between releases the version names the commit (PEP 440)."""
    is_named = release.endswith(".dev0") and re.fullmatch("[0-9a-f]{40,64}", commit or "")
    return f"{release}+g{str(commit)[:SHORT]}" if is_named else release


def _commit_of_wheel(file: Path) -> str | None:
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


VERSION = version_of(RELEASE, built_commit())
