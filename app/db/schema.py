"""The database schema: created from the models and rules, migrated between releases, and compared.

A migration ends with the declared schema, or changes nothing. A table of another program is ignored; an object that one
added to a table of this service is a fault, unless its kind is in `HARMLESS_IF_ADDED`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Engine, create_mock_engine, inspect, text
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

from app.db.database import DATABASE_FILE, for_writing
from app.db.file_copies import database_copy, move_into_place
from app.db.tables import declare_partial_indexes
from app.errors import BackupRefused, SchemaAltered, SchemaBehind, SchemaTooOld, SchemaUnknown

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
CREATE_VERSION_TABLE = (  # as Alembic creates it
    "CREATE TABLE IF NOT EXISTS alembic_version"
    " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
FIRST_TABLE = "editions"
OF_0_2_0 = "0001"
ADDRESSES = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
CREATES = re.compile(r"CREATE (?:UNIQUE |VIRTUAL |CONSTRAINT )*(TABLE|INDEX|TRIGGER|FUNCTION|STATISTICS) (\w+)")
TABLE_BODY = re.compile(r"CREATE TABLE [\"'`\[]?\w+[\"'`\]]? ?\((.*)\)([^)]*)")
BRACKET_OR_COMMA = re.compile(r"([(),])")
PRINTED_BY_POSTGRESQL = re.compile(r"::[a-z]+(?:\[\])?|[(),\"]| USING btree")  # casts, brackets: PostgreSQL adds them
TRIGGERS_FIRE = ("setting", "session_replication_role", "origin")  # with any other value, no trigger fires
OF_LITESTREAM = {"_litestream_lock", "_litestream_seq"}
"""Tables of the documented replication, which hold numbers only."""
HARMLESS_IF_ADDED = frozenset({"table", "view", "function", "statistics"})  # on their own they affect no row
Definitions: TypeAlias = Mapping[tuple[str, str], Sequence[Sequence[str]]]
"""Definitions by kind and name. On PostgreSQL two tables may have triggers of one name."""


def prepare_schema(engine: Engine, data_dir: Path, *, migrates: bool) -> None:
    """Bring the database to the schema that this program needs, or raise an error.

    If `migrates`, an older embedded database is copied into `data_dir`, then migrated. An older shared one always
    raises `SchemaBehind`, because other nodes may be using it. Also raise the errors of `migrate_schema`.
    """
    with engine.connect() as connection:
        found = read_schema_version(connection)
        if found == newest_revision():
            _require_declared(connection)
            return
    if found is not None and not (migrates and engine.dialect.name == "sqlite"):
        raise SchemaBehind
    migrate_schema(engine, data_dir)


def note_newest_revision(connection: Connection) -> None:
    """Note the newest revision in Alembic's table, which must have no row."""
    connection.exec_driver_sql(CREATE_VERSION_TABLE)
    connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": newest_revision()})


def migrate_schema(engine: Engine, data_dir: Path | None) -> tuple[str | None, str]:
    """Create or migrate the schema. Return the revision before (None if the database was empty) and the newest.

    An older embedded database is first copied into `data_dir`, if given, as `guidance.db.before-<newest>`. After an
    error the database is unchanged: `SchemaUnknown`, `SetupError` (version 0.2.0), `SchemaAltered`, `BackupRefused`.
    """
    newest = newest_revision()
    with engine.connect() as connection:
        before = read_schema_version(connection)
    if data_dir is not None and before not in (None, newest) and engine.dialect.name == "sqlite":
        _keep_copy(data_dir, newest)
    with for_writing(engine).begin() as connection:
        if read_schema_version(connection) is None:  # no other node has created it since
            SQLModel.metadata.create_all(connection, checkfirst=False)
            note_newest_revision(connection)
        elif before != newest:
            _run_revisions(connection)
        _require_declared(connection)
    return before, newest


def _keep_copy(data_dir: Path, newest: str) -> None:
    copy = data_dir / f"{DATABASE_FILE}.before-{newest}"
    try:
        with database_copy(data_dir / DATABASE_FILE, beside=copy) as draft:
            move_into_place(draft, copy, replace=True)
    except OSError as failure:
        raise BackupRefused(f"the database cannot be copied before it is migrated: {failure.strerror}") from None


def is_behind(engine: Engine) -> bool:
    """Return True if the schema is older. Raise as `read_schema_version`, and `SchemaUnknown` if it is empty."""
    with engine.connect() as connection:
        found = read_schema_version(connection)
    if found is None:
        raise SchemaUnknown
    return found != newest_revision()


def read_schema_version(connection: Connection) -> str | None:
    """Return the revision, or None if the database is empty.

    Raise `SchemaTooOld`, or `SchemaUnknown` if this program does not have the revision.
    """
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if FIRST_TABLE in tables:
            raise SchemaUnknown
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found == OF_0_2_0:
        raise SchemaTooOld
    if found not in (None, *_revisions()):
        raise SchemaUnknown
    return found


def newest_revision() -> str:
    """Return the newest revision of this program, such as `0002`."""
    return _revisions()[-1]


def find_schema_faults(connection: Connection) -> list[str]:
    """Return a sentence for each table, index or rule that is missing, altered or added.

    What is `HARMLESS_IF_ADDED` is no fault. Raise as `read_schema_version`, and `SchemaBehind`.
    """
    version, dialect = read_schema_version(connection), connection.dialect.name
    if version is None:
        return []
    if version != newest_revision():
        raise SchemaBehind
    return list(_compare_schemas(declared_definitions(dialect), _definitions_of(stored_objects(connection), dialect)))


def find_foreign_objects(connection: Connection) -> list[str]:
    """Return a sentence for each table and view of the embedded database that another program made.

    A start ignores them; a backup to restore must have none.
    """
    own = {*SQLModel.metadata.tables, *(name for _, name in declared_definitions("sqlite")), VERSION_TABLE}
    found = connection.execute(text("SELECT type, name FROM pragma_table_list WHERE schema = 'main'"))
    return [
        f"the {'view' if kind == 'view' else 'table'} {ascii(name)[1:-1]} was added"
        for kind, name in sorted((str(kind), str(name)) for kind, name in found)
        if kind != "shadow" and name not in own | OF_LITESTREAM and not name.startswith("sqlite_")
    ]


def _require_declared(connection: Connection) -> None:
    if faults := find_schema_faults(connection):
        raise SchemaAltered(faults)


def _run_revisions(connection: Connection) -> None:
    from alembic import command, config  # noqa: PLC0415  # 14 MB, which a server on the newest schema never needs

    settings = config.Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _revisions() -> list[str]:
    """In order."""
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


class SchemaObject(NamedTuple):
    kind: str
    name: str
    statement: str


def declared_statements(dialect: str) -> list[str]:
    statements: list[str] = []

    def collect(statement: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        words = str(statement.compile(dialect=engine.dialect))
        statements.append("\n".join(line.rstrip().replace("\t", "    ") for line in words.strip().splitlines()))

    engine = create_mock_engine(ADDRESSES[dialect], collect)
    if dialect == "postgresql":
        declare_partial_indexes()
    SQLModel.metadata.create_all(engine, checkfirst=False)
    return statements


def declared_objects(dialect: str) -> list[SchemaObject]:
    """Return the objects that this program declares, without text search configurations.

    PostgreSQL's include the setting of triggers (`TRIGGERS_FIRE`).
    """
    found = [(CREATES.match(statement), statement) for statement in declared_statements(dialect)]
    objects = [SchemaObject(match[1].lower(), match[2], statement) for match, statement in found if match]
    return objects if dialect == "sqlite" else [*objects, SchemaObject(*TRIGGERS_FIRE)]


@lru_cache(maxsize=len(ADDRESSES))
def declared_definitions(dialect: str) -> Definitions:
    return _definitions_of(declared_objects(dialect), dialect)


def stored_objects(connection: Connection) -> list[SchemaObject]:
    """Return the objects in the database.

    On PostgreSQL they are those of this service's tables, and the setting of triggers.
    """
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    else:
        question = Path(__file__).with_suffix(".postgresql.sql").read_text(encoding="utf-8")
        found = connection.execute(text(question), {"tables": list(SQLModel.metadata.tables)})
    return [SchemaObject(*row) for row in found]


def _definitions_of(objects: Iterable[SchemaObject], dialect: str) -> Definitions:
    named: dict[tuple[str, str], list[list[str]]] = {}
    for each in objects:
        named.setdefault((each.kind, each.name), []).append(_definitions(each, dialect))
    return {key: sorted(definitions) for key, definitions in named.items()}


def _compare_schemas(expected: Definitions, found: Definitions) -> Iterator[str]:
    """Yield a sentence for each object that differs. An added object that is `HARMLESS_IF_ADDED` is left out."""
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
    """Drop white space and the words that PostgreSQL adds.

    Columns and constraints of a table are sorted, because a column that a revision adds comes last.
    """
    words = " ".join(each.statement.split())
    body = TABLE_BODY.fullmatch(words) if each.kind == "table" else None
    definitions = sorted([*_split_outside_brackets(body[1]), body[2]]) if body else [words]
    if dialect == "sqlite" or each.kind == "function":
        return [definition.strip() for definition in definitions]
    return sorted(" ".join(PRINTED_BY_POSTGRESQL.sub(" ", definition).split()) for definition in definitions)


def _split_outside_brackets(words: str) -> list[str]:
    """Split at commas."""
    parts, depth = [""], 0
    for piece in BRACKET_OR_COMMA.split(words):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
