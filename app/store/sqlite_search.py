"""Full text over the catalogue by SQLite's own indexes (FTS5)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, TableClause, column, func, literal_column, select, table
from sqlmodel import col

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store.tables import make_with

ANY_FORM = table("catalogue_forms", column("rowid"))
"""Finds a word in any form of it: `missing` by `missed`."""
BEGINNING = table("catalogue_beginnings", column("rowid"))
"""Finds a word by how it begins: `missing` by `missi`, of which no stem can be taken."""
TOKENIZERS = {ANY_FORM.name: "porter unicode61", BEGINNING.name: "unicode61"}


def declare_indexes() -> None:
    """Have them made with the catalogue's table, and kept in step with it by triggers."""
    for name, tokenizer in TOKENIZERS.items():
        options = f"words, content='catalogue', content_rowid='id', tokenize='{tokenizer}'"
        gain = f"INSERT INTO {name} (rowid, words) VALUES (NEW.id, NEW.words)"  # noqa: S608  # nosec B608  # own names
        lose = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', OLD.id, OLD.words)"  # noqa: S608  # nosec B608
        for statement in (
            f"CREATE VIRTUAL TABLE {name} USING fts5({options})",
            f"CREATE TRIGGER {name}_gain AFTER INSERT ON catalogue BEGIN {gain}; END",
            f"CREATE TRIGGER {name}_lose AFTER DELETE ON catalogue BEGIN {lose}; END",
        ):
            make_with(CatalogueRow, statement, dialect="sqlite")


def holds(asked: Sequence[str]) -> ColumnElement[bool]:
    """Whether an entry holds each of the words, in any form of it; the last may be a beginning."""
    *others, last = asked
    begins = _finds(BEGINNING, _beginning(last))
    if others:
        begins &= _finds(ANY_FORM, _phrases(others))
    return _finds(ANY_FORM, _phrases(asked)) | begins


def best_first(asked: Sequence[str]) -> tuple[ColumnElement[float], ...]:
    """The order of entries by how well they answer: those that hold every whole word come first."""
    return _rank(ANY_FORM, _phrases(asked)), _rank(BEGINNING, _beginning(asked[-1]))


def _phrases(words: Sequence[str]) -> str:
    """A query that wants each of the words; quoted, so that none is an operator."""
    return " ".join(f'"{word}"' for word in words)


def _beginning(word: str) -> str:
    return f'"{word}"*'


def _finds(index: TableClause, query: str) -> ColumnElement[bool]:
    return col(CatalogueRow.id).in_(select(index.c.rowid).where(_matches(index, query)))


def _rank(index: TableClause, query: str) -> ColumnElement[float]:
    """The index's own rank, the best least; what it does not find comes last."""
    rank = select(func.bm25(literal_column(index.name))).where(index.c.rowid == CatalogueRow.id, _matches(index, query))
    return func.coalesce(rank.scalar_subquery(), 0.0)


def _matches(index: TableClause, query: str) -> ColumnElement[bool]:
    return literal_column(index.name).op("MATCH", is_comparison=True)(query)
