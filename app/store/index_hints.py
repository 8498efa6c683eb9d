"""Naming the index that SQLite reads.

SQLite knows nothing of how often a value occurs: by itself it takes the index of any filter, and sorts what it finds,
be it one row or a million. PostgreSQL keeps statistics, and needs no hint.
"""

from sqlalchemy import Engine, FromClause
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler


class HintingCompiler(SQLiteCompiler):
    """SQLAlchemy's compiler for SQLite, which also writes the hint of `Select.with_hint` after the table."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002  # SQLAlchemy's own
        """Return the hint."""
        return text


def use_hints(engine: Engine) -> None:
    """Let the engine of an embedded database write hints."""
    engine.dialect.statement_compiler = HintingCompiler


def indexed_by(name: str) -> str:
    """Return the hint to read that index."""
    return f"INDEXED BY {name}"
