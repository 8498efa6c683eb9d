"""The README and the documents work: what they show is run, word for word, against a live server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live import LiveServer, environment_for

pytestmark = pytest.mark.slow  # processes, browsers or long work

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WITH_BLOCKS = [
    "README.md",
    "docs/how-to/keys-and-sealed-concerns.md",
    "docs/reference/conventions.md",
    "docs/reference/receipts.md",
]
ADDRESS = "http://127.0.0.1:8000"
FIRST_SCREEN = 30
LONGEST_README = 140
TIMEOUT_SECONDS = 60


def blocks_in(document: str, language: str) -> list[str]:
    """Return the blocks of the document in that language that are marked as tested."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language} tested\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the tested blocks of every document in that language, in the order in which a reader meets them."""
    return [block for document in WITH_BLOCKS for block in blocks_in(document, language)]


def run(command: list[str], live: LiveServer, told: str) -> str:
    """Return what the block prints, run beside the folder `data` as after `make serve`, with `guidance` on the path."""
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


def test_the_first_screen_says_999_and_how_to_begin() -> None:
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN])

    assert first_screen.index("call 999") < first_screen.index("make serve")
    assert {"make serve", "make test"} <= set(re.findall(r"^ {4}(make \w+)", first_screen, flags=re.MULTILINE))


def test_the_readme_is_at_most_140_lines() -> None:
    assert len(README.splitlines()) <= LONGEST_README


def test_no_document_has_a_tested_block_that_is_not_run() -> None:
    documents = [path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]]

    assert [name for name in documents if blocks_in(name, r"\w+") and name not in WITH_BLOCKS] == []


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
    assert len(blocks("python")) == 3
