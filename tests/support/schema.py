"""The schema that the models declare, in the SQL of either database, and empty databases to migrate to it."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_mock_engine
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

from app.store.database import open_database  # declares every trigger and index too
from tests.support.databases import postgresql

ADDRESSES = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}


def declared_statements(dialect: str) -> list[str]:
    """Return every statement that creates the declared schema."""
    statements: list[str] = []

    def collect(statement: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        text = str(statement.compile(dialect=engine.dialect))
        statements.append("\n".join(line.rstrip().replace("\t", "    ") for line in text.strip().splitlines()))

    engine = create_mock_engine(ADDRESSES[dialect], collect)
    SQLModel.metadata.create_all(engine, checkfirst=False)
    return statements


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
