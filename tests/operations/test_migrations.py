"""The schema is made as declared; a migration keeps every word, and ends whole or not at all, on either database."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.db.database import for_writing, open_database
from app.db.schema import CREATE_VERSION_TABLE, declared_statements, find_schema_faults, migrate_schema, prepare_schema
from app.errors import BackupRefused, SchemaBehind, SchemaTooOld, SchemaUnknown, SetupError
from app.main import create_app
from app.services.operations.audit_verification import verify_audit_log
from app.services.operations.verification import verify_editions
from tests.support.command import guidance
from tests.support.concerns import a_concern
from tests.support.databases import address_for, postgresql, raw_connection
from tests.support.prepared import copy_prepared
from tests.support.publishing import GUIDE
from tests.support.released import DOCUMENT, make_released_schema
from tests.support.revisions import FAILS, FOLLOWING, NEWEST, WORKS, add_revision, an_empty, rows

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow  # processes, browsers or long work

RULES = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%'",
    "postgresql": "SELECT tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) "
    "FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    engine = an_empty(request.param, "empty", tmp_path)
    yield engine
    engine.dispose()


def test_a_new_database_has_everything_that_is_declared(empty: Engine, tmp_path: Path) -> None:
    assert migrate_schema(empty, tmp_path) == (None, NEWEST)

    found = inspect(empty)
    for table in SQLModel.metadata.sorted_tables:
        assert {column["name"] for column in found.get_columns(table.name)} == set(table.columns.keys())
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes
    declared = [each for each in declared_statements(empty.dialect.name) if each.startswith("CREATE TRIGGER")]
    names = {each.split()[2] for each in declared}
    with empty.connect() as connection:
        assert find_schema_faults(connection) == []
    assert names
    assert names <= {str(row[1]) for row in rows(empty, RULES[empty.dialect.name])}
    assert rows(empty, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
    assert migrate_schema(empty, tmp_path) == (NEWEST, NEWEST)


def test_a_revision_that_fails_leaves_everything_as_it_was(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_schema(empty, tmp_path)
    before = rows(empty, RULES[empty.dialect.name])
    columns = inspect(empty).get_columns("concerns")

    with monkeypatch.context() as patch:
        add_revision(patch, tmp_path / "history", FAILS)
        with pytest.raises(DBAPIError):
            migrate_schema(empty, tmp_path)

    assert rows(empty, RULES[empty.dialect.name]) == before
    assert [each["name"] for each in inspect(empty).get_columns("concerns")] == [each["name"] for each in columns]
    assert rows(empty, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
    prepare_schema(empty, tmp_path, migrates=True)


def test_digests_sealed_concerns_and_the_record_are_the_same_after_a_revision(
    client: TestClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = client.post("/v1/concerns", json=a_concern(), headers={"Idempotency-Key": "a-key"})
    edition = client.get(f"{GUIDE}/editions/1")
    engine = open_database(settings.data_dir, address_for(settings.data_dir))
    sealed = rows(engine, "SELECT sealed FROM concerns")

    add_revision(monkeypatch, tmp_path / "history", WORKS)
    assert migrate_schema(engine, settings.data_dir) == (NEWEST, FOLLOWING)

    assert rows(engine, "SELECT sealed FROM concerns") == sealed
    assert {fault for _, fault in verify_editions(engine)} == {None}
    assert list(verify_audit_log(engine)) == []
    assert client.get(f"{GUIDE}/editions/1").content == edition.content
    again = client.post("/v1/concerns", json=a_concern(), headers={"Idempotency-Key": "a-key"})
    assert again.content == receipt.content
    engine.dispose()


def test_a_database_of_which_no_copy_can_be_written_is_not_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = an_empty("sqlite", "empty", tmp_path)
    migrate_schema(engine, tmp_path)
    add_revision(monkeypatch, tmp_path / "history", WORKS)

    with pytest.raises(BackupRefused, match="cannot be copied"):
        migrate_schema(engine, tmp_path / "there-is-none")

    assert rows(engine, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
    engine.dispose()


@pytest.mark.embedded
def test_the_embedded_database_is_copied_before_it_is_changed(
    client: TestClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/v1/concerns", json=a_concern())
    engine = open_database(settings.data_dir)
    before = rows(engine, "SELECT reference, sealed FROM concerns")

    add_revision(monkeypatch, tmp_path / "history", WORKS)
    migrate_schema(engine, settings.data_dir)
    engine.dispose()

    copy = settings.data_dir / f"guidance.db.before-{FOLLOWING}"
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(copy, tmp_path / "elsewhere" / "guidance.db")
    former = open_database(tmp_path / "elsewhere")
    assert rows(former, "SELECT reference, sealed FROM concerns") == before
    assert rows(former, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
    assert copy.stat().st_mode & 0o077 == 0
    former.dispose()


@pytest.mark.parametrize("known", ["9999", "made without count"])
def test_a_schema_that_this_program_does_not_know_is_not_served(settings: Settings, known: str) -> None:
    with TestClient(create_app(settings)):
        pass
    change = "DROP TABLE alembic_version" if known != "9999" else "UPDATE alembic_version SET version_num = '9999'"
    with raw_connection(settings.data_dir) as database:
        database.execute(change)

    with pytest.raises(SchemaUnknown), TestClient(create_app(settings)):
        pass


def test_an_older_shared_database_is_not_served_until_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = postgresql()
    address = server.address(server.database_of(tmp_path))
    engine = open_database(tmp_path, address)
    migrate_schema(engine, tmp_path)
    add_revision(monkeypatch, tmp_path / "history", WORKS)

    with pytest.raises(SchemaBehind):
        prepare_schema(engine, tmp_path, migrates=True)
    assert migrate_schema(engine, tmp_path) == (NEWEST, FOLLOWING)

    prepare_schema(engine, tmp_path, migrates=True)
    engine.dispose()


def test_the_command_tells_what_it_did(settings: Settings) -> None:
    first = CliRunner().invoke(app, ["migrate", "--data-dir", str(settings.data_dir)])
    again = CliRunner().invoke(app, ["migrate", "--data-dir", str(settings.data_dir)])

    assert first.stdout in (f"schema (empty) to {NEWEST}\n", f"schema {NEWEST}: nothing to do\n")
    assert again.stdout == f"schema {NEWEST}: nothing to do\n"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="nothing was released yet")
def test_the_schema_of_the_last_release_becomes_the_declared_one(empty: Engine, tmp_path: Path) -> None:
    make_released_schema(empty)

    migrate_schema(empty, tmp_path)

    with empty.connect() as connection:
        assert find_schema_faults(connection) == []


@pytest.mark.any_database
@pytest.mark.embedded
@pytest.mark.parametrize(("revision", "error"), [("0001", SchemaTooOld), ("9999", SchemaUnknown)])
def test_migrate_the_doctor_and_the_page_refuse_a_database_in_the_same_sentence(
    settings: Settings, revision: str, error: type[SchemaTooOld | SchemaUnknown]
) -> None:
    copy_prepared(settings.data_dir)
    with raw_connection(settings.data_dir) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    sentence = str(error()) or str(error.__doc__)
    page = " ".join((ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8").split())

    migrated = guidance("migrate", "--data-dir", settings.data_dir)
    examined = guidance("doctor", "--quick", "--json", "--data-dir", settings.data_dir)

    (schema,) = [each for each in json.loads(examined.stdout) if each["check"] == "schema"]
    assert (migrated.returncode, migrated.stderr.strip()) == (1, sentence)
    assert (schema["condition"], f"{schema['found']}.") == ("fault", sentence)
    assert sentence in page


def test_a_database_with_a_log_of_sentences_is_refused_and_unchanged(empty: Engine, tmp_path: Path) -> None:
    with for_writing(empty).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE disclosures (detail VARCHAR)")
        connection.exec_driver_sql("INSERT INTO disclosures VALUES ('Jo Example')")
        connection.exec_driver_sql(CREATE_VERSION_TABLE)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")

    for use in (lambda: migrate_schema(empty, tmp_path), lambda: prepare_schema(empty, tmp_path, migrates=True)):
        with pytest.raises(SetupError, match="cannot read its audit log"):
            use()

    assert rows(empty, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert rows(empty, "SELECT detail FROM disclosures") == [("Jo Example",)]


def run_in(tree: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the copy of the tree, with the modules of the copy."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, check=False, text=True, timeout=300)


@pytest.mark.nightly
@pytest.mark.any_database  # it takes both
def test_a_revision_is_written_as_contributing_shows(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("app", "seed", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    recipe = (ROOT / "CONTRIBUTING.md").read_text().partition("### A change of the schema")[2].partition("\n### ")[0]
    blocks = re.findall(r"^   ```\w+\n(.*?)^   ```$", recipe, flags=re.MULTILINE | re.DOTALL)
    table, revision, commands = (textwrap.dedent(each) for each in blocks)
    test = ("-m", "pytest", "-n", "0", "tests/operations/test_migrations.py", "-k", "last_release")

    recorded = run_in(tree, "-m", "tests.support.released", "0.2.0")
    (models,) = [path for path in (tree / "app" / "models").rglob("*.py") if "class ClientRow(" in path.read_text()]
    before, name, rest = models.read_text().partition('    __tablename__ = "clients"\n')
    models.write_text(f"{before}{name}    nickname: str | None = None\n{rest}\n\n{table}")
    without = run_in(tree, *test)
    (tree / "app/db/migrations/versions/0003_mottos.py").write_text(revision)
    shell = ["sh", "-e", "-c", commands.replace(".venv/bin/python", shlex.quote(sys.executable))]
    written = subprocess.run(shell, cwd=tree, check=False, timeout=300)
    migrated = run_in(tree, *test)

    assert (recorded.returncode, recorded.stderr) == (0, "")
    assert without.returncode == 1
    assert "2 failed" in without.stdout
    assert written.returncode == 0
    assert "2 passed" in migrated.stdout, migrated.stdout
