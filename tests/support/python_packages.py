"""Python packages in an environment of their own, installed from a file of locked requirements."""

import subprocess
import sys
from pathlib import Path

from tests.support.command import ROOT

SECONDS = 300


def environment_with(requirements: str, target: Path) -> Path:
    """Make an environment with what `requirements/NAME.txt` locks, and return its Python."""
    run_python(ROOT, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(target))
    python = target / "bin" / "python"
    locked = ROOT / "requirements" / f"{requirements}.txt"
    install = ("-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:")
    run_python(ROOT, *install, "--python", str(python), "--requirement", str(locked))
    return python


def run_python(folder: Path, *arguments: str, python: Path | str = sys.executable) -> str:
    """Run that Python there, and return its output. A command that fails is a failed test."""
    ended = subprocess.run(
        [str(python), *arguments], cwd=folder, capture_output=True, check=False, text=True, timeout=SECONDS
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
