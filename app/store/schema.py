"""Migration of a database to the schema that this program needs.

The whole migration is one transaction: the database ends with the new schema, or unchanged.
"""

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    inspect,
    text,
)
from sqlmodel import SQLModel

from app.errors import SchemaAltered, SchemaBehind, SchemaUnknown
from app.store.backup import database_copy, move_into_place
from app.store.database import DATABASE_FILE, for_writing
from app.store.schema_check import (
    SchemaObject,
    compare_schemas,
    declared_definitions,
    definitions_of,
    stored_objects,
)

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
_version = Table(  # as Alembic creates it
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
FIRST_TABLE = "guides"


def prepare_schema(engine: Engine, data_dir: Path) -> None:
    """Give the database the schema that this program needs, before it serves.

    An empty database gets the schema as the models declare it. The embedded database is migrated. A shared database is
    not, since other nodes may be using it: raises `SchemaBehind`. Raises `SchemaUnknown` if a newer program wrote it,
    and `SchemaAltered` if a table, an index or a rule is not as this program declares it.
    """
    with engine.connect() as connection:
        found = read_schema_version(connection, MIGRATIONS)
    if found is None:
        create_schema(engine)
    elif found != _revisions(MIGRATIONS)[-1]:
        if engine.dialect.name != "sqlite":
            raise SchemaBehind
        migrate_schema(engine, data_dir)
    with engine.connect() as connection:
        _require_declared(connection, MIGRATIONS)


def create_schema(engine: Engine) -> None:
    """Create the newest schema in an empty database, as the models declare it; all revisions together give the same.

    Does nothing if another node created it at the same moment.
    """
    with for_writing(engine).begin() as connection:
        if read_schema_version(connection, MIGRATIONS) is None:
            SQLModel.metadata.create_all(connection, checkfirst=False)
            _version.create(connection, checkfirst=True)
            connection.execute(_version.insert().values(version_num=_revisions(MIGRATIONS)[-1]))


def migrate_schema(engine: Engine, data_dir: Path | None, migrations: Path | None = None) -> tuple[str | None, str]:
    """Migrate to the newest schema, and return the schema before (None: the database was empty) and the schema now.

    An embedded database that is not empty is copied first, to `guidance.db.before-<schema>` in the folder, if one is
    given. Raises `SchemaUnknown`, and `SchemaAltered` if the schema would not be as the models declare it. Then the
    database is unchanged.
    """
    migrations = migrations or MIGRATIONS
    newest = _revisions(migrations)[-1]
    with engine.connect() as connection:
        before = read_schema_version(connection, migrations)
    if data_dir is not None and before not in (None, newest) and engine.dialect.name == "sqlite":
        copy = data_dir / f"{DATABASE_FILE}.before-{newest}"
        with database_copy(data_dir / DATABASE_FILE, beside=copy) as draft:
            move_into_place(draft, copy, replace=True)
    with for_writing(engine).begin() as connection:
        run_revisions(connection, "head", migrations)
        _require_declared(connection, migrations)
    return before, newest


def is_behind(engine: Engine) -> bool:
    """Return whether the database has an older schema than this program. Raises `SchemaUnknown`, or if it is empty."""
    with engine.connect() as connection:
        found = read_schema_version(connection, MIGRATIONS)
    if found is None:
        raise SchemaUnknown
    return found != _revisions(MIGRATIONS)[-1]


def read_schema_version(connection: Connection, migrations: Path) -> str | None:
    """Return the database's schema, or None if it is empty. Raises `SchemaUnknown` if no revision has that name."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if FIRST_TABLE in tables:
            raise SchemaUnknown
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found not in (None, *_revisions(migrations)):
        raise SchemaUnknown
    return found


def find_schema_faults(connection: Connection) -> list[str]:
    """Return a sentence for each table, index or rule of the database that is missing, altered or added.

    An embedded database with an older schema is compared with that schema. Raises `SchemaBehind` for a shared database
    with an older schema, and `SchemaUnknown`.
    """
    return _find_faults(connection, MIGRATIONS)


def _require_declared(connection: Connection, migrations: Path) -> None:
    faults = _find_faults(connection, migrations)
    if faults:
        raise SchemaAltered(faults)


def _find_faults(connection: Connection, migrations: Path) -> list[str]:
    version, dialect = read_schema_version(connection, migrations), connection.dialect.name
    if version is None:
        return []  # nothing was made yet
    if version == _revisions(migrations)[-1]:
        expected = declared_definitions(dialect)
    elif dialect == "sqlite":
        expected = definitions_of(_former_objects(version, migrations), dialect)
    else:
        raise SchemaBehind
    return list(compare_schemas(expected, definitions_of(stored_objects(connection), dialect)))


def _former_objects(version: str, migrations: Path) -> list[SchemaObject]:
    """Return the objects that the revisions up to that one create in an empty embedded database."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            run_revisions(connection, version, migrations)
            return stored_objects(connection)
    finally:
        engine.dispose()


def run_revisions(connection: Connection, revision: str, migrations: Path = MIGRATIONS) -> None:
    """Run the revisions up to that one, in the transaction of the connection."""
    from alembic.command import upgrade  # noqa: PLC0415  # 14 MB, which a server on the newest schema never needs
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    upgrade(config, revision)


def _revisions(migrations: Path) -> list[str]:
    """Return the revisions in order: each is the number at the start of its file name."""
    return sorted(path.name.split("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))
