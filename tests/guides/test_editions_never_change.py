"""The database itself refuses to change what was published, or to lose a concern that nobody has acknowledged.

It is asked by other programs, on connections that know nothing of this service and of its settings.
"""

# ruff: noqa: S608  # the statements are made of the names of tables and columns that this service itself declares
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import SQLModel, col
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.models.guides.edition_rows import GenerationRow
from tests.support.concerns import a_concern
from tests.support.publishing import GUIDE, filled_sections, publish_next, withdraw
from tests.support.renditions import withdraw_a_rendition

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

Ask = Callable[[Path, str], str]

PATIENCE = 30  # seconds that a statement waits while the service itself writes
NEVER_CHANGES = "a published edition never changes"
WITHOUT_A_GAP = "are numbered 1, 2, 3 without a gap"
PUBLISHED = ["editions", "withdrawals"]


def ask_python(database: Path, statement: str) -> str:
    """The refusal that Python's own module gets; nothing if it is not refused."""
    with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as connection:
        try:
            connection.execute(statement)
        except sqlite3.Error as refusal:
            return str(refusal)
    return ""


def ask_command(database: Path, statement: str) -> str:
    """The refusal that the command of SQLite's makers gets; nothing if it is not refused."""
    patiently = ["sqlite3", "-cmd", f".timeout {PATIENCE * 1000}", str(database), statement]
    return subprocess.run(patiently, capture_output=True, text=True, check=False).stderr


@pytest.fixture(
    params=[
        pytest.param(ask_python, id="python"),
        pytest.param(
            ask_command,
            id="command",
            marks=pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 command is not installed"),
        ),
    ]
)
def ask(request: pytest.FixtureRequest) -> Ask:
    program: Ask = request.param
    return program


@pytest.fixture
def database(client: TestClient, service: FastAPI, settings: Settings) -> Path:
    """Two editions, of which the first is withdrawn, and two concerns that nobody has acknowledged."""
    publish_next(service, change_note="A made-up change.", **filled_sections())
    withdraw(service, 1)
    withdraw_a_rendition(service, "cy", 1)
    for _ in range(2):
        assert client.post("/v1/concerns", json=a_concern()).status_code == 201
    return settings.data_dir / DATABASE_FILE


def is_the_rule(refusal: str) -> bool:
    return NEVER_CHANGES in refusal or "1, 2, 3 without a gap" in refusal


def columns_of(table: str) -> list[str]:
    return [f'"{column.name}"' for column in SQLModel.metadata.tables[table].columns if column.computed is None]


def rows_of(database: Path, *tables: str) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(database)) as connection:
        return {table: connection.execute(f"SELECT rowid, * FROM {table}").fetchall() for table in tables}


def attempts(table: str) -> Iterator[str]:
    """Every way in which SQL can alter, remove or replace the rows of the table."""
    key, *others = columns_of(table)
    columns = ", ".join([key, *others])
    elsewhere = ", ".join(["rowid", "'another'", *others])  # the same places in the file, under another key
    yield f"UPDATE OR REPLACE {table} SET rowid = (SELECT max(rowid) FROM {table})"
    yield f"UPDATE OR REPLACE {table} SET {key} = (SELECT max({key}) FROM {table})"
    yield f"DELETE FROM {table}"
    yield f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}"
    yield f"INSERT OR REPLACE INTO {table} (rowid, {columns}) SELECT {elsewhere} FROM {table}"
    yield f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE 1 ON CONFLICT DO UPDATE SET {key} = 0"


def test_nothing_published_is_ever_altered_removed_or_replaced(database: Path, ask: Ask) -> None:
    before = rows_of(database, *PUBLISHED)
    updates = [f"UPDATE {table} SET {name} = {name}" for table in PUBLISHED for name in columns_of(table)]
    replacements = [statement for table in PUBLISHED for statement in attempts(table)]

    refusals = {statement: ask(database, statement) for statement in [*updates, *replacements]}

    assert [statement for statement, refusal in refusals.items() if not is_the_rule(refusal)] == []
    assert rows_of(database, *PUBLISHED) == before
    assert all(before.values())


def test_editions_are_numbered_without_a_gap(database: Path, ask: Ask) -> None:
    names, before = columns_of("editions"), rows_of(database, "editions")

    for number in ("-1", "0", "1", "2", "4", "1000"):
        values = ", ".join({'"number"': number, '"edition"': number}.get(name, name) for name in names)
        refusal = ask(
            database,
            f"INSERT INTO editions ({', '.join(names)}) SELECT {values} FROM editions WHERE language = '' LIMIT 1",
        )

        assert WITHOUT_A_GAP in refusal, number
    assert rows_of(database, "editions") == before


def test_a_concern_that_nobody_has_acknowledged_is_never_lost(database: Path, ask: Ask) -> None:
    before = rows_of(database, "concerns")
    alterations = ["sealed = x'00'", "sealed = NULL", "reference = 'ANOTHER'"]

    refusals = {
        statement: ask(database, statement)
        for statement in [*attempts("concerns"), *(f"UPDATE concerns SET {each}" for each in alterations)]
    }

    assert [statement for statement, refusal in refusals.items() if "a concern" not in refusal] == []
    assert rows_of(database, "concerns") == before
    assert len(before["concerns"]) == 2


def test_publishing_and_withdrawing_raise_the_generation(client: TestClient, service: FastAPI) -> None:
    engine = service.state.context.engine

    def generation() -> int:
        with engine.connect() as connection:
            number: int = connection.execute(select(col(GenerationRow.number))).scalar_one()
        return number

    first = generation()
    publish_next(service, change_note="A made-up change.")
    second = generation()
    withdraw(service, 1)

    assert (second - first, generation() - second) == (1, 1)
    assert client.get(f"{GUIDE}/editions/1").status_code == 410
