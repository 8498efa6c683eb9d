"""Full text over the catalogue by SQLite's own indexes (FTS5)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, TableClause, column, func, literal_column, select, table
from sqlmodel import col

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store.tables import create_with_table

_ANY_FORM = table("catalogue_forms", column("rowid"))
"""Finds a word in any form of it: `missing` by `missed`."""
_PREFIX = table("catalogue_beginnings", column("rowid"))
"""Finds a word by its prefix: `missing` by `missi`, which has no stem."""
TOKENIZERS = {_ANY_FORM.name: "porter unicode61", _PREFIX.name: "unicode61"}


def declare_indexes() -> None:
    """Declare the indexes, to be created with the catalogue's table and updated by triggers."""
    for name, tokenizer in TOKENIZERS.items():
        options = f"words, content='catalogue', content_rowid='id', tokenize='{tokenizer}'"
        gain = f"INSERT INTO {name} (rowid, words) VALUES (NEW.id, NEW.words)"  # noqa: S608  # nosec B608  # own names
        lose = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', OLD.id, OLD.words)"  # noqa: S608  # nosec B608
        for statement in (
            f"CREATE VIRTUAL TABLE {name} USING fts5({options})",
            f"CREATE TRIGGER {name}_gain AFTER INSERT ON catalogue BEGIN {gain}; END",
            f"CREATE TRIGGER {name}_lose AFTER DELETE ON catalogue BEGIN {lose}; END",
        ):
            create_with_table(CatalogueRow, statement, dialect="sqlite")


def matches(words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that an entry holds each of the words, in any form of it; the last may be a prefix."""
    *others, last = words
    by_prefix = _finds(_PREFIX, _prefix(last))
    if others:
        by_prefix &= _finds(_ANY_FORM, _phrases(others))
    return _finds(_ANY_FORM, _phrases(words)) | by_prefix


def best_first(words: Sequence[str]) -> tuple[ColumnElement[float], ...]:
    """Return the order by relevance: entries that hold every whole word come first."""
    return _rank(_ANY_FORM, _phrases(words)), _rank(_PREFIX, _prefix(words[-1]))


def _phrases(words: Sequence[str]) -> str:
    """Return a query for all of the words; quoted, so that none is an operator."""
    return " ".join(f'"{word}"' for word in words)


def _prefix(word: str) -> str:
    return f'"{word}"*'


def _finds(index: TableClause, query: str) -> ColumnElement[bool]:
    return col(CatalogueRow.id).in_(select(index.c.rowid).where(_matches(index, query)))


def _rank(index: TableClause, query: str) -> ColumnElement[float]:
    """Return the rank that the index computes, the best smallest; no match comes last."""
    rank = select(func.bm25(literal_column(index.name))).where(index.c.rowid == CatalogueRow.id, _matches(index, query))
    return func.coalesce(rank.scalar_subquery(), 0.0)


def _matches(index: TableClause, query: str) -> ColumnElement[bool]:
    return literal_column(index.name).op("MATCH", is_comparison=True)(query)
