"""The whole content of a published edition, read by one statement that returns one JSON object."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.errors import NoSuchEdition
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import EditionRow
from app.models.guidance.sections import ITEM_LISTS
from app.store.editions import EditionKey
from app.store.tables import table_of

MAX_CACHED_EDITIONS = 64
EDITION_FIELDS = [name for name in EditionContent.model_fields if name not in ITEM_LISTS]


@dataclass(frozen=True)
class JsonFunctions:
    """The SQL functions of a database that build JSON."""

    object: Callable[..., sa.ColumnElement[Any]]
    array: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]
    embedded: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]
    """Marks a column of stored JSON as JSON. In SQLite it would be a string."""


SQLITE_JSON = JsonFunctions(sa.func.json_object, sa.func.json_group_array, sa.func.json)
POSTGRESQL_JSON = JsonFunctions(
    sa.func.json_build_object,
    lambda row: sa.func.coalesce(sa.func.json_agg(row), sa.literal_column("'[]'::json")),
    lambda column: column,
)


def read_content(session: Session, key: EditionKey) -> EditionContent:
    """Return the content of the edition. Raise `NoSuchEdition`."""
    connection = session.connection()
    found = connection.scalar(_as_json(connection.dialect.name), {"guide": key.guide, "edition": key.number})
    if found is None:
        raise NoSuchEdition
    return EditionContent.model_validate_json(found)


class Contents:
    """The content of published editions, with a cache of the latest. An edition never changes, so no entry gets old."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._cached: OrderedDict[EditionKey, EditionContent] = OrderedDict()

    def __call__(self, key: EditionKey, session: Session | None = None) -> EditionContent:
        """Return the content of the edition, from the cache if possible. Raise `NoSuchEdition`.

        A caller that has a session passes it, so that a read of the database needs no second connection.
        """
        found = self.cached(key)
        if found is not None:
            return found
        if session is None:
            with Session(self._engine) as own:
                found = read_content(own, key)
        else:
            found = read_content(session, key)
        with self._lock:
            self._cached[key] = found
            while len(self._cached) > MAX_CACHED_EDITIONS:
                self._cached.popitem(last=False)
        return found

    def cached(self, key: EditionKey) -> EditionContent | None:
        """Return the content if it is in the cache."""
        with self._lock:
            found = self._cached.get(key)
            if found is not None:
                self._cached.move_to_end(key)
        return found


@cache
def _as_json(dialect: str) -> sa.Select[Any]:
    """Return the query for an edition as one JSON object. Each section is an array of its rows in their order."""
    functions = SQLITE_JSON if dialect == "sqlite" else POSTGRESQL_JSON
    editions = table_of(EditionRow)
    sections = {
        name: _section(table_of(entry.row), entry.item.model_fields, functions) for name, entry in ITEM_LISTS.items()
    }
    edition = _object({name: editions.c[name] for name in EDITION_FIELDS} | sections, functions)
    of_key = (editions.c.guide == sa.bindparam("guide"), editions.c.number == sa.bindparam("edition"))
    return sa.select(sa.cast(edition, sa.Text)).where(*of_key)


def _section(table: sa.Table, fields: Iterable[str], functions: JsonFunctions) -> sa.ColumnElement[Any]:
    row = _object({field: table.c[field] for field in fields}, functions).label("row")
    of_edition = (table.c.guide == sa.bindparam("guide"), table.c.edition == sa.bindparam("edition"))
    ordered = sa.select(row).where(*of_edition).order_by(table.c.position).subquery()
    return sa.select(functions.array(functions.embedded(ordered.c.row))).scalar_subquery()


def _object(members: dict[str, sa.ColumnElement[Any]], functions: JsonFunctions) -> sa.ColumnElement[Any]:
    is_json = {name: isinstance(column.type, sa.JSON) for name, column in members.items()}
    values = {name: functions.embedded(column) if is_json[name] else column for name, column in members.items()}
    return functions.object(*(arg for name, value in values.items() for arg in (sa.literal_column(f"'{name}'"), value)))
