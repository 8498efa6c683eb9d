"""The layout of `app/`: the same subjects on each floor, one thing a file, constants on top."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bench.structure import BANNER, count_blocks_below

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
FILES = [path for path in sorted((ROOT / "app").rglob("*.py")) if "versions" not in path.parts]
FLOORS = ("cli", "models", "pages", "routers", "services")
SUBJECTS = {"access", "audit", "concerns", "desk", "events", "guides", "operations"}


def test_every_floor_has_the_same_subjects() -> None:
    floors = {floor: {path.parent.name for path in (ROOT / "app" / floor).glob("*/__init__.py")} for floor in FLOORS}

    assert floors["models"] == floors["services"] == SUBJECTS
    assert {floor for floor, folders in floors.items() if not folders <= SUBJECTS} == set()


def test_no_banner_separates_definitions() -> None:
    assert len(FILES) > 100
    assert [str(path) for path in FILES if BANNER.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.slow
def test_constants_are_above_definitions_that_they_do_not_need() -> None:
    found = {str(path): count_blocks_below(ast.parse(path.read_text(encoding="utf-8"))) for path in FILES}

    assert {path: blocks for path, blocks in found.items() if blocks} == {}


@pytest.mark.nightly
@pytest.mark.slow
def test_the_figures_of_the_structure_can_be_measured() -> None:
    measured = subprocess.run(
        [sys.executable, "-m", "bench.structure"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )

    lines = measured.stdout.splitlines()
    assert lines[0].split() == ["figure", "is", "at", "most"]
    assert sum(" of a concern " in line for line in lines) == 3
