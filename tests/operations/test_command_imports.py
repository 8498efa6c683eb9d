"""What the `guidance` command imports: a list of commands no module of them, and each command no other."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.live import environment_for
from tests.support.loops import first_by_day
from tests.support.prepared import copy_prepared

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

PROGRAM = """
import json, sys
from app.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["guidance", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
    print(file=sys.stderr)
    print(*sys.modules, file=sys.stderr)
"""
"""Runs commands, one after another, and names after each all modules that are imported by then."""
OF_THE_DATABASE = {"sqlalchemy", "app.config", "app.models.base"}
OF_A_SERVER = {
    "fastapi",
    "starlette",
    "jinja2",
    "prometheus_client",
    "app.main",
    "app.http",
    "app.routers",
    "app.pages",
}
OF_A_CLIENT = {"httpx", "cryptography"}
MOST_OF_A_READING_COMMAND = 800
"""Most modules that such a command imports. A service imports 1,400."""
MOST_OF_ALL_READING_COMMANDS = 850
"""Most modules that all such commands import together."""
COMPLETION = {"_GUIDANCE_COMPLETE": "complete_bash", "COMP_WORDS": "guidance desk ", "COMP_CWORD": "2"}


def modules_of(*commands: Sequence[str], folder: Path, **variables: str) -> set[str]:
    """Return the modules that the commands import in a process of their own."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
    environment = environment_for(folder) | variables
    ended = subprocess.run(command, capture_output=True, check=True, env=environment, text=True)
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("words", "variables", "most"),
    [
        (["--version"], {}, 250),
        (["--help"], {}, 500),
        (["desk", "--help"], {}, 500),
        ([], COMPLETION, 500),
        (["health", "--help"], {}, 500),
    ],
)
def test_lists_of_commands_and_the_probe_import_no_models(
    tmp_path: Path, words: list[str], variables: dict[str, str], most: int
) -> None:
    read = modules_of(words, folder=tmp_path, **variables)

    assert read & (OF_THE_DATABASE | OF_A_SERVER | OF_A_CLIENT) == set()
    assert len(read) <= most


def test_a_service_imports_no_other_command(tmp_path: Path) -> None:
    read = modules_of(["serve", "--help"], folder=tmp_path)

    assert (
        read
        & {"app.cli.guides.guides", "app.extensions.operator_tools.commands.doctor", "sqlalchemy.dialects.postgresql"}
        == set()
    )


READING = [["clients", "list"], ["desk", "people"], ["audit", "key"], ["webhooks", "list"], ["due"], ["verify"]]


@pytest.mark.parametrize("commands", first_by_day([READING, *([each] for each in READING)]))
def test_a_command_that_reads_the_database_imports_no_web_framework(tmp_path: Path, commands: list[list[str]]) -> None:
    """By day all commands run in one process."""
    copy_prepared(tmp_path / "data")

    read = modules_of(*([*words, "--data-dir", str(tmp_path / "data")] for words in commands), folder=tmp_path / "data")

    assert "sqlalchemy" in read
    assert read & OF_A_SERVER == set()
    assert len(read) <= (MOST_OF_ALL_READING_COMMANDS if commands is READING else MOST_OF_A_READING_COMMAND)
