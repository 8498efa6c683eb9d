"""Programs of Node.js: installed from a lock file, in a folder of the test's own, and run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LEFT_OUT = shutil.ignore_patterns("node_modules", "dist")


def need_npm() -> None:
    """Skip the test without npm; in continuous integration, fail."""
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is not installed, and continuous integration must have it")
        pytest.skip("npm is not installed")


def installed_copy(source: Path, target: Path) -> Path:
    """Copy the folder with its lock file, install what it locks, and return the copy."""
    need_npm()
    shutil.copytree(source, target, ignore=LEFT_OUT)
    run_node(target, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    return target


def run_node(folder: Path, *command: str) -> str:
    """Run the command there, and return its output. A command that fails is a failed test."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
