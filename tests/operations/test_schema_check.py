"""The rules of the database: one that is missing, altered or added is found before it does harm."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import inspect
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.db.database import DATABASE_FILE, for_writing, open_database
from app.db.schema import declared_objects, find_schema_faults, migrate_schema, stored_objects
from app.errors import BackupRefused, SchemaAltered
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.operations.backup import back_up, restore_backup, verify_copy
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance_process
from tests.support.concerns import raise_concern, token_of
from tests.support.databases import RawConnection, drop_triggers, on_postgresql, raw_connection
from tests.support.desk import Desk
from tests.support.revisions import WORKS, add_revision

pytestmark = pytest.mark.slow

RULE = "concerns_are_never_deleted"
SWALLOW = {
    True: "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
    "CREATE TRIGGER swallow BEFORE {0} FOR EACH ROW EXECUTE FUNCTION swallow()",
    False: "CREATE TRIGGER swallow BEFORE {0} BEGIN SELECT RAISE(IGNORE); END",
}
EITHER = {
    "an index dropped": ("DROP INDEX ix_concerns_urgency", "the index ix_concerns_urgency is missing"),
    "an index added": ("CREATE UNIQUE INDEX one ON concerns (guide)", "the index one was added"),
    "a column added": ("ALTER TABLE concerns ADD COLUMN copy TEXT", "the table concerns was altered"),
    "a table dropped": ("DROP TABLE stored_receipts", "the table stored_receipts is missing"),
}
SQLITE = {
    "a rule dropped": (f"DROP TRIGGER {RULE}", f"the trigger {RULE} is missing"),
    "a rule altered": (
        f"DROP TRIGGER {RULE}; CREATE TRIGGER {RULE} BEFORE DELETE ON concerns WHEN FALSE "
        "BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END",
        f"the trigger {RULE} was altered",
    ),
    "a rule that is a word": (
        f'DROP TRIGGER {RULE}; CREATE TRIGGER {RULE} BEFORE DELETE ON concerns WHEN "TRUE" '
        "BEGIN SELECT RAISE(ABORT, 'a concern is never deleted'); END",
        f"the trigger {RULE} was altered",
    ),
    "a rule added": (SWALLOW[False].format("INSERT ON concerns"), "the trigger swallow was added"),
    "a constraint dropped": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, ' PRIMARY KEY ', ' UNIQUE ') "
        "WHERE name = 'chains' AND type = 'table'",
        "the table chains was altered",
    ),
}
POSTGRESQL = {
    "a rule dropped": (f"DROP TRIGGER {RULE} ON concerns", f"the trigger {RULE} is missing"),
    "a rule disabled": (f"ALTER TABLE concerns DISABLE TRIGGER {RULE}", f"the trigger {RULE} was altered"),
    "a rule altered": (
        f"DROP TRIGGER {RULE} ON concerns; CREATE TRIGGER {RULE} BEFORE DELETE ON concerns "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {RULE}()",
        f"the trigger {RULE} was altered",
    ),
    "a function altered": (
        f"CREATE OR REPLACE FUNCTION {RULE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        f"the function {RULE} was altered",
    ),
    "a rule added": (SWALLOW[True].format("INSERT ON concerns"), "the trigger swallow was added"),
    "a rewriting rule": (
        "CREATE RULE nothing AS ON INSERT TO concerns DO INSTEAD NOTHING",
        "the rule nothing was added",
    ),
    "row security": ("ALTER TABLE concerns ENABLE ROW LEVEL SECURITY", "the table concerns was altered"),
    "a policy": ("CREATE POLICY none ON concerns USING (false)", "the policy none was added"),
    "a table that a crash empties": ("ALTER TABLE audit_entries SET UNLOGGED", "the table audit_entries was altered"),
    "a constraint dropped": ("ALTER TABLE chains DROP CONSTRAINT pk_chains CASCADE", "the table chains was altered"),
    "a type altered": ("ALTER TABLE events ALTER COLUMN kind TYPE VARCHAR(3) USING ''", "the table events was altered"),
    "a column that may be empty": (
        "ALTER TABLE concerns ALTER COLUMN status_token_sha256 DROP NOT NULL",
        "the table concerns was altered",
    ),
}


@pytest.fixture
def stopped(service: FastAPI, settings: Settings) -> Settings:
    """The settings of a service that stored a concern, and is stopped."""
    with TestClient(service) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201
    return settings


def change(database: RawConnection, statements: str) -> None:
    if on_postgresql():
        database.execute(statements)
        return
    whole = ""
    for piece in statements.split(";"):  # a trigger has semicolons of its own
        whole += piece + ";"
        if sqlite3.complete_statement(whole) and whole.strip("; "):
            database.execute(whole)
            whole = ""


def changes() -> list[object]:
    sqlite = pytest.mark.embedded
    on_either = [pytest.param(*told, id=name) for name, told in EITHER.items()]
    on_one = [pytest.param(*told, id=name, marks=sqlite) for name, told in SQLITE.items()]
    only = pytest.mark.skipif(
        "not config.getoption('database') == 'postgresql'", reason="is said in PostgreSQL's words"
    )
    return [
        *on_either,
        *on_one,
        *(pytest.param(*told, id=f"postgresql: {name}", marks=only) for name, told in POSTGRESQL.items()),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("statements", "fault"), changes())
def test_a_database_with_other_rules_is_not_served_and_fails_verify(
    stopped: Settings, statements: str, fault: str
) -> None:
    before = CliRunner().invoke(app, ["verify", "--data-dir", str(stopped.data_dir)])
    with raw_connection(stopped.data_dir) as database:
        change(database, statements)

    with pytest.raises(SchemaAltered, match=fault), TestClient(create_app(stopped)):
        pass
    after = CliRunner().invoke(app, ["verify", "--data-dir", str(stopped.data_dir)])

    assert before.exit_code == 0, before.stdout
    assert after.exit_code == 1
    assert f"database: {fault}" in after.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("name", [*EITHER, *SQLITE])
def test_a_backup_with_other_rules_is_neither_made_nor_restored(stopped: Settings, tmp_path: Path, name: str) -> None:
    statements, fault = (EITHER | SQLITE)[name]
    back_up(stopped.data_dir, tmp_path / "good.db", replace=False)
    for path in (stopped.data_dir / DATABASE_FILE, tmp_path / "good.db"):
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            change(database, statements)

    with pytest.raises(BackupRefused, match=fault):
        back_up(stopped.data_dir, tmp_path / "copy.db", replace=False)
    with pytest.raises(BackupRefused, match=fault):
        restore_backup(tmp_path / "good.db", tmp_path / "elsewhere", replace=False, at=A_TUESDAY)

    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.slow
def test_the_command_names_the_missing_rules_in_one_sentence(
    stopped: Settings,
) -> None:
    with raw_connection(stopped.data_dir) as database:
        drop_triggers(database)

    said = guidance_process("serve", "--trial", "--port", "0", "--data-dir", stopped.data_dir)

    assert said.returncode == 1
    assert "changed outside this program" in said.stderr
    assert "cards_are_never_deleted is missing" in said.stderr
    assert 'File "' not in said.stderr


def test_a_table_of_another_program_is_ignored(stopped: Settings) -> None:
    with raw_connection(stopped.data_dir) as database:
        database.execute("CREATE TABLE of_another_program (id INTEGER PRIMARY KEY, word TEXT UNIQUE)")

    with TestClient(create_app(stopped)) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201


def test_every_table_index_and_rule_that_is_declared_is_compared(stopped: Settings) -> None:
    engine = open_database(stopped.data_dir, stopped.database_address)
    with engine.connect() as connection:
        stored = {each[:2] for each in stored_objects(connection)}
    engine.dispose()

    declared = {each[:2] for each in declared_objects(engine.dialect.name)}
    assert {kind for kind, _ in declared} >= {"table", "index", "trigger"}
    assert len(declared) > 80
    assert declared <= stored


def test_a_database_with_other_rules_is_not_migrated(
    stopped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_connection(stopped.data_dir) as database:
        change(database, SWALLOW[on_postgresql()].format("INSERT ON concerns"))
    engine = open_database(stopped.data_dir, stopped.database_address)

    with monkeypatch.context() as patch:
        add_revision(patch, tmp_path / "history", WORKS)
        with pytest.raises(SchemaAltered, match="the trigger swallow was added"):
            migrate_schema(engine, stopped.data_dir)

    with engine.connect() as connection:
        assert find_schema_faults(connection) == ["the trigger swallow was added"]
        assert not inspect(connection).has_table("invented")
    engine.dispose()


@pytest.mark.embedded
def test_a_backup_of_the_schema_before_is_compared_and_can_be_restored(
    stopped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(stopped.data_dir, tmp_path / "good.db", replace=False)
    back_up(stopped.data_dir, tmp_path / "bad.db", replace=False)
    with closing(sqlite3.connect(tmp_path / "bad.db", isolation_level=None)) as database:
        database.execute(SWALLOW[False].format("INSERT ON concerns"))
    add_revision(monkeypatch, tmp_path / "history", WORKS)
    monkeypatch.setattr(
        "app.services.operations.backup.find_foreign_objects", lambda _: []
    )  # the revision's table has no model

    restored, *_ = restore_backup(tmp_path / "good.db", tmp_path / "elsewhere", replace=False, at=A_TUESDAY)

    assert restored.concerns == 1
    with closing(sqlite3.connect(tmp_path / "elsewhere" / DATABASE_FILE)) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'invented'").fetchone() == (0,)
    with pytest.raises(BackupRefused, match="the trigger swallow was added"):
        verify_copy(tmp_path / "bad.db")


@pytest.mark.embedded
def test_a_copy_with_the_tables_of_the_replication_is_restored(stopped: Settings, tmp_path: Path) -> None:
    back_up(stopped.data_dir, tmp_path / "copy.db", replace=False)
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as database:
        database.execute("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
        database.execute("CREATE TABLE _litestream_lock (id INTEGER)")

    assert restore_backup(tmp_path / "copy.db", tmp_path / "elsewhere", replace=False, at=A_TUESDAY)[0].concerns == 1


def test_a_column_may_be_in_any_place_of_its_table(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    migrate_schema(engine, None)
    with for_writing(engine).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients DROP COLUMN revoked_at")
        connection.exec_driver_sql("ALTER TABLE clients ADD COLUMN revoked_at DATETIME")

    with engine.connect() as connection:
        assert find_schema_faults(connection) == []
    engine.dispose()


@pytest.mark.parametrize("table", ["concerns", "events", "entries", "audit_entries", "chains"])
def test_no_answer_says_stored_if_a_rule_swallows_the_rows(
    client: TestClient, desk: Desk, settings: Settings, table: str
) -> None:
    receipt = raise_concern(client, **SMALLEST_EXAMPLE)
    more = {"concern": {"narrative": "An invented addition."}}
    token = token_of(receipt)
    with raw_connection(settings.data_dir) as database:
        written = "UPDATE" if table == "chains" else "INSERT"
        change(database, SWALLOW[on_postgresql()].format(f"{written} ON {table}"))

        calls: dict[str, Callable[[], Any]] = {
            "concerns": lambda: client.post("/v1/concerns", json=SMALLEST_EXAMPLE),
            "events": lambda: client.post("/v1/concerns", json=SMALLEST_EXAMPLE),
            "entries": lambda: client.post(f"/v1/concerns/{receipt['reference']}/additions", json=more, headers=token),
            "audit_entries": lambda: desk.get(f"/concerns/{receipt['reference']}"),
            "chains": lambda: desk.get(f"/concerns/{receipt['reference']}"),
        }
        answer = calls[table]()

        assert answer.status_code == 503
        assert database.execute("SELECT count(*) FROM concerns").fetchone() == (1,)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("statement", "title"),
    [
        ("CREATE VIEW others AS SELECT name FROM clients", "the view others"),
        ("CREATE TABLE others (name TEXT)", "the table others"),
        ("CREATE VIRTUAL TABLE others USING fts5(name)", "the table others"),
        ("CREATE TRIGGER others AFTER INSERT ON clients BEGIN SELECT 1; END", "the trigger others"),
        ("CREATE INDEX others ON clients (person)", "the index others"),
    ],
)
def test_a_copy_with_an_object_of_another_program_is_not_restored(
    stopped: Settings, tmp_path: Path, statement: str, title: str
) -> None:
    copy = tmp_path / "copy.db"
    back_up(stopped.data_dir, copy, replace=False)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(statement)
        connection.execute("ANALYZE")
        connection.commit()

    with pytest.raises(BackupRefused, match=f"{title} was added"):
        restore_backup(copy, tmp_path / "restored", replace=False, at=A_TUESDAY)

    assert not (tmp_path / "restored").exists()
