"""Full-text search over the catalogue, with the same results on either database.

Each database has two indexes. The first index finds any form of a word (`missing` by `missed`), and has no list of stop
words. The second index finds a prefix (`missing` by `missi`, which has no stem).
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Float, cast, column, func, literal_column, select, table
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from app.db.tables import create_with_table
from app.models.guides.edition_rows import CatalogueRow

WORD = re.compile(r"[^\W_]+")  # how the indexes split words
SHORTER_FIRST = 1  # PostgreSQL: if two texts hold a word equally often, the shorter ranks first


@dataclass(frozen=True)
class FullText:
    """The full-text indexes of one database, with the syntax of their queries.

    `any_form` is the name of the index that finds any form of a word. `prefix` is the name of the index that finds
    prefixes. `finds` and `rank` take the name of an index and a query, and return SQL. `finds` returns the condition
    that an entry matches the query, and `rank` the rank of the entry. The best match has the lowest rank. In a query,
    `quoted` is the format of a word, `conjunction` joins the words, and `prefix_mark` follows a word that is a prefix.
    """

    any_form: str
    prefix: str
    quoted: str  # so that no word acts as an operator
    conjunction: str
    prefix_mark: str
    finds: Callable[[str, str], ColumnElement[bool]]
    rank: Callable[[str, str], ColumnElement[float]]

    def all_of(self, words: Sequence[str]) -> str:
        """Return a query that finds texts with all of `words`."""
        return self.conjunction.join(self.quoted.format(word) for word in words)


def declare_full_text_index() -> None:
    """Declare the full-text indexes of both databases, to be created with the catalogue's table.

    SQLite's indexes also need triggers, which add and remove the words of each row.
    """
    for name, tokenizer in ((SQLITE.any_form, "porter unicode61"), (SQLITE.prefix, "unicode61")):
        options = f"words, content='catalogue', content_rowid='id', tokenize='{tokenizer}'"
        gain = f"INSERT INTO {name} (rowid, words) VALUES (NEW.id, NEW.words)"  # noqa: S608  # nosec B608  # own names
        lose = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', OLD.id, OLD.words)"  # noqa: S608  # nosec B608
        for statement in (
            f"CREATE VIRTUAL TABLE {name} USING fts5({options})",
            f"CREATE TRIGGER {name}_gain AFTER INSERT ON catalogue BEGIN {gain}; END",
            f"CREATE TRIGGER {name}_lose AFTER DELETE ON catalogue BEGIN {lose}; END",
        ):
            create_with_table(CatalogueRow, statement, dialect="sqlite")
    own = POSTGRESQL.any_form
    for statement in (
        f"CREATE TEXT SEARCH DICTIONARY {own} (TEMPLATE = snowball, Language = english)",
        f"CREATE TEXT SEARCH CONFIGURATION {own} (COPY = simple)",
        f"ALTER TEXT SEARCH CONFIGURATION {own} ALTER MAPPING FOR asciiword, word WITH {own}",
        *(
            f"CREATE INDEX ix_catalogue_{name} ON catalogue USING gin (to_tsvector('{name}', words))"
            for name in (own, POSTGRESQL.prefix)
        ),
    ):
        create_with_table(CatalogueRow, statement, dialect="postgresql")


def find_full_text_faults(engine: Engine) -> list[str]:
    """Return the names of the full-text indexes that do not match the catalogue.

    PostgreSQL keeps its indexes up to date itself, so the list is empty. The check changes nothing, but SQLite allows
    the check only to connections that can write. A connection that can only read skips the check, so that an index
    counts as right. Raise `OperationalError` if the check cannot run, for example because another writer holds the lock
    too long. The result is then unknown.
    """
    faults: list[str] = []
    for name in (SQLITE.any_form, SQLITE.prefix) if engine.dialect.name == "sqlite" else ():
        with engine.execution_options(writes=True).connect() as connection:
            try:
                connection.exec_driver_sql(f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)")  # noqa: S608  # nosec B608  # own names
            except OperationalError as refusal:
                code = refusal.orig.sqlite_errorcode if isinstance(refusal.orig, sqlite3.Error) else 0
                if code & 0xFF != sqlite3.SQLITE_READONLY:  # a read-only connection cannot run the check
                    raise
            except DatabaseError:
                faults.append(name)
            connection.rollback()
    return faults


def rebuild_full_text(connection: Connection) -> None:
    """Fill the full-text indexes from the catalogue, whose rows were written before the indexes existed.

    On PostgreSQL, do nothing: PostgreSQL fills the indexes when it creates them.
    """
    for name in (SQLITE.any_form, SQLITE.prefix) if connection.dialect.name == "sqlite" else ():
        connection.exec_driver_sql(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")  # noqa: S608  # nosec B608  # own names


def words_in(text: str) -> list[str]:
    """Return the words of `text` in order, without punctuation, split as the full-text indexes split them."""
    return WORD.findall(text)


def search_for(
    statement: SelectOfScalar[CatalogueRow], words: Sequence[str], session: Session
) -> SelectOfScalar[CatalogueRow]:
    """Return `statement` restricted to the catalogue entries that contain all of `words`, best match first.

    `words` must not be empty. `session` only tells for which kind of database to write the SQL.

    A word is found in any form, and the last word also as a prefix. Entries that contain the last word itself come
    before entries that only contain a word with that prefix.
    """
    full_text = SQLITE if session.get_bind().dialect.name == "sqlite" else POSTGRESQL
    *others, last = words
    whole, prefix = full_text.all_of(words), full_text.all_of([last]) + full_text.prefix_mark
    by_prefix = full_text.finds(full_text.prefix, prefix)
    if others:
        by_prefix &= full_text.finds(full_text.any_form, full_text.all_of(others))
    found = full_text.finds(full_text.any_form, whole) | by_prefix
    ranks = (full_text.rank(full_text.any_form, whole), full_text.rank(full_text.prefix, prefix))
    return statement.where(found).order_by(*ranks, col(CatalogueRow.id))


def _finds_in_sqlite(index: str, query: str) -> ColumnElement[bool]:
    indexed = table(index, column("rowid"))
    return col(CatalogueRow.id).in_(select(indexed.c.rowid).where(_matches_in_sqlite(index, query)))


def _rank_in_sqlite(index: str, query: str) -> ColumnElement[float]:
    indexed = table(index, column("rowid"))
    matches = (indexed.c.rowid == CatalogueRow.id, _matches_in_sqlite(index, query))
    return func.coalesce(select(func.bm25(literal_column(index))).where(*matches).scalar_subquery(), 0.0)  # 0: no match


def _matches_in_sqlite(index: str, query: str) -> ColumnElement[bool]:
    return literal_column(index).op("MATCH", is_comparison=True)(query)


def _finds_in_postgresql(index: str, query: str) -> ColumnElement[bool]:
    return _vector(index).op("@@", is_comparison=True)(_query(index, query))


def _rank_in_postgresql(index: str, query: str) -> ColumnElement[float]:
    return cast(-func.ts_rank(_vector(index), _query(index, query), SHORTER_FIRST), Float)


def _vector(index: str) -> ColumnElement[object]:
    return func.to_tsvector(literal_column(f"'{index}'"), col(CatalogueRow.words))


def _query(index: str, query: str) -> ColumnElement[object]:
    return func.to_tsquery(literal_column(f"'{index}'"), query)


SQLITE = FullText(
    "catalogue_forms", "catalogue_beginnings", '"{}"', " ", "*", finds=_finds_in_sqlite, rank=_rank_in_sqlite
)
POSTGRESQL = FullText("any_form", "simple", "'{}'", " & ", ":*", finds=_finds_in_postgresql, rank=_rank_in_postgresql)
