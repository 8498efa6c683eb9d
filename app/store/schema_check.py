"""The check that a database has the schema that it should have: no rule is missing, altered or added.

Both schemas are lists of objects, each with the statement that creates it. A table of another program is left alone,
since nothing that this service does touches it. What another program added to a table of this service is a fault.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, create_mock_engine, text
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

import app.store.database  # noqa: F401  # declares every trigger and index

ADDRESSES = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
CREATES = re.compile(r"CREATE (?:UNIQUE |VIRTUAL |CONSTRAINT )*(TABLE|INDEX|TRIGGER|FUNCTION|STATISTICS) (\w+)")
TABLE_BODY = re.compile(r"CREATE TABLE [\"'`\[]?\w+[\"'`\]]? ?\((.*)\)(.*)")
BETWEEN_DEFINITIONS = re.compile(r",(?![^()]*\))")  # a comma outside brackets
PRINTED_BY_POSTGRESQL = re.compile(r"::[a-z]+(?:\[\])?|[(),\"]| USING btree")  # casts, brackets: it adds its own
TRIGGERS_FIRE = ("setting", "session_replication_role", "origin")  # with another value, none does
HARMLESS_IF_ADDED = frozenset({"table", "view", "function", "statistics"})  # by themselves: no row gets there


class SchemaObject(NamedTuple):
    """A table, index, trigger or other object, and the statement that creates it."""

    kind: str
    name: str
    statement: str


Definitions: TypeAlias = Mapping[tuple[str, str], Sequence[Sequence[str]]]
"""The definitions of each object, by its kind and name. On PostgreSQL two tables may have triggers of one name."""


def declared_statements(dialect: str) -> list[str]:
    """Return every statement that creates the schema as the models declare it, in the SQL of that database."""
    statements: list[str] = []

    def collect(statement: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        words = str(statement.compile(dialect=engine.dialect))
        statements.append("\n".join(line.rstrip().replace("\t", "    ") for line in words.strip().splitlines()))

    engine = create_mock_engine(ADDRESSES[dialect], collect)
    SQLModel.metadata.create_all(engine, checkfirst=False)
    return statements


def declared_objects(dialect: str) -> list[SchemaObject]:
    """Return the objects that the models declare."""
    found = [(CREATES.match(statement), statement) for statement in declared_statements(dialect)]
    objects = [SchemaObject(match[1].lower(), match[2], statement) for match, statement in found if match]
    return objects if dialect == "sqlite" else [*objects, SchemaObject(*TRIGGERS_FIRE)]


@lru_cache(maxsize=len(ADDRESSES))
def declared_definitions(dialect: str) -> Definitions:
    """Return the definitions of what the models declare, which do not change while a process runs."""
    return definitions_of(declared_objects(dialect), dialect)


def stored_objects(connection: Connection) -> list[SchemaObject]:
    """Return the objects that the database has."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    else:
        question = Path(__file__).with_suffix(".postgresql.sql").read_text(encoding="utf-8")
        found = connection.execute(text(question), {"tables": list(SQLModel.metadata.tables)})
    return [SchemaObject(*row) for row in found]


def definitions_of(objects: Iterable[SchemaObject], dialect: str) -> Definitions:
    """Return the definitions of each object, in an order and a form that two schemas can be compared in."""
    named: dict[tuple[str, str], list[list[str]]] = {}
    for each in objects:
        named.setdefault((each.kind, each.name), []).append(_definitions(each, dialect))
    return {key: sorted(definitions) for key, definitions in named.items()}


def compare_schemas(expected: Definitions, found: Definitions) -> Iterator[str]:
    """Yield a sentence for each object that is missing, was altered, or was added."""
    for kind, name in sorted(expected.keys() | found.keys()):
        title = f"the {kind} {ascii(name)[1:-1]}"
        if (kind, name) not in found:
            yield f"{title} is missing"
        elif (kind, name) not in expected:
            if kind not in HARMLESS_IF_ADDED:
                yield f"{title} was added"
        elif expected[kind, name] != found[kind, name]:
            yield f"{title} was altered"


def _definitions(each: SchemaObject, dialect: str) -> list[str]:
    """Return the statement in one form, whatever its white space: of a table, its columns and constraints by name.

    A column that a revision adds is the last in the statement, and not where the models have it.
    """
    words = " ".join(each.statement.split())
    body = TABLE_BODY.fullmatch(words) if each.kind == "table" else None
    definitions = sorted([*BETWEEN_DEFINITIONS.split(body[1]), body[2]]) if body else [words]
    if dialect == "sqlite" or each.kind == "function":
        return [definition.strip() for definition in definitions]
    return sorted(" ".join(PRINTED_BY_POSTGRESQL.sub(" ", definition).split()) for definition in definitions)
