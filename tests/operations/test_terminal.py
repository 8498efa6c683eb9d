"""The command line for people and for programs: JSON, colours, bars of progress and completion."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from app.cli.commands import app
from tests.support.command import guidance
from tests.support.live import environment_for
from tests.support.publishing import SLUG
from tests.support.set_ups import SetUp, make_set_up

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][;m]")
REPORTS = {"verify", "migrate", "doctor", "health", "due"}
EMPTY = ("clients", "keys", "webhooks")
OF_A_SERVICE = ("desk",)
"""What lists by asking a service: tests/desk/test_desk_commands.py runs it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return make_set_up(tmp_path_factory.mktemp("healthy") / "place")


def commands(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        found = group.get_command(None, name)
        if hasattr(found, "list_commands"):
            yield from commands(found, name)
        else:
            yield " ".join((*above, name)), found


def test_every_command_that_lists_or_reports_can_print_json() -> None:
    found = [(name, each) for name, each in commands(get_command(app)) if name.endswith(" list") or name in REPORTS]

    assert len(found) == len(EMPTY) + len(OF_A_SERVICE) + len(REPORTS)
    assert [name for name, each in found if not any("--json" in option.opts for option in each.params)] == []


def test_what_is_listed_as_json_has_no_secret(place: SetUp) -> None:
    recipients = ",".join(place.settings.seal_to)
    added = guidance("clients", "add", "forms", "--scope", "concerns:submit", "--data-dir", place.data_dir)
    listed = {
        name: guidance(name, "list", "--json", "--data-dir", place.data_dir, SEAL_TO=recipients) for name in EMPTY
    }

    assert {"forms", "example-desk"} == {each["name"] for each in json.loads(listed["clients"].stdout)}
    assert [each["recipient"] for each in json.loads(listed["keys"].stdout)] == list(place.settings.seal_to)
    assert json.loads(listed["webhooks"].stdout) == []
    assert added.stdout.strip() not in "".join(each.stdout for each in listed.values())


def test_reports_as_json_say_the_same(place: SetUp) -> None:
    verified = guidance("verify", "--json", "--data-dir", place.data_dir)
    migrated = guidance("migrate", "--json", "--data-dir", place.data_dir)
    due = guidance("due", "--json", "--within", "100000", "--data-dir", place.data_dir)

    assert verified.returncode == 0
    assert json.loads(verified.stdout) == [{"name": "child-sexual-exploitation, edition 1", "fault": None}]
    assert json.loads(migrated.stdout)["before"] == json.loads(migrated.stdout)["now"]
    assert {(each["guide"], each["edition"]) for each in json.loads(due.stdout)} == {(SLUG, 1)}


def shown_on_a_terminal(*words: str | Path, data_dir: Path, **variables: str) -> str:
    """Run the command with its standard error on a terminal, and return what was shown there."""
    screen, terminal = pty.openpty()
    environment = {**environment_for(data_dir), "TERM": "xterm", **variables}
    command = [sys.executable, "-m", "app.cli", *map(str, words), "--data-dir", str(data_dir)]
    subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, check=True)
    os.close(terminal)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)
    return shown


@pytest.mark.embedded
def test_long_work_shows_a_bar_on_a_terminal_and_nothing_elsewhere(place: SetUp, tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    identity.write_text(f"{place.identities[0]}\n")
    recipients = place.settings.seal_to[0]
    copy = tmp_path / "copy.db"

    assert "Verifying" in shown_on_a_terminal("verify", data_dir=place.data_dir)
    assert "Copying" in shown_on_a_terminal("backup", copy, data_dir=place.data_dir)
    assert "100%" in shown_on_a_terminal("restore", copy, data_dir=tmp_path / "restored")
    resealed = shown_on_a_terminal(
        "keys", "reseal", "--identity", identity, data_dir=tmp_path / "restored", GUIDANCE_SEAL_TO=recipients
    )
    assert "Sealing anew" in resealed
    assert guidance("verify", "--data-dir", place.data_dir).stderr == ""


def test_a_shell_can_complete_the_commands() -> None:
    environment = {**os.environ, "_GUIDANCE_COMPLETE": "complete_bash", "COMP_WORDS": "guidance do", "COMP_CWORD": "1"}

    offered = subprocess.run(
        [Path(sys.executable).with_name("guidance")], capture_output=True, check=False, env=environment, text=True
    )

    assert offered.stdout.split() == ["doctor"]


@pytest.mark.parametrize("words", [["--help"], ["doctor", "--help"]])
def test_no_color_is_respected_by_the_help(words: list[str]) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    plain |= {"TERM": "xterm-256color", "FORCE_COLOR": "1"}
    command = [sys.executable, "-m", "app.cli", *words]
    shown = [
        subprocess.run(command, capture_output=True, check=True, env=environment, text=True).stdout
        for environment in (plain, plain | {"NO_COLOR": "1"})
    ]

    assert COLOUR.search(shown[0])
    assert not COLOUR.search(shown[1])
