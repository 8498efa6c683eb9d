"""The recipes of CONTRIBUTING are carried out as written, on a copy of the tree, until their tests are green."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command import ROOT
from tests.support.trees import copied

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = CONTRIBUTING.partition("\n## How to add ...\n")[2]
BLOCK = re.compile(r"^   ```(diff|sh)\n(.*?)^   ```$", flags=re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`(tests/[\w/]+\.py)`")
SECONDS = 900


def recipe(heading: str) -> str:
    return RECIPES.partition(f"\n### {heading}\n")[2].partition("\n##")[0]


WITH_PATCHES = [heading for heading in re.findall(r"^### (.*)$", RECIPES, re.MULTILINE) if "```diff" in recipe(heading)]


def finished(tree: Path, *command: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command in the copy of the tree, with the modules of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run(
        command, cwd=tree, env=environment, input=given, capture_output=True, check=False, text=True, timeout=SECONDS
    )


def carry_out(tree: Path, language: str, block: str) -> None:
    """Apply the patch, or run the commands."""
    text = dedent(block)
    if language == "diff":
        ended = finished(tree, "git", "apply", "--recount", "--unidiff-zero", "-", given=text)
    else:
        ended = finished(tree, "sh", "-e", "-c", text.replace(".venv/bin/python", shlex.quote(sys.executable)))
    assert ended.returncode == 0, f"{text}\n{ended.stdout}{ended.stderr}"


@pytest.mark.parametrize("heading", WITH_PATCHES)
def test_a_recipe_is_red_before_its_last_block_and_green_after_it(tmp_path: Path, heading: str) -> None:
    tree = copied(tmp_path / "tree")
    *blocks, last = BLOCK.findall(recipe(heading))
    command = [sys.executable, "-m", "pytest", "-n", "0", *NAMED.findall(recipe(heading))]

    for block in blocks:
        carry_out(tree, *block)
    before = finished(tree, *command, "-x")
    carry_out(tree, *last)
    after = finished(tree, *command)

    assert before.returncode == 1, before.stdout + before.stderr
    assert after.returncode == 0, after.stdout + after.stderr


def test_recipes_are_found() -> None:
    assert {"A section", "A field of the concern", "A setting", "An event", "An error"} <= set(WITH_PATCHES)


def test_a_first_change_needs_python_alone_and_ten_minutes(tmp_path: Path) -> None:
    tree, programs = copied(tmp_path / "tree"), tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    first = CONTRIBUTING.partition("```sh\n")[2].partition("```")[0].partition(".venv/bin/guidance serve")[0]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

    ended = subprocess.run(
        ["/bin/sh", "-ec", first],
        cwd=tree,
        env=alone | {"PATH": str(programs)},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
