"""Connections to the database: SQLite in one file, or PostgreSQL shared by several nodes.

Either allows one writer at a time. On PostgreSQL a writing transaction begins by taking a lock that all writers share.
"""

import os
import sqlite3
from functools import partial
from pathlib import Path
from socket import EAI_AGAIN
from threading import current_thread
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.pool import NullPool, PoolProxiedConnection, QueuePool

from app.db.private_files import close_to_others, create_private_file, make_private_folder
from app.db.rules import declare_rules
from app.db.search import declare_full_text_index
from app.db.tables import declare_partial_indexes, use_code_point_collation
from app.errors import RowNotStored, SetupError

DATABASE_FILE = "guidance.db"
BUSY_MILLISECONDS = 5000  # the longest wait for another writer
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit returns only after it is on the disk
    "foreign_keys=ON",
    f"busy_timeout={BUSY_MILLISECONDS}",
    "recursive_triggers=ON",  # so that REPLACE cannot delete a row without its delete trigger
    "secure_delete=ON",  # freed pages are overwritten
    "temp_store=MEMORY",
    "trusted_schema=OFF",
    "cache_size=-500",  # KiB for each connection; more is not needed, since the operating system caches the pages too
)

STATEMENTS = 64
"""Cached statements, each of up to 50 kB: at the default, 128, memory grows for hours."""
PROBE = "SELECT count(*) FROM sqlite_master"
PRIMARY_CODE = 0xFF
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
DISK_REFUSES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})

POSTGRESQL_DRIVER = "postgresql+psycopg"
WRITER_LOCK_KEY = 7_241_096_533_108_207_104  # key of the advisory lock; random, so that no other program uses it
POOL_SIZE = 10
MAX_CONNECTIONS = 2 * POOL_SIZE
OPENING, WRITER = "opening", "writer"  # the names of the threads that use a database before it is open to requests
WAIT_SECONDS = 5
TRANSACTION_SETTINGS = {
    "lock_timeout": f"{WAIT_SECONDS}s",  # as long as SQLite waits for another writer
    "idle_in_transaction_session_timeout": "30s",  # a node that hangs does not hold a lock for ever
    "synchronous_commit": "on",  # a commit returns only after it is on the disk
}
READ_COMMITTED, REPEATABLE_READ = 2, 3  # psycopg's constants; psycopg is loaded only for PostgreSQL
WRITES = "writes"
"""Execution option: without it a connection must only read."""
# Each setting is repeated for each transaction, since a pooler may not pass on the settings of a session.
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in TRANSACTION_SETTINGS.items())
_BEGIN_WRITE = f"SELECT {_SET}, pg_advisory_xact_lock({WRITER_LOCK_KEY})"
NO_ANSWER = "no answer"
REFUSED_FOR_GOOD = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "permission denied",
    " does not exist",
    "does not support SSL",
)
"""A failed connection has no SQLSTATE, only its message."""
CONNECT_ARGS = {
    "connect_timeout": WAIT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds until a silent server counts as disconnected
    "application_name": "guidance",
    "options": " ".join(f"-c {name}={value}" for name, value in (TRANSACTION_SETTINGS | {"timezone": "UTC"}).items()),
}


class Pool(QueuePool):
    """A pool that can be closed to requests while a start still checks the database."""

    __module__ = QueuePool.__module__  # for the names of its log lines
    is_open = True

    def connect(self) -> PoolProxiedConnection:
        if not self.is_open and current_thread().name not in (OPENING, WRITER):
            raise NoConnectionInTime("the database is not open yet")
        return super().connect()

    def recreate(self) -> "Pool":
        pool = cast("Pool", super().recreate())
        pool.is_open = self.is_open
        return pool


POOL: dict[str, Any] = {
    "hide_parameters": True,
    "json_deserializer": orjson.loads,
    "poolclass": Pool,
    "pool_size": POOL_SIZE,
    "max_overflow": MAX_CONNECTIONS - POOL_SIZE,
}

use_code_point_collation()
declare_rules()
declare_full_text_index()


def open_database(data_dir: Path, url: str | None = None) -> Engine:
    """Return an engine, which connects at its first use. The embedded database in `data_dir` is made if absent.

    An existing `data_dir` is closed to other users. Raise `SetupError` if `url` is no PostgreSQL URL.
    """
    if data_dir.is_dir():
        close_to_others(data_dir, own_files=f"*{DATABASE_FILE}*")
    return _open_sqlite(data_dir) if url is None else _open_postgresql(url)


def open_to_read(data_dir: Path, url: str | None = None) -> Engine:
    """Open a database read-only. SQLite may create its side files."""
    if url is not None:
        return _open_postgresql(url)
    path = data_dir / DATABASE_FILE
    connect = partial(open_sqlite_to_read, path)
    return create_engine(f"sqlite:///{path}", creator=connect, hide_parameters=True, poolclass=NullPool)


def open_sqlite_to_read(path: Path, options: str = "mode=ro", **more: Any) -> sqlite3.Connection:
    """Open SQLite read-only. `options` is the query of its URI, and `more` goes to `sqlite3.connect`."""
    address = f"{path.absolute().as_uri()}?{options}"
    connection: sqlite3.Connection = sqlite3.connect(address, uri=True, isolation_level=None, **more)
    return connection


def _open_postgresql(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    if address is None or address.drivername not in ("postgresql", POSTGRESQL_DRIVER):
        raise SetupError("GUIDANCE_DATABASE_URL must be an address such as postgresql+psycopg://user@host/name")
    engine = create_engine(
        address.set(drivername=POSTGRESQL_DRIVER),
        **POOL,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # reconnects after the server was unavailable, without a restart of the service
        connect_args=CONNECT_ARGS,
    )
    declare_partial_indexes()
    event.listen(engine, "begin", _begin_postgresql)
    event.listen(engine, "after_cursor_execute", _require_inserted)
    return engine


def open_to_requests(engine: Engine, *, is_open: bool) -> None:
    """Open the pool, or close it to all but the threads that open the database."""
    cast("Pool", engine.pool).is_open = is_open


def describe_outage(failure: SQLAlchemyError, *, is_known: bool) -> str | None:
    """Return the state of a database that may come back: `no answer` or `damaged`. None if a person must act.

    A person must act if, for example, the server refuses the role. A host without an address is an outage only if
    `is_known`, that is, if this node has used the database before: some platforms remove the name of a stopped server.
    """
    if (
        not isinstance(failure, OperationalError | InternalError | NoConnectionInTime)
        and type(failure) is not DatabaseError
    ):
        return None
    cause = getattr(failure, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return "damaged" if getattr(cause, "sqlite_errorcode", 0) & PRIMARY_CODE in DAMAGED else NO_ANSWER
    said = str(cause)
    has_no_address = "failed to resolve host" in said and f"[Errno {int(EAI_AGAIN)}]" not in said
    is_refused = any(each in said for each in REFUSED_FOR_GOOD)
    return None if is_refused or (has_no_address and not is_known) else NO_ANSWER


def for_writing(engine: Engine) -> Engine:
    """Return an engine for the same database whose transactions write, one at a time across all nodes.

    On PostgreSQL a transaction waits at most `lock_timeout` for the lock, and loses it with the connection.
    """
    return engine.execution_options(**{WRITES: True})


def is_in_transaction(connection: Connection) -> bool:
    """Ask the driver, because a statement may have ended the transaction without SQLAlchemy's knowledge."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return bool(driver.info.transaction_status.name == "INTRANS")


def _open_sqlite(data_dir: Path) -> Engine:
    make_private_folder(data_dir)
    path = data_dir / DATABASE_FILE
    if not path.exists():
        create_private_file(path)
    engine = create_engine(f"sqlite:///{path}", creator=partial(_connect_sqlite, path), **POOL)
    event.listen(engine, "checkin", _drop_reading)
    event.listen(engine, "after_cursor_execute", _require_inserted)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


class ReadingConnection(sqlite3.Connection):
    """A connection for one use, made when the disk is full or cannot be written."""


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    """Read-only if the disk refuses writes, so that guidance and emergency numbers are served from a full disk.

    Such a connection is used once: the next tries to write again.
    """
    if not os.access(path, os.W_OK):  # SQLite would fall back to reading, for the life of the connection
        return _connect_to_read(path)
    # `_begin_sqlite` begins the transactions
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(PROBE)
    except sqlite3.OperationalError as failure:
        connection.close()
        if failure.sqlite_errorcode & PRIMARY_CODE not in DISK_REFUSES or not path.stat().st_size:
            raise
        return _connect_to_read(path)
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Immutable if the write-ahead log is empty or missing: SQLite then needs no side files."""
    log = Path(f"{path}-wal")
    is_whole = not log.exists() or not log.stat().st_size
    options = "mode=ro&immutable=1" if is_whole else "mode=ro"
    connection = open_sqlite_to_read(path, options, check_same_thread=False, factory=ReadingConnection)
    connection.execute(PROBE)
    return connection


def _drop_reading(connection: Any, record: Any) -> None:
    if isinstance(connection, ReadingConnection):
        record.invalidate()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if WRITES in connection.get_execution_options() else "BEGIN")


def _require_inserted(
    _connection: Connection, cursor: Any, _statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """Another program's trigger can discard rows.

    SQLite counts rows that an INSERT returns only when they are read: whoever reads them counts them.
    """
    if context.isinsert and not (context.compiled.effective_returning and context.dialect.name == "sqlite"):
        expected = len(parameters) if executemany else 1
        if cursor.rowcount < expected:
            raise RowNotStored


def _begin_postgresql(connection: Connection) -> None:
    writes = WRITES in connection.get_execution_options()
    driver: Any = connection.connection.driver_connection
    driver.isolation_level = READ_COMMITTED if writes else REPEATABLE_READ
    driver.read_only = not writes
    if writes:
        connection.exec_driver_sql(_BEGIN_WRITE)
