"""Full-text search over the catalogue, with the same results on either database.

Each has an index that finds any form of a word (`missing` by `missed`), without stop words, and one that finds a prefix
(`missing` by `missi`, which has no stem).
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    Select,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    union_all,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from app.db.tables import create_with_table
from app.models.guides.edition_rows import CatalogueRow

WORD = re.compile(r"[^\W_]+")  # how the indexes split words
SHORTER_FIRST = 1  # PostgreSQL: if two texts hold a word equally often, the shorter ranks first
ROWID = column("rowid", Integer)


@dataclass(frozen=True)
class FullText:
    """The two full-text indexes of one database. `prefix_mark` follows a word that is a prefix."""

    any_form: str
    prefix: str
    quoted: str  # so that no word acts as an operator
    conjunction: str
    prefix_mark: str

    def all_of(self, words: Sequence[str]) -> str:
        return self.conjunction.join(self.quoted.format(word) for word in words)


SQLITE = FullText("catalogue_forms", "catalogue_beginnings", '"{}"', " ", "*")
POSTGRESQL = FullText("any_form", "simple", "'{}'", " & ", ":*")


def declare_full_text_index() -> None:
    """Declare the indexes. SQLite's also need triggers, which add and remove the words of each row."""
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
    """Return the names of the indexes that do not match the catalogue: none on PostgreSQL, which keeps its own.

    SQLite checks, without a change, only for connections that can write; for others an index counts as right. Raise
    `OperationalError` if the check cannot run, for example because another writer holds the lock too long.
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
    """Do nothing on PostgreSQL, which fills the indexes when it creates them."""
    for name in (SQLITE.any_form, SQLITE.prefix) if connection.dialect.name == "sqlite" else ():
        connection.exec_driver_sql(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")  # noqa: S608  # nosec B608  # own names


def words_in(text: str) -> list[str]:
    return WORD.findall(text)


def search_for(
    statement: SelectOfScalar[CatalogueRow], words: Sequence[str], session: Session
) -> SelectOfScalar[CatalogueRow]:
    """Restrict `statement` to the entries that contain all of `words`, which must not be empty, best match first.

    A word is found in any form, and the last word also as a prefix. Entries that contain the last word itself come
    before entries that only contain a word with that prefix.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    full_text, ranked = (SQLITE, _ranked_by_sqlite) if is_sqlite else (POSTGRESQL, _ranked_by_postgresql)
    *others, last = words
    prefix = full_text.all_of([last]) + full_text.prefix_mark
    return ranked(statement, full_text.all_of(words), prefix, full_text.all_of(others)).order_by(col(CatalogueRow.id))


def _ranked_by_sqlite(
    statement: SelectOfScalar[CatalogueRow], whole: str, prefix: str, others: str
) -> SelectOfScalar[CatalogueRow]:
    """Ask each index once: a rank in a subquery for each entry would ask the index again for each of them."""
    rank, none = func.bm25(literal_column(SQLITE.any_form)), literal_column("0.0", Float)  # the best rank is the lowest
    forms = _matches(SQLITE.any_form, whole, rank.label("form"), none.label("prefix"))
    prefixes = _matches(SQLITE.prefix, prefix, none, func.bm25(literal_column(SQLITE.prefix)))
    if others:  # by an expression: by its own name, SQLite would ask the index again for each of `others`
        prefixes = prefixes.where((ROWID + 0).in_(_matches(SQLITE.any_form, others)))
    either = union_all(forms, prefixes).subquery()
    ranks = (func.min(either.c.form).label("form"), func.min(either.c.prefix).label("prefix"))
    found = select(either.c.rowid, *ranks).group_by(either.c.rowid).subquery()
    return statement.join(found, found.c.rowid == col(CatalogueRow.id)).order_by(found.c.form, found.c.prefix)


def _matches(index: str, query: str, *ranks: ColumnElement[Any]) -> Select[Any]:
    matches = literal_column(index).op("MATCH", is_comparison=True)(query)
    return select(ROWID, *ranks).select_from(table(index)).where(matches)


def _ranked_by_postgresql(
    statement: SelectOfScalar[CatalogueRow], whole: str, prefix: str, others: str
) -> SelectOfScalar[CatalogueRow]:
    has_form, form = _asked(POSTGRESQL.any_form, whole)
    has_prefix, by_prefix = _asked(POSTGRESQL.prefix, prefix)
    if others:
        has_prefix &= _asked(POSTGRESQL.any_form, others)[0]
    return statement.where(has_form | has_prefix).order_by(form, by_prefix)


def _asked(index: str, query: str) -> tuple[ColumnElement[bool], ColumnElement[float]]:
    """The best match has the lowest rank."""
    vector = func.to_tsvector(literal_column(f"'{index}'"), col(CatalogueRow.words))
    words = func.to_tsquery(literal_column(f"'{index}'"), query)
    rank = cast(-func.ts_rank(vector, words, SHORTER_FIRST), Float)
    return vector.op("@@", is_comparison=True)(words), rank
