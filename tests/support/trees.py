"""Copies of the tree, to build or to change."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import ROOT

SWAGGER = tuple(f"app/pages/static/swagger/{name}" for name in ("swagger-ui-bundle.js", "swagger-ui.css"))
BUILT = ("app/pages/static/unseal.js", "app/pages/static/unseal.html", "app/pages/static/find.cjs", *SWAGGER)


def copied(target: Path) -> Path:
    """Copy the files that git knows or would take up, and those that were built and go into the wheel."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    for name in (*filter(None, names), *BUILT):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target
