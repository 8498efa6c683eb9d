"""Column types that SQLite and PostgreSQL both store exactly, and indexes of a part of a table on either."""

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, Dialect, Index, text
from sqlalchemy.types import TypeDecorator


class UtcDateTimeType(TypeDecorator[dt.datetime]):
    """A moment in UTC. A naive datetime is refused on writing; an aware one is returned on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Convert to UTC. SQLite stores no time zone, so it is removed there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment: dt.datetime = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def partial_index(name: str, *columns: str, sqlite: str, postgresql: str) -> Index:
    """Return an index of the rows for which the condition holds, as each database says it.

    SQLAlchemy gets that of PostgreSQL where PostgreSQL is opened, since it reads the whole dialect to take it.
    """
    return Index(name, *columns, sqlite_where=text(sqlite), info={"postgresql_where": text(postgresql)})
