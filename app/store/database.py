"""Connecting to the database: SQLite in one file, or PostgreSQL shared by many nodes.

On either, one transaction writes at a time and sees everything committed before it, so that every operation behaves
the same on both. SQLite allows only one writer. On PostgreSQL each writing transaction takes a lock when it starts.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import SetupError
from app.store.immutability import declare_rules
from app.store.postgresql import open_postgresql
from app.store.search import declare_full_text_index
from app.store.sqlite import DATABASE_FILE, open_sqlite
from app.store.tables import use_code_point_collation

POSTGRESQL_DRIVER = "postgresql+psycopg"

__all__ = ["DATABASE_FILE", "for_writing", "open_database", "purge_freed_pages"]

use_code_point_collation()
declare_rules()
declare_full_text_index()


def open_database(data_dir: Path, url: str | None = None) -> Engine:
    """Return an engine for the database at that address; without one, for the embedded database in the folder.

    The folder is made if it is absent; nothing is read or written yet. Raises `SetupError` if the address is not one
    of PostgreSQL.
    """
    if url is None:
        return open_sqlite(data_dir)
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    if address is None or address.drivername not in ("postgresql", POSTGRESQL_DRIVER):
        raise SetupError("GUIDANCE_DATABASE_URL must be an address such as postgresql+psycopg://user@host/name")
    return open_postgresql(address.set(drivername=POSTGRESQL_DRIVER))


def for_writing(engine: Engine) -> Engine:
    """Return an engine for the same database, whose transactions write, one at a time."""
    return engine.execution_options(writes=True)


def purge_freed_pages(engine: Engine) -> None:
    """Remove what was erased from the files of the database, as far as the database allows it.

    SQLite overwrites freed pages, and its log (WAL) is truncated. PostgreSQL marks the space for reuse; its own log
    is deleted by its retention, and every text in it is sealed.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET default_transaction_read_only TO off")
        try:
            connection.exec_driver_sql("VACUUM concerns, additions")
        finally:
            connection.exec_driver_sql("RESET default_transaction_read_only")
