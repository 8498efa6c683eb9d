"""Connecting to the database: SQLite in a file of this service's own, or PostgreSQL shared by many nodes.

On either, one transaction writes at a time and sees all that was committed before it, so that every act means the same
on both: SQLite has one writer by nature, PostgreSQL by a lock that each writing transaction takes when it begins.
"""

from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import SetUpFault
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

    Nothing is read or written yet. Raises `SetUpFault` where the address is none of PostgreSQL's.
    """
    if url is None:
        return open_sqlite(data_dir)
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    if address is None or address.drivername not in ("postgresql", POSTGRESQL):
        raise SetUpFault("GUIDANCE_DATABASE_URL must be an address such as postgresql+psycopg://user@host/name")
    return open_postgresql(address.set(drivername=POSTGRESQL))


def for_writing(engine: Engine) -> Engine:
    """The same database, with transactions that write, one at a time."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(writes=True)
    return engine.execution_options(writes=True, isolation_level="READ COMMITTED", postgresql_readonly=False)


def forget_freed_pages(engine: Engine) -> None:
    """Have what was erased stand in no file of the database any more, as far as the database lets one ask for it.

    SQLite overwrites freed pages, and its log (WAL) is brought back to nothing. PostgreSQL is asked to reuse the space;
    its own log passes with its retention, and what stands there is sealed.
    """
    statement = "PRAGMA wal_checkpoint(TRUNCATE)" if engine.dialect.name == "sqlite" else "VACUUM concerns, additions"
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  # nosec B101  # a checked-out connection has one
        if engine.dialect.name == "postgresql":
            driver.rollback()
            driver.autocommit = True
        driver.execute(statement)
        if engine.dialect.name == "postgresql":
            connection.invalidate()  # its settings were changed
