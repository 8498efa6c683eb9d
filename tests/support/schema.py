"""Empty databases to migrate, and what is in them."""

from pathlib import Path

from sqlalchemy import Engine

from app.store.database import open_database
from tests.support.databases import postgresql


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


def plain(found: list[tuple[object, ...]]) -> list[list[str]]:
    """Return the rows, whatever their white space is."""
    return [[" ".join(str(told).split()) for told in row] for row in found]
