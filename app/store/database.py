"""Connecting to the database and making its schema."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlmodel import SQLModel, create_engine

from app.store.full_text import declare_full_text_index
from app.store.immutability import declare_rules

DATABASE_FILE = "guidance.db"

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit returns only once it is on the disk
    "foreign_keys=ON",
    "busy_timeout=5000",
    "recursive_triggers=ON",  # so that REPLACE cannot delete a row without its delete trigger
    "secure_delete=ON",  # freed pages are overwritten
    "temp_store=MEMORY",
    "trusted_schema=OFF",
)

declare_rules()
declare_full_text_index()


def open_database(data_dir: Path) -> Engine:
    """The embedded database in that folder, which is made if it is absent. Nothing is read or written yet."""
    data_dir.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{data_dir / DATABASE_FILE}", hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def make_schema(engine: Engine) -> None:
    """Make the tables and rules that are absent."""
    with for_writing(engine).begin() as connection:
        SQLModel.metadata.create_all(connection)


def forget_freed_pages(engine: Engine) -> None:
    """Bring the log (WAL) back to nothing, so that what was erased stands in no file of the database any more."""
    with engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def for_writing(engine: Engine) -> Engine:
    """The same database, with transactions that take the write lock when they begin."""
    return engine.execution_options(writes=True)


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, by their own statement
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
