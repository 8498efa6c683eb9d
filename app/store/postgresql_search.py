"""Full text over the catalogue by PostgreSQL's own indexes (GIN over `tsvector`)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Float, cast, func, literal_column
from sqlmodel import col

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store.tables import make_with

ANY_FORM = "any_form"
"""Finds a word in any form of it: `missing` by `missed`. Unlike `english`, it knows no words too common to count."""
BEGINNING = "simple"
"""Finds a word by how it begins: `missing` by `missi`, of which no stem can be taken."""

SHORTER_FIRST = 1  # of two texts that hold a word as often, the shorter tells more of it


def declare_indexes() -> None:
    """Have them made with the catalogue's table."""
    for statement in (
        f"CREATE TEXT SEARCH DICTIONARY {ANY_FORM} (TEMPLATE = snowball, Language = english)",
        f"CREATE TEXT SEARCH CONFIGURATION {ANY_FORM} (COPY = simple)",
        f"ALTER TEXT SEARCH CONFIGURATION {ANY_FORM} ALTER MAPPING FOR asciiword, word WITH {ANY_FORM}",
        *(
            f"CREATE INDEX ix_catalogue_{form} ON catalogue USING gin (to_tsvector('{form}', words))"
            for form in (ANY_FORM, BEGINNING)
        ),
    ):
        make_with(CatalogueRow, statement, dialect="postgresql")


def holds(asked: Sequence[str]) -> ColumnElement[bool]:
    """Whether an entry holds each of the words, in any form of it; the last may be a beginning."""
    *others, last = asked
    begins = _finds(BEGINNING, _beginning(last))
    if others:
        begins &= _finds(ANY_FORM, _all_of(others))
    return _finds(ANY_FORM, _all_of(asked)) | begins


def best_first(asked: Sequence[str]) -> tuple[ColumnElement[float], ...]:
    """The order of entries by how well they answer: those that hold every whole word come first."""
    return _rank(ANY_FORM, _all_of(asked)), _rank(BEGINNING, _beginning(asked[-1]))


def _all_of(words: Sequence[str]) -> str:
    """A query that wants each of the words; quoted, so that none is an operator."""
    return " & ".join(f"'{word}'" for word in words)


def _beginning(word: str) -> str:
    return f"'{word}':*"


def _finds(form: str, query: str) -> ColumnElement[bool]:
    return _vector(form).op("@@", is_comparison=True)(_query(form, query))


def _rank(form: str, query: str) -> ColumnElement[float]:
    """The rank that PostgreSQL gives, the best least; what the query does not find comes last."""
    return cast(-func.ts_rank(_vector(form), _query(form, query), SHORTER_FIRST), Float)


def _vector(form: str) -> ColumnElement[object]:
    return func.to_tsvector(literal_column(f"'{form}'"), col(CatalogueRow.words))


def _query(form: str, query: str) -> ColumnElement[object]:
    return func.to_tsquery(literal_column(f"'{form}'"), query)
