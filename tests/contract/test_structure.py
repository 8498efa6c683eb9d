"""A subject has one name, and at most one file of that name on each floor."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]


def test_no_basename_stands_twice_on_a_floor() -> None:
    paths = [path.relative_to(ROOT / "app") for path in ROOT.glob("app/*/**/*.py") if path.name != "__init__.py"]

    found = Counter((path.parts[0], path.name) for path in paths)

    assert len(found) > 100
    assert [place for place, times in found.items() if times > 1] == []


def test_no_function_is_given_a_signature_that_it_does_not_have() -> None:
    written = [path for path in ROOT.glob("app/**/*.py") if "__signature__" in path.read_text(encoding="utf-8")]

    assert written == []


@pytest.mark.nightly
@pytest.mark.slow
def test_the_figures_of_the_structure_can_be_measured() -> None:
    measured = subprocess.run(
        [sys.executable, "-m", "bench.structure"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )

    lines = measured.stdout.splitlines()
    assert lines[0].split() == ["figure", "is", "at", "most"]
    assert {line.split()[-1] for line in lines if line.startswith("basenames twice on a floor")} == {"0"}
    assert sum(line.startswith("files that pass") for line in lines) == 3
