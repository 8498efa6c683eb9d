"""The README works: what it shows is run, word for word, against a live server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live import LiveServer, environment_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
FIRST_SCREEN = 30
TIMEOUT_SECONDS = 60


def blocks(language: str) -> list[str]:
    """The blocks of that language that are marked as tested."""
    return re.findall(rf"^```{language} tested\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def run(command: list[str], live: LiveServer, told: str) -> str:
    """What the block prints, run beside the folder `data` as after `make serve`, with `guidance` at hand."""
    environment = {
        name: value for name, value in environment_for(live.data_dir).items() if not name.lower().endswith("_proxy")
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    ran = subprocess.run(
        [*command, told.replace(ADDRESS, live.url)],
        cwd=live.data_dir.parent,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_first_screen_says_whom_to_call_and_how_to_begin() -> None:
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN])

    assert first_screen.index("call 999") < first_screen.index("make serve")
    assert {"make serve", "make test"} <= set(re.findall(r"^ {4}(make \w+)", first_screen, flags=re.MULTILINE))


def test_every_make_target_that_the_readme_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+)\s*:(?!=)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", README, flags=re.MULTILINE))

    assert named - targets == set()


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(r"`((?:docs|seed|tests|app)/[^`\s{}<>]*|[A-Z]+\.md)`", README)

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("told", blocks("python"))
def test_the_python_works(live: LiveServer, told: str) -> None:
    run([sys.executable, "-W", "error", "-c"], live, told)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("age"), reason="curl or age is not installed")
def test_the_shell_works_from_the_first_request_to_the_opened_concern(live: LiveServer) -> None:
    told = run(["bash", "-euc"], live, "\n".join(blocks("sh")))

    wanted = ['"indicators":[', '"kept":false', '"state":"received"', "age1", "Alex Example was collected"]
    places = [told.find(words) for words in wanted]
    assert -1 not in places, told
    assert places == sorted(places)


def test_both_kinds_of_block_are_found() -> None:
    assert len(blocks("sh")) == 3
    assert len(blocks("python")) == 2
