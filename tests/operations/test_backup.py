"""Backup and restore: a whole copy while concerns come in, and nothing replaced that is not kept."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.db.file_copies import database_copy
from app.errors import BackupRefused
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, RECEIPT_KEY
from app.services.operations.backup import back_up, restore_backup, verify_copy
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import token_of
from tests.support.desk import desk_of
from tests.support.live import LiveServer
from tests.support.revisions import WORKS, add_revision
from tests.support.waiting import LONG_ENOUGH

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CONCERNS = "/v1/concerns"
AS_THEY_ARE_FOUND = {"a digest": "is not whole", "a chain": "is not whole", "a page": "damaged|is not whole"}


@pytest.fixture
def data_dir(service: FastAPI, settings: Settings) -> Path:
    """A folder in which a service kept one concern, which the desk has opened; it is closed now."""
    with TestClient(service) as client:
        desk = desk_of(service, client)
        reference = client.post(CONCERNS, json=SMALLEST_EXAMPLE).json()["reference"]
        assert desk.get(f"/concerns/{reference}").status_code == 200
    return settings.data_dir


def tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def without_triggers(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
    tamper(path, *(f"DROP TRIGGER {name}" for name in names))


def test_a_backup_under_load_holds_every_acknowledged_concern_and_can_be_restored(
    live: LiveServer, tmp_path: Path
) -> None:
    acknowledged: list[dict[str, str]] = []
    enough, stop = threading.Event(), threading.Event()

    def post() -> None:
        with live.client() as caller:
            while not stop.is_set():
                acknowledged.append(caller.post(CONCERNS, json=SMALLEST_EXAMPLE).raise_for_status().json())
                if len(acknowledged) >= 40:
                    enough.set()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        assert enough.wait(30)
        before = list(acknowledged)
        told = guidance("backup", tmp_path / "copy.db", "--data-dir", live.data_dir)
        during = len(acknowledged) - len(before)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    live.stop()
    elsewhere = tmp_path / "elsewhere"
    restored = guidance("restore", tmp_path / "copy.db", "--data-dir", elsewhere)

    assert (told.returncode, restored.returncode) == (0, 0), told.stderr + restored.stderr
    assert during > 0
    with LiveServer(elsewhere) as server, server.client() as caller:
        for receipt in before:
            token = token_of(receipt)
            assert caller.get(f"{CONCERNS}/{receipt['reference']}", headers=token).status_code == 200


def test_a_copy_ends_and_is_of_one_moment_however_fast_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.file_copies.PAGES_PER_STEP", 1)
    tamper(
        tmp_path / "db",
        "PRAGMA journal_mode=WAL",
        "CREATE TABLE kept (content)",
        "INSERT INTO kept WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) "
        "SELECT randomblob(3000) FROM n",
    )
    counted: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            while not stop.is_set():
                connection.execute("INSERT INTO kept VALUES (1)")

    def copy() -> None:
        with database_copy(tmp_path / "db", tmp_path / "copy") as draft, closing(sqlite3.connect(draft)) as connection:
            counted.append(connection.execute("SELECT count(*) FROM kept").fetchone()[0])

    writing, copying = threading.Thread(target=write), threading.Thread(target=copy, daemon=True)
    writing.start()
    copying.start()
    copying.join(timeout=LONG_ENOUGH)
    stop.set()
    writing.join()

    assert not copying.is_alive()
    assert counted[0] >= 8000


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE])
def test_a_copy_that_cannot_be_written_does_not_accuse_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*_: object) -> None:
        failure = sqlite3.OperationalError("database or disk is full")
        failure.sqlite_errorcode = code
        raise failure

    monkeypatch.setattr("app.db.file_copies._copy", fail)

    with pytest.raises(OSError, match="copy"), database_copy(tmp_path / "db", tmp_path / "copy"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_while_a_copy_is_migrated_does_not_accuse_the_database(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_revision(monkeypatch, tmp_path / "history", f"PRAGMA max_page_count = 1\n\n{WORKS}")

    with pytest.raises(OSError, match="No space left on device"):
        verify_copy(data_dir / DATABASE_FILE)


def test_a_backup_is_one_private_file_and_names_the_missing_keys(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    copy = tmp_path / "backups" / "copy.db"

    told = guidance("backup", copy, "--data-dir", data_dir)

    assert told.stdout == f"{copy}: 1 edition, 2 renditions, 1 concern and 3 audit log entries, verified\n"
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    for key in (DEVELOPMENT_IDENTITY, RECEIPT_KEY):
        assert str(data_dir / key) in told.stderr
        secret = (data_dir / key).read_bytes().splitlines()[-2 if key == RECEIPT_KEY else -1]
        assert secret not in copy.read_bytes()


def test_a_file_that_is_there_is_replaced_only_by_force(data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("something else")

    refused = guidance("backup", copy, "--data-dir", data_dir)
    kept = copy.read_text()
    forced = guidance("backup", copy, "--data-dir", data_dir, "--force")

    assert (refused.returncode, kept) == (2, "something else")
    assert "--force" in refused.stderr
    assert forced.returncode == 0
    assert verify_copy(copy).concerns == 1


def test_without_a_database_there_is_no_backup(tmp_path: Path) -> None:
    told = guidance("backup", tmp_path / "copy.db", "--data-dir", tmp_path / "none")

    assert (told.returncode, told.stdout) == (1, "")
    assert "There is no database" in told.stderr
    assert list(tmp_path.glob("*copy.db*")) == []


def damage(path: Path, what: str) -> None:
    """Change the database as nobody should be able to."""
    without_triggers(path)
    if what == "a digest":
        tamper(path, "UPDATE editions SET digest = 'sha256:' || substr(digest, 8, 63) || 'z'")
    elif what == "a chain":
        tamper(path, "UPDATE audit_entries SET client = 'somebody-else' WHERE number = 1")
    else:
        tamper(path, "PRAGMA journal_mode=DELETE")
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * 20_000)


@pytest.mark.parametrize("what", AS_THEY_ARE_FOUND)
def test_a_copy_that_does_not_verify_is_neither_made_nor_restored(data_dir: Path, tmp_path: Path, what: str) -> None:
    back_up(data_dir, tmp_path / "good.db", replace=False)
    damage(data_dir / DATABASE_FILE, what)
    damage(tmp_path / "good.db", what)

    with pytest.raises(BackupRefused, match=AS_THEY_ARE_FOUND[what]):
        back_up(data_dir, tmp_path / "copy.db", replace=False)
    with pytest.raises(BackupRefused, match=AS_THEY_ARE_FOUND[what]):
        restore_backup(tmp_path / "good.db", tmp_path / "elsewhere", replace=False, at=A_TUESDAY)

    assert list(tmp_path.glob("*copy.db*")) == []
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00 and no more"])
def test_a_file_that_is_no_database_of_the_service_is_not_restored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "strange.db").write_bytes(content)

    with pytest.raises(BackupRefused):
        restore_backup(tmp_path / "strange.db", tmp_path / "elsewhere", replace=False, at=A_TUESDAY)


def test_a_database_is_replaced_only_by_force_and_is_kept_beside(data_dir: Path, tmp_path: Path) -> None:
    back_up(data_dir, tmp_path / "copy.db", replace=False)
    tamper(data_dir / DATABASE_FILE, "CREATE TABLE newer (a)")

    refused = guidance("restore", tmp_path / "copy.db", "--data-dir", data_dir)
    forced = guidance("restore", tmp_path / "copy.db", "--data-dir", data_dir, "--force")

    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert forced.returncode == 0, forced.stderr
    (former,) = data_dir.glob(f"{DATABASE_FILE}.before-*Z")
    assert str(former) in forced.stdout
    tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'newer'"
    with closing(sqlite3.connect(former)) as old, closing(sqlite3.connect(data_dir / DATABASE_FILE)) as new:
        assert (old.execute(tables).fetchone(), new.execute(tables).fetchone()) == ((1,), (0,))


def test_a_damaged_database_gives_way_to_a_backup_and_is_kept(data_dir: Path, tmp_path: Path) -> None:
    back_up(data_dir, tmp_path / "copy.db", replace=False)
    (data_dir / DATABASE_FILE).write_bytes(b"not a database")

    _, former, _ = restore_backup(tmp_path / "copy.db", data_dir, replace=True, at=A_TUESDAY)

    assert former is not None
    assert former.read_bytes() == b"not a database"
    assert verify_copy(data_dir / DATABASE_FILE).concerns == 1


def test_nothing_is_restored_while_a_service_has_the_database_open(live: LiveServer, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert guidance("backup", copy, "--data-dir", live.data_dir).returncode == 0
    names = sorted(path.name for path in live.data_dir.iterdir())

    told = guidance("restore", copy, "--data-dir", live.data_dir, "--force")

    assert told.returncode == 1
    assert "stop the service first" in told.stderr
    assert sorted(path.name for path in live.data_dir.iterdir()) == names
    with live.client() as caller:
        assert caller.post(CONCERNS, json=SMALLEST_EXAMPLE).status_code == 201
