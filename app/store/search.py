"""Full-text search over the catalogue: the same words find the same entries on either database."""

import re
from collections.abc import Sequence

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store import postgresql_search, sqlite_search

WORD = re.compile(r"[^\W_]+")  # as the indexes split words
INDEXES = {"sqlite": sqlite_search, "postgresql": postgresql_search}


def declare_full_text_index() -> None:
    """Declare the indexes of both databases, to be created with the catalogue's table."""
    for indexes in INDEXES.values():
        indexes.declare_indexes()


def words_in(text: str) -> list[str]:
    """Return the words of the text, without punctuation."""
    return WORD.findall(text)


def search_for(
    statement: SelectOfScalar[CatalogueRow], words: Sequence[str], session: Session
) -> SelectOfScalar[CatalogueRow]:
    """Return the statement for the entries that hold each of the words, in any form of it, the best match first.

    The last word may be a prefix.
    """
    indexes = INDEXES[session.get_bind().dialect.name]
    return statement.where(indexes.matches(words)).order_by(*indexes.best_first(words), col(CatalogueRow.id))
