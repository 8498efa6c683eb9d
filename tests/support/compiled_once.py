"""Statements that SQLAlchemy compiles once for all services of a test run: a quarter of the processor time of a test.

By itself each engine compiles each statement again, since a compiled statement belongs to the dialect of its engine.
"""

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

COMPILED: dict[Any, Any] = {}


class _Equal:
    """A dialect that equals every other of its class."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


class SQLite(_Equal, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class PostgreSQL(_Equal, PGDialect_psycopg):
    supports_statement_cache = True


registry.register("sqlite", __name__, "SQLite")
registry.register("postgresql.psycopg", __name__, "PostgreSQL")


def create_engine_with_shared_statements(url: Any, **options: Any) -> Engine:
    """Return the engine of `create_engine`, which reuses the statements compiled for the engines before."""
    return create_engine(url, execution_options={"compiled_cache": COMPILED}, **options)
