"""The schema as the models declare it, in the words of either database: what the revisions must add up to."""

from typing import Any

from sqlalchemy import create_mock_engine
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

import app.store.database  # noqa: F401  # declares every rule and index

ADDRESSES = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}


def declared_statements(dialect: str) -> list[str]:
    """Every statement that makes the declared schema anew."""
    told: list[str] = []

    def tell(statement: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        text = str(statement.compile(dialect=engine.dialect))
        told.append("\n".join(line.rstrip().replace("\t", "    ") for line in text.strip().splitlines()))

    engine = create_mock_engine(ADDRESSES[dialect], tell)
    SQLModel.metadata.create_all(engine, checkfirst=False)
    return told
