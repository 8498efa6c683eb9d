"""The embedded database: SQLite, in one file."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

DATABASE_FILE = "guidance.db"

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit returns only after it is on the disk
    "foreign_keys=ON",
    "busy_timeout=5000",
    "recursive_triggers=ON",  # so that REPLACE cannot delete a row without its delete trigger
    "secure_delete=ON",  # freed pages are overwritten
    "temp_store=MEMORY",
    "trusted_schema=OFF",
)


def open_sqlite(data_dir: Path) -> Engine:
    """Return an engine for the database in that folder, which is made if it is absent."""
    data_dir.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{data_dir / DATABASE_FILE}", hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` below starts each transaction
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
