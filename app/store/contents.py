"""The whole content of a published edition, built again from its rows by one statement.

The database makes a JSON object of each row, and the model reads them all at once.
"""

from collections import OrderedDict, defaultdict
from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Engine,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    union_all,
)
from sqlmodel import Session

from app.errors import NoSuchEdition
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import EditionRow
from app.store.editions import PARTS, EditionKey
from app.store.tables import table_of

REMEMBERED = 64
OWN = "own"
OWN_FIELDS = [name for name in EditionContent.model_fields if name not in PARTS]


def read_content(session: Session, key: EditionKey) -> EditionContent:
    """The content of that edition; raises `NoSuchEdition`."""
    connection = session.connection()
    asked = {"guide": key.guide, "edition": key.number}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for part, row in connection.execute(_rows(connection.dialect.name), asked):
        found[part].append(row)
    if OWN not in found:
        raise NoSuchEdition
    parts = "".join(f',"{part}":[{",".join(found[part])}]' for part in PARTS)
    return EditionContent.model_validate_json(found[OWN][0].rstrip()[:-1] + parts + "}")


class Contents:
    """Reads the content of published editions, and remembers the latest few: what never changes is read once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._remembered: OrderedDict[EditionKey, EditionContent] = OrderedDict()

    def __call__(self, key: EditionKey) -> EditionContent:
        """The content of that edition; raises `NoSuchEdition`."""
        found = self.remembered(key)
        if found is not None:
            return found
        with Session(self._engine) as session:
            found = read_content(session, key)
        with self._lock:
            self._remembered[key] = found
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def remembered(self, key: EditionKey) -> EditionContent | None:
        """The content, where it need not be read."""
        with self._lock:
            found = self._remembered.get(key)
            if found is not None:
                self._remembered.move_to_end(key)
        return found


@cache
def _rows(dialect: str) -> Select[Any]:
    """Each row of the edition as (part, JSON object), the rows of a part in their order."""
    editions = table_of(EditionRow)
    own = _as_objects(OWN, editions, OWN_FIELDS, editions.c.number, dialect)
    parts = [
        _as_objects(name, table_of(row), list(model.model_fields), table_of(row).c.edition, dialect)
        for name, (row, model) in PARTS.items()
    ]
    every = union_all(own, *parts).subquery()
    return select(every.c.part, every.c.row).order_by(every.c.part, every.c.place)


def _as_objects(part: str, table: Table, fields: list[str], edition: ColumnElement[int], dialect: str) -> Select[Any]:
    place = table.c.position if part != OWN else literal_column("0")
    to_object, told = (func.json_object, _embedded) if dialect == "sqlite" else (func.json_build_object, _as_it_is)
    members = [word for field in fields for word in (literal_column(f"'{field}'"), told(table.c[field]))]
    return select(
        literal_column(f"'{part}'").label("part"),
        place.label("place"),
        cast(to_object(*members), Text).label("row"),
    ).where(table.c.guide == bindparam("guide"), edition == bindparam("edition"))


def _embedded(column: ColumnElement[object]) -> ColumnElement[object]:
    """SQLite keeps JSON as text, and has to be told that it is none here."""
    return func.json(column) if isinstance(column.type, JSON) else column


def _as_it_is(column: ColumnElement[object]) -> ColumnElement[object]:
    return column
