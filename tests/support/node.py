"""Programs of Node.js: installed from a lock file, in a folder of the test's own, and run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LEFT_OUT = shutil.ignore_patterns("node_modules", "dist")
SECONDS = 300
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true", "NO_COLOR": "1"}


def need_program(program: str, package: str = "", *files: Path) -> None:
    """Skip the test without the program and the files of `package`; in continuous integration, fail."""
    if shutil.which(program) is None or not all(each.exists() for each in files):
        if os.environ.get("CI") == "true":
            pytest.fail(f"{package or program} is not installed, and continuous integration must have it")
        pytest.skip(f"{package or program} is not installed")


def need_npm() -> None:
    """Skip the test without npm; in continuous integration, fail."""
    need_program("npm")


def installed_copy(source: Path, target: Path) -> Path:
    """Copy the folder with its lock file, install what it locks, and return the copy."""
    return install(shutil.copytree(source, target, ignore=LEFT_OUT))


def install(folder: Path) -> Path:
    """Install what the folder's lock file names, and return the folder."""
    need_npm()
    run_node(folder, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
    return folder


def run_node(folder: Path, *command: str) -> str:
    """Run the command there, and return its output. A command that fails is a failed test."""
    ended = finished_node(folder, *command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def finished_node(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the command there, and return how it ended. What the folder installed comes first, its Node.js too."""
    path = f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **QUIET, "PATH": path},
        capture_output=True,
        check=False,
        text=True,
        timeout=SECONDS,
    )
