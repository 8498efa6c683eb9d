"""The schema that the models declare, in the SQL of either database. The migrations must produce the same."""

from typing import Any

from sqlalchemy import create_mock_engine
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

import app.store.database  # noqa: F401  # declares every trigger and index

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
