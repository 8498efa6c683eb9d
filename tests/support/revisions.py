"""Empty databases, what is in them, and a made-up revision after those of this program."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.db import schema
from app.db.database import open_database
from tests.support.databases import postgresql

NEWEST = schema.newest_revision()
FOLLOWING = f"{int(NEWEST) + 1:04}"
NEXT = f'''"""A made-up revision."""

from app.db.migrations.statements import run_statements

revision = "{FOLLOWING}"
down_revision = "{NEWEST}"


def upgrade() -> None:
    """Do what the file beside this one says."""
    run_statements(__file__)
'''
WORKS = "CREATE TABLE invented (name VARCHAR)\n\nUPDATE clients SET name = name\n"
FAILS = "CREATE TABLE invented (name VARCHAR)\n\nALTER TABLE there_is_none ADD COLUMN invented VARCHAR\n"


def add_revision(monkeypatch: pytest.MonkeyPatch, folder: Path, statements: str) -> None:
    """Let the program have one revision more, in a copy of its history in that folder."""
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{FOLLOWING}_invented.py").write_text(NEXT)
    for dialect in ("sqlite", "postgresql"):
        (folder / "versions" / f"{FOLLOWING}_invented.{dialect}.sql").write_text(statements)
    monkeypatch.setattr(schema, "MIGRATIONS", folder)


def an_empty(kind: str, name: str, folder: Path) -> Engine:
    """Return an empty database of that kind."""
    address = None
    if kind == "postgresql":
        server = postgresql()
        with server.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        address = server.address(name)
    return open_database(folder, address)


def rows(engine: Engine, question: str) -> list[tuple[object, ...]]:
    """Return the rows that answer the question, in order."""
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.exec_driver_sql(question))
