"""Backups of many nights: only old ones of the service's own names go, and each is tried before it counts."""

import datetime as dt
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import BackupRefused, SchemaUnknown
from app.main import create_app
from app.services.operations import backup
from app.services.operations.backup import backup_path, count_erased_since, list_backups, remove_old_backups
from tests.support.clock import SettableClock
from tests.support.command import guidance
from tests.support.concerns import raise_concern
from tests.support.desk import desk_of
from tests.support.set_ups import SetUp, make_set_up

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
NIGHT = dt.datetime(2026, 11, 1, 2, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return make_set_up(tmp_path_factory.mktemp("healthy") / "place")


@pytest.fixture
def set_up(healthy: SetUp, tmp_path: Path) -> SetUp:
    return healthy.copy(tmp_path / "place")


def test_two_backups_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    first = backup_path(tmp_path, at=NIGHT)
    first.touch()

    second = backup_path(tmp_path, at=NIGHT)

    assert second.name > first.name
    assert list_backups(tmp_path) == [first]


def test_all_but_the_newest_are_removed_and_files_of_other_names_stay(tmp_path: Path) -> None:
    nights = [backup_path(tmp_path, at=NIGHT + dt.timedelta(days=day)) for day in range(5)]
    others = [tmp_path / name for name in ("guidance-before-the-move.db", "guidance-20261101T020000Z.db.age", "notes")]
    for path in (*nights, *others):
        path.write_bytes(b"")

    removed = remove_old_backups(nights[4], keep=2)

    assert sorted(removed) == nights[:3]
    assert list_backups(tmp_path) == [nights[4], nights[3]]
    assert all(path.exists() for path in others)


def test_the_copy_that_was_just_made_stays_though_the_clock_was_behind(tmp_path: Path) -> None:
    nights = [backup_path(tmp_path, at=NIGHT + dt.timedelta(days=day)) for day in range(3)]
    for path in nights:
        path.write_bytes(b"")

    assert remove_old_backups(nights[0], keep=2) == [nights[1]]


def test_each_night_a_copy_is_made_tried_and_the_oldest_removed(set_up: SetUp) -> None:
    folder = set_up.folder / "backups"
    old = backup_path(folder, at=NIGHT)
    old.write_bytes(b"an older one")
    before = set(folder.iterdir())

    made = guidance("backup", "--keep", "2", "--test", "--data-dir", set_up.data_dir, BACKUP_FOLDER=str(folder))

    assert made.returncode == 0, made.stderr
    assert "restored in" in made.stdout
    assert f"{old}: removed" in made.stdout
    assert len(set(folder.iterdir()) - before) == 1
    assert len(list_backups(folder)) == 2
    assert not list(folder.glob(".drill*"))


def test_each_older_backup_with_text_that_was_erased_since_is_named(tmp_path: Path) -> None:
    clock = SettableClock()
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False), clock)
    with TestClient(service) as client:
        desk, references = desk_of(service, client), [raise_concern(client)["reference"] for _ in range(2)]
        older, newer = (backup_path(tmp_path, at=clock.time + dt.timedelta(hours=hours)) for hours in (1, 3))
        for path in (older, newer):
            path.write_bytes(b"")
        clock.time += dt.timedelta(hours=2)
        desk.act(references[0], "acknowledgement")
        assert desk.act(references[0], "erasure", reason="A made-up reason.").status_code == 200

        assert count_erased_since(tmp_path / "data", tmp_path) == {older: 1}


def test_without_a_place_the_command_says_what_to_name(set_up: SetUp) -> None:
    refused = guidance("backup", "--data-dir", set_up.data_dir)

    assert refused.returncode == 1
    assert "GUIDANCE_BACKUP_FOLDER" in refused.stderr


def test_a_copy_that_fails_its_drill_removes_nothing(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = set_up.folder / "backups"
    (whole,) = list_backups(folder)
    damaged = backup_path(folder, at=NIGHT)
    damaged.write_bytes(whole.read_bytes()[:5000])

    refused = guidance("restore", damaged, "--test", "--data-dir", set_up.data_dir)
    tried = guidance("restore", whole, "--test", "--data-dir", set_up.data_dir)

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert tried.returncode == 0
    assert "restored in" in tried.stdout
    assert not list(set_up.data_dir.glob("*.before-*"))
    monkeypatch.setattr(backup, "prepare_schema", _refuse)
    with pytest.raises(BackupRefused):
        backup.drill_restore(whole, at=NIGHT)
    assert not list(folder.glob(".drill*"))


def _refuse(*_: object, **__: object) -> None:
    raise SchemaUnknown


def test_the_folder_of_backups_is_a_setting(tmp_path: Path) -> None:
    assert Settings(backup_folder=tmp_path).backup_folder == tmp_path
