"""What a command did, as JSON for programs: the same as its lines say to people."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.config import SEED_DIR
from tests.support.command import guidance
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

SEED_FILE = SEED_DIR / "guides" / SLUG / "1.yaml"


def told(*arguments: str | Path) -> Any:
    """What the command prints with `--json`."""
    finished = guidance(*arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_each_command_that_changes_something_says_what_it_did(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"

    (published,) = told("publish", SEED_FILE, "--data-dir", data)
    copied = told("backup", copy, "--test", "--data-dir", data)
    restored = told("restore", copy, "--force", "--data-dir", data)
    purged = told("desk", "purge", "--data-dir", data)
    withdrawn = told("withdraw", SLUG, "1", "--reason", "A made-up reason.", "--data-dir", data)

    assert (published["guide"], published["edition"], published["is_new"]) == (SLUG, 1, True)
    assert (copied["file"], copied["editions"], copied["concerns"]) == (str(copy), 1, 0)
    assert copied["restored_in_seconds"] > 0
    assert Path(restored["former_database"]).exists()
    assert purged == {"erased": 0, "former_texts_remain": False}
    assert withdrawn == {"guide": SLUG, "edition": 1, "is_new": True}


def test_an_invitation_and_a_leave_say_what_they_did(tmp_path: Path) -> None:
    folder = ("--data-dir", tmp_path / "data")

    invited = told("desk", "invite", "Jo Example", "--role", "worker", *folder)
    left = told("desk", "leave", "Jo Example", *folder)

    assert (invited["name"], invited["role"]) == ("Jo Example", "worker")
    assert re.search(r"/desk/invitation#\S+$", invited["link"])
    assert invited["expires_at"].endswith("Z")
    assert left == {"name": "Jo Example", "unassigned": [], "clients": []}


def test_a_file_that_is_refused_leaves_those_before_it_published_and_said_so(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("title: Not a whole guide\n", encoding="utf-8")

    finished = guidance("publish", SEED_FILE, other, "--json", "--data-dir", tmp_path / "data")

    assert finished.returncode == 1
    assert [each["edition"] for each in json.loads(finished.stdout)] == [1]
    assert finished.stderr
