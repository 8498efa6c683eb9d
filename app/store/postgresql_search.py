"""Full text over the catalogue by PostgreSQL's own indexes (GIN over `tsvector`)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Float, cast, func, literal_column
from sqlmodel import col

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store.tables import create_with_table

_ANY_FORM = "any_form"
"""Finds a word in any form of it: `missing` by `missed`. Unlike `english`, it has no stop words."""
_PREFIX = "simple"
"""Finds a word by its prefix: `missing` by `missi`, which has no stem."""

SHORTER_FIRST = 1  # if two texts hold a word equally often, the shorter ranks first


def declare_indexes() -> None:
    """Declare the indexes, to be created with the catalogue's table."""
    for statement in (
        f"CREATE TEXT SEARCH DICTIONARY {_ANY_FORM} (TEMPLATE = snowball, Language = english)",
        f"CREATE TEXT SEARCH CONFIGURATION {_ANY_FORM} (COPY = simple)",
        f"ALTER TEXT SEARCH CONFIGURATION {_ANY_FORM} ALTER MAPPING FOR asciiword, word WITH {_ANY_FORM}",
        *(
            f"CREATE INDEX ix_catalogue_{form} ON catalogue USING gin (to_tsvector('{form}', words))"
            for form in (_ANY_FORM, _PREFIX)
        ),
    ):
        create_with_table(CatalogueRow, statement, dialect="postgresql")


def matches(words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that an entry holds each of the words, in any form of it; the last may be a prefix."""
    *others, last = words
    by_prefix = _finds(_PREFIX, _prefix(last))
    if others:
        by_prefix &= _finds(_ANY_FORM, _all_of(others))
    return _finds(_ANY_FORM, _all_of(words)) | by_prefix


def best_first(words: Sequence[str]) -> tuple[ColumnElement[float], ...]:
    """Return the order by relevance: entries that hold every whole word come first."""
    return _rank(_ANY_FORM, _all_of(words)), _rank(_PREFIX, _prefix(words[-1]))


def _all_of(words: Sequence[str]) -> str:
    """Return a query for all of the words; quoted, so that none is an operator."""
    return " & ".join(f"'{word}'" for word in words)


def _prefix(word: str) -> str:
    return f"'{word}':*"


def _finds(form: str, query: str) -> ColumnElement[bool]:
    return _vector(form).op("@@", is_comparison=True)(_query(form, query))


def _rank(form: str, query: str) -> ColumnElement[float]:
    """Return the rank that PostgreSQL computes, negated so that the best is the smallest; no match comes last."""
    return cast(-func.ts_rank(_vector(form), _query(form, query), SHORTER_FIRST), Float)


def _vector(form: str) -> ColumnElement[object]:
    return func.to_tsvector(literal_column(f"'{form}'"), col(CatalogueRow.words))


def _query(form: str, query: str) -> ColumnElement[object]:
    return func.to_tsquery(literal_column(f"'{form}'"), query)
