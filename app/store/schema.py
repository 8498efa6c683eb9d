"""Bringing a database from the schema that it has to the one that this program works with.

The whole way is one transaction: it ends at the new schema, or where it began.
"""

from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, text
from sqlmodel import SQLModel

from app.errors import SchemaBehind, SchemaUnknown
from app.store.backup import copied, put_in_place
from app.store.database import for_writing
from app.store.sqlite import DATABASE_FILE

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
_version = Table(  # as Alembic makes it
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
FIRST_OF_OURS = "guides"


def prepare_schema(engine: Engine, data_dir: Path) -> None:
    """See to it that the database has the schema that this program works with, before it serves.

    An empty database gets it as it is declared, and the embedded one is brought to it. A shared one is left as it is,
    for other nodes may be at work on it: raises `SchemaBehind`. Raises `SchemaUnknown` where a newer program has been
    at work.
    """
    with engine.connect() as connection:
        found = schema_of(connection, MIGRATIONS)
    if found == _revisions(MIGRATIONS)[-1]:
        return
    if found is None:
        make_schema(engine)
    elif engine.dialect.name != "sqlite":
        raise SchemaBehind
    else:
        migrate(engine, data_dir)


def make_schema(engine: Engine) -> None:
    """Make the newest schema in an empty database, as the models declare it; the revisions add up to the same.

    Another node that did so at the same moment has done it for this one too.
    """
    with for_writing(engine).begin() as connection:
        if schema_of(connection, MIGRATIONS) is None:
            SQLModel.metadata.create_all(connection, checkfirst=False)
            _version.create(connection, checkfirst=True)
            connection.execute(_version.insert().values(version_num=_revisions(MIGRATIONS)[-1]))


def migrate(engine: Engine, data_dir: Path, migrations: Path = MIGRATIONS) -> tuple[str | None, str]:
    """Bring the schema to the newest, and give what it was (None: the database was empty) and what it is.

    A copy of an embedded database that holds anything is put beside it first (`guidance.db.before-<schema>`). Raises
    `SchemaUnknown`.
    """
    newest = _revisions(migrations)[-1]
    with engine.connect() as connection:
        before = schema_of(connection, migrations)
    if before not in (None, newest) and engine.dialect.name == "sqlite":
        before_it = data_dir / f"{DATABASE_FILE}.before-{newest}"
        with copied(data_dir / DATABASE_FILE, beside=before_it) as draft:
            put_in_place(draft, before_it, replace=True)
    config = Config()
    config.set_main_option("script_location", str(migrations))
    with for_writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        upgrade(config, "head")
    return before, newest


def schema_of(connection: Connection, migrations: Path) -> str | None:
    """The database's schema, or None where it is empty. Raises `SchemaUnknown` where no revision tells of it."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if FIRST_OF_OURS in tables:
            raise SchemaUnknown
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found not in (None, *_revisions(migrations)):
        raise SchemaUnknown
    return found


def _revisions(migrations: Path) -> list[str]:
    """The revisions in their order: a number, with which the name of its file begins."""
    return sorted(path.name.split("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))
