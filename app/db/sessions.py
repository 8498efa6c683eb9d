"""Opening the database only to read: nothing is created, changed or closed to others."""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.db.backup import open_sqlite_to_read
from app.db.database import DATABASE_FILE, open_postgresql


def open_to_read(data_dir: Path, url: str | None = None) -> Engine:
    """Return an engine that cannot write, for that PostgreSQL database or for the embedded one in the folder.

    It connects at its first use. Raises `SetupError` if the address is not one of PostgreSQL.
    """
    if url is not None:
        return open_postgresql(url)
    path = data_dir / DATABASE_FILE

    def connect() -> sqlite3.Connection:
        return open_sqlite_to_read(path)

    return create_engine(f"sqlite:///{path}", creator=connect, hide_parameters=True, poolclass=NullPool)
