"""promtool, which checks what Prometheus reads."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: str | Path, stdin: bytes = b"") -> None:
    """Run promtool, which must find no fault. Without it skip the test; in continuous integration, fail."""
    if shutil.which("promtool") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is not installed, and continuous integration must have it")
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        ["promtool", *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()
