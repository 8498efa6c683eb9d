"""Connecting to the database: SQLite in a file of this service's own, or PostgreSQL shared by many nodes.

On either, one transaction writes at a time and sees all that was committed before it, so that every act means the same
on both: SQLite has one writer by nature, PostgreSQL by a lock that each writing transaction takes when it begins.
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
from app.store.tables import sort_by_code_point

POSTGRESQL = "postgresql+psycopg"

__all__ = ["DATABASE_FILE", "for_writing", "forget_freed_pages", "open_database"]

sort_by_code_point()
declare_rules()
declare_full_text_index()


def open_database(data_dir: Path, url: str | None = None) -> Engine:
    """The database at that address; without one, the embedded one in the folder, which is made if it is absent.

    Nothing is read or written yet. Raises `SetupError` where the address is none of PostgreSQL's.
    """
    if url is None:
        return open_sqlite(data_dir)
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    if address is None or address.drivername not in ("postgresql", POSTGRESQL):
        raise SetupError("GUIDANCE_DATABASE_URL must be an address such as postgresql+psycopg://user@host/name")
    return open_postgresql(address.set(drivername=POSTGRESQL))


def for_writing(engine: Engine) -> Engine:
    """The same database, with transactions that write, one at a time."""
    return engine.execution_options(writes=True)


def forget_freed_pages(engine: Engine) -> None:
    """Have what was erased stand in no file of the database any more, as far as the database lets one ask for it.

    SQLite overwrites freed pages, and its log (WAL) is brought back to nothing. PostgreSQL is asked to reuse the space;
    its own log passes with its retention, and what stands there is sealed.
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
