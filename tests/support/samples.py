"""The samples of the documents: where they are, which are run, and why the others are not.

A sample is a fenced block in a language that runs. It is run where `tested` is after the language of its fence;
otherwise the line before it names the test that runs it word for word, `<!-- run by tests/... -->`, or gives the reason
why nothing does: `<!-- not run: ... -->`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.live import LiveServer, environment_for

ADDRESS = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 120
FOLDERS = ("seed", "examples")
"""Folders of a clone that samples read."""
PREAMBLE = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
"""A command that fails ends the sample, and so does an answer that is an error."""
ROOT = Path(__file__).parents[2]
RUNS = {"sh", "bash", "python", "js", "javascript", "env", "console"}
FENCE = re.compile(
    r"(?:^ *<!-- (?:not run: |run by )(?P<reason>[^>]+) -->\n\n?)?"
    r"^(?P<indent> *)```(?P<language>[a-z]+)(?P<tested> tested)?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    flags=re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^ {4,}(?:guidance|docker|curl|pip|openssl|npm|age|sudo|kubectl|make) .*$", flags=re.MULTILINE)


class Sample(NamedTuple):
    document: str
    language: str
    text: str
    is_tested: bool
    reason: str


def documents() -> list[str]:
    """Return the documents that show how to use the service. CONTRIBUTING is about its code: its samples are edits."""
    found = [
        ROOT / "README.md",
        ROOT / "client" / "README.md",
        ROOT / "web_client" / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    return [path.relative_to(ROOT).as_posix() for path in found]


def samples_in(document: str) -> Iterator[Sample]:
    """Yield the samples of a document, in the order in which a reader meets them."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if found["language"] in RUNS:
            lines = [line.removeprefix(found["indent"]) for line in found["text"].splitlines(keepends=True)]
            yield Sample(document, found["language"], "".join(lines), bool(found["tested"]), found["reason"] or "")


def runnable(document: str, language: str) -> list[str]:
    """Return the samples of the document in that language that are run."""
    return [each.text for each in samples_in(document) if each.is_tested and each.language == language]


def unfenced_commands(document: str) -> list[str]:
    """Return commands in blocks that are only indented: nothing runs them, and nothing says why."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return COMMAND.findall(re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL))


def in_place(live: LiveServer) -> Mapping[str, str]:
    """Return the environment of a reader who has run `make serve`: `guidance` on the path, no proxy."""
    environment = {
        name: value for name, value in environment_for(live.data_dir).items() if not name.lower().endswith("_proxy")
    }
    return environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": str(ROOT / "client" / "src"),
    }


def run_sample(command: list[str], live: LiveServer, sample: str) -> str:
    """Return what the sample prints, run beside the folder `data` as after `make serve`."""
    for folder in FOLDERS:
        if not (live.data_dir.parent / folder).exists():
            (live.data_dir.parent / folder).symlink_to(ROOT / folder)
    ran = subprocess.run(
        [*command, sample.replace(ADDRESS, live.url)],
        cwd=live.data_dir.parent,
        env=in_place(live),
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def named_tests(reason: str) -> list[str]:
    """Return the tests that the reason says run the sample: files, each with the name of a test where it has one."""
    return re.findall(r"(?:tests/[\w/]+/)?test_\w+\.py(?:::\w+)?", reason)


def is_test(named: str) -> bool:
    """Return whether that file is there, and the test in it."""
    file, _, test = named.partition("::")
    found = [ROOT / file] if "/" in file else list((ROOT / "tests").rglob(file))
    return any(each.is_file() and f"def {test}" in each.read_text(encoding="utf-8") for each in found)
