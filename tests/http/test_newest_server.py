"""The tests of HTTP with the newest uvicorn that there is: the service must run with it on the day of its release."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

TESTS = ("tests/http", "tests/operations/test_serving.py")
SECONDS = 3_600


def test_the_tests_of_http_pass_with_the_newest_uvicorn(tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(tmp_path), "uvicorn"]
    subprocess.run(install, check=True, timeout=SECONDS)
    first = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    where = [sys.executable, "-c", "import uvicorn; print(uvicorn.__file__, uvicorn.__version__)"]
    found = subprocess.run(where, check=True, capture_output=True, cwd=ROOT, env=first, text=True)

    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not nightly", "-p", "no:cacheprovider", *TESTS]
    tested = subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=first, text=True, timeout=SECONDS)

    assert found.stdout.startswith(str(tmp_path)), found.stdout
    assert tested.returncode == 0, found.stdout + tested.stdout[-10_000:]
