"""The data folder: no other user of the machine reads it."""

import os
import stat
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.concerns.keys import RECEIPT_KEY
from tests.support.command import guidance
from tests.support.log_lines import Lines

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

OPEN_FOLDER, OPEN_FILE = 0o755, 0o644


def open_to_others(folder: Path) -> set[str]:
    """Return the names of what others may read: the folder is a dot."""
    found = {".": folder} | {path.name: path for path in folder.iterdir()}
    return {name for name, path in found.items() if stat.S_IMODE(path.stat().st_mode) & 0o077}


def start(folder: Path) -> set[str]:
    """Start a service, raise a concern, and return what others may read while it runs."""
    with TestClient(create_app(Settings(data_dir=folder, deliver=False))) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201
        return open_to_others(folder)


@pytest.fixture(autouse=True)
def _usual_umask() -> None:
    os.umask(0o022)


def test_a_new_folder_and_its_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "above" / "data"

    assert start(folder) == set()
    assert (folder / RECEIPT_KEY).exists()


@pytest.mark.embedded
def test_the_files_beside_the_database_are_too(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with TestClient(create_app(Settings(data_dir=folder, deliver=False))):
        names = {path.name for path in folder.iterdir()}

        assert names >= {DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"}
        assert open_to_others(folder) == set()


def test_the_next_start_closes_open_files_with_a_line_each(tmp_path: Path, lines: Lines) -> None:
    folder = tmp_path / "data"
    start(folder)
    (folder / f"{DATABASE_FILE}.before-0001").write_text("an older copy")
    for path in folder.iterdir():
        path.chmod(OPEN_FILE)
    folder.chmod(OPEN_FOLDER)
    names = open_to_others(folder)
    lines()

    after = start(folder)

    closed = {line["path"] for line in lines() if line["event"] == "closed_to_others"}
    assert after == set()
    assert closed == {str(folder if name == "." else folder / name) for name in names}
    assert len(closed) > 3


@pytest.mark.parametrize("reason", ["other folders", "sticky"])
def test_a_shared_folder_keeps_its_mode_and_only_the_database_is_closed(
    tmp_path: Path, lines: Lines, reason: str
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    if reason == "other folders":
        (folder / "of-another-program").mkdir()
    folder.chmod(0o1777 if reason == "sticky" else OPEN_FOLDER)
    theirs = folder / "theirs.txt"
    theirs.write_text("of another program")
    theirs.chmod(OPEN_FILE)
    (folder / DATABASE_FILE).touch(OPEN_FILE)

    opened = start(folder)

    left = {line["path"] for line in lines() if line["event"] == "open_to_others"}
    assert left == {str(folder)}
    assert opened == {".", "theirs.txt"} | ({"of-another-program"} if reason == "other folders" else set())


@pytest.mark.embedded
def test_a_restored_database_and_its_folder_are_private(tmp_path: Path) -> None:
    folder, copy = tmp_path / "data", tmp_path / "copy.db"
    start(folder)
    assert guidance("backup", copy, "--data-dir", folder).returncode == 0

    assert guidance("restore", copy, "--data-dir", tmp_path / "elsewhere").returncode == 0

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert open_to_others(tmp_path / "elsewhere") == set()


def test_an_export_is_for_everybody(tmp_path: Path) -> None:
    said = guidance("export", tmp_path / "site", "--data-dir", tmp_path / "data", PUBLIC_URL="https://guides.example")

    assert said.returncode == 0, said.stderr
    assert (tmp_path / "site").stat().st_mode & 0o055 == 0o055
