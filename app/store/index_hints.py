"""How each database knows which index to read.

SQLite knows nothing of how often a value occurs: by itself it takes the index of any filter, and sorts what it finds,
be it one row or a million. It is given the name of the index. PostgreSQL has statistics of each column, and here of
columns together: that something closed waits is rare, though both are frequent.
"""

from sqlalchemy import Engine, FromClause
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from app.models.concerns.tables import ConcernRow
from app.store.tables import create_with_table

COUNTED_TOGETHER = ("state", "immediate_danger", "waiting", "danger", "test")  # as PostgreSQL prints them


def declare_statistics() -> None:
    """Declare what PostgreSQL counts together, to be created with the table of concerns."""
    counted = f"CREATE STATISTICS st_concerns_urgency (mcv) ON {', '.join(COUNTED_TOGETHER)} FROM concerns"
    create_with_table(ConcernRow, counted, dialect="postgresql")


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
