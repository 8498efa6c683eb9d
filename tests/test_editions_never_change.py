"""The database itself refuses to change what was published, or to lose a concern that nobody has acknowledged.

It is asked by other programs, on connections that know nothing of this service and of its settings.
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.config import Settings
from app.routers.parts import Parts
from app.services.publishing import withdraw_edition
from app.store.database import DATABASE_FILE
from app.store.editions import EditionKey
from tests.conftest import SLUG, Concern, publish_next

Ask = Callable[[Path, str], str]

MAY_CHANGE = {"concerns", "catalogue"}
PUBLISHED = sorted(
    table.name
    for table in SQLModel.metadata.tables.values()
    if table.name in {"guides", "editions"} or {"editions"} & {key.column.table.name for key in table.foreign_keys}
)


def ask_python(database: Path, statement: str) -> str:
    """How Python's own module is refused; nothing where it is not."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        try:
            connection.execute(statement)
        except sqlite3.Error as refusal:
            return str(refusal)
    return ""


def ask_command(database: Path, statement: str) -> str:
    """How the command of SQLite's makers is refused; nothing where it is not."""
    told = subprocess.run(["sqlite3", str(database), statement], capture_output=True, text=True, check=False)
    return told.stderr


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
def database(client: TestClient, service: FastAPI, settings: Settings, a_concern: Concern) -> Path:
    """Two editions, of which the first is withdrawn, and two concerns that nobody has acknowledged."""
    publish_next(service, change_note="A made-up change.")
    withdraw(service, 1)
    for _ in range(2):
        assert client.post("/v1/concerns", json=a_concern()).status_code == 201
    return settings.data_dir / DATABASE_FILE


def withdraw(service: FastAPI, number: int) -> None:
    parts: Parts = service.state.parts
    parts.intake.writer.keep(
        lambda connection: withdraw_edition(
            connection, EditionKey(SLUG, number), reason="A made-up reason.", at=parts.clock()
        )
    )


def rows_of(database: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT rowid, * FROM {table}").fetchall()  # noqa: S608  # a name from this file


def attempts(table: str) -> Iterator[str]:
    """Every way in which SQL can alter, remove or replace the rows of the table."""
    names = [f'"{column.name}"' for column in SQLModel.metadata.tables[table].columns]
    key, columns = names[0], ", ".join(names)
    elsewhere = ", ".join(["rowid", "'another'", *names[1:]])  # the same places in the file, under another key
    for name in names:
        yield f"UPDATE {table} SET {name} = {name}"
    yield f"UPDATE OR REPLACE {table} SET rowid = (SELECT max(rowid) FROM {table})"
    yield f"UPDATE OR REPLACE {table} SET {key} = (SELECT max({key}) FROM {table})"
    yield f"DELETE FROM {table}"
    yield f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    yield f"INSERT OR REPLACE INTO {table} (rowid, {columns}) SELECT {elsewhere} FROM {table}"
    yield f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {key} = {key}"


@pytest.mark.parametrize("table", [table for table in PUBLISHED if table not in MAY_CHANGE])
def test_nothing_published_is_ever_altered_removed_or_replaced(database: Path, ask: Ask, table: str) -> None:
    before = rows_of(database, table)

    refusals = {statement: ask(database, statement) for statement in attempts(table)}

    assert [statement for statement, refusal in refusals.items() if "never changes" not in refusal] == []
    assert rows_of(database, table) == before != []
