"""A command that reads makes no folder: a misspelt `--data-dir` is told in a sentence, and does not become one."""

from pathlib import Path

import pytest

from tests.support.command import every_command, guidance
from tests.support.loops import for_each

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

MAKES_A_DATABASE = {
    "setup",
    "serve",
    "restore",
    "publish",
    "clients add",
    "desk invite",
    "webhooks add",
    "export site",
    "keys rotate-access",
}
"""The commands with which an installation can begin. An export without a database is one of the seed."""
READS_NO_DATABASE = {"new", "check", "approve", "preview", "keys list", "deliver", "doctor"}
"""What these do without a database, they say themselves."""
COMMANDS: dict[str, tuple[str, ...]] = {
    "backup": ("{file}",),
    "withdraw": ("a-guide", "1", "--reason", "Wrong."),
    "due": (),
    "verify": (),
    "migrate": (),
    "copy": ("--to", "{file}"),
    "keys reseal": ("--identity", "{file}"),
    "keys rotate-webhooks": (),
    "clients list": (),
    "clients rotate": ("a-client",),
    "clients revoke": ("a-client",),
    "desk purge": (),
    "desk leave": ("Jo Example",),
    "desk people": (),
    "audit checkpoint": (),
    "audit key": (),
    "webhooks list": (),
    "webhooks remove": ("a-webhook",),
    "webhooks rotate": ("a-webhook",),
    "webhooks replay": ("a-webhook",),
    "webhooks retry": ("a-webhook",),
    "webhooks test": ("a-webhook",),
    "rendition check": ("{file}",),
    "rendition approve": ("{file}",),
    "rendition publish": ("{file}",),
    "rendition withdraw": ("a-guide", "cy", "1", "--reason", "Wrong."),
}


def test_every_command_that_takes_a_folder_is_here() -> None:
    taking = {name for name, each in every_command() if any("--data-dir" in option.opts for option in each.params)}

    assert taking == {*COMMANDS, *MAKES_A_DATABASE, *READS_NO_DATABASE}


@for_each("name", list(COMMANDS))
def test_a_misspelt_folder_is_told_and_not_made(tmp_path: Path, name: str) -> None:
    given = tmp_path / "given"
    given.write_text("AGE-SECRET-KEY-1")
    misspelt = tmp_path / "misspelt"
    words = [each.format(file=given) for each in COMMANDS[name]]

    told = guidance(*name.split(), *words, "--data-dir", misspelt)

    assert told.returncode == 1, told.stderr
    assert "There is no database" in told.stderr or name == "keys reseal"  # which wants another setting first
    assert not misspelt.exists()
    assert "Traceback" not in told.stderr


def test_a_refused_restore_leaves_no_folder(tmp_path: Path) -> None:
    damaged = tmp_path / "copy.db"
    damaged.write_bytes(b"no database")

    told = guidance("restore", damaged, "--data-dir", tmp_path / "misspelt")

    assert told.returncode == 1
    assert not (tmp_path / "misspelt").exists()


def test_the_doctor_leaves_no_folder(tmp_path: Path) -> None:
    told = guidance("doctor", "--quick", "--data-dir", tmp_path / "misspelt")

    assert told.returncode == 2
    assert not (tmp_path / "misspelt").exists()
