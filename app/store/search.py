"""Full text over the catalogue, on whichever database it stands: the same questions, the same finds."""

import re
from collections.abc import Sequence

from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from app.models.guidance.catalogue_tables import CatalogueRow
from app.store import postgresql_search, sqlite_search

WORD = re.compile(r"[^\W_]+")  # as the indexes take words apart
INDEXES = {"sqlite": sqlite_search, "postgresql": postgresql_search}


def declare_full_text_index() -> None:
    """Have the indexes made with the catalogue's table, on either database."""
    for indexes in INDEXES.values():
        indexes.declare_indexes()


def words_in(text: str) -> list[str]:
    """The words of the text, without anything that is none."""
    return WORD.findall(text)


def search_for(
    found: SelectOfScalar[CatalogueRow], asked: Sequence[str], session: Session
) -> SelectOfScalar[CatalogueRow]:
    """What of those entries holds each of the words, in any form of it, the best first; the last may be a beginning."""
    indexes = INDEXES[session.get_bind().dialect.name]
    return found.where(indexes.holds(asked)).order_by(*indexes.best_first(asked), col(CatalogueRow.id))
