"""The shared database: PostgreSQL, for any number of nodes."""

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

ONE_WRITER = 7_241_096_533_108_207_104  # the key of the lock; no other program should happen upon it
CONNECTIONS = 10
WAIT_SECONDS = 5

TAKE_TURNS = text(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")

SETTINGS = {
    "lock_timeout": f"{WAIT_SECONDS}s",  # as long as SQLite waits for another writer
    "idle_in_transaction_session_timeout": "30s",  # a node that stands still does not hold the lock for ever
    "synchronous_commit": "on",  # a commit returns only once it is on the disk
    "timezone": "UTC",
}
CONNECTING = {
    "connect_timeout": WAIT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds until a server that fell silent counts as gone
    "application_name": "guidance",
    "options": " ".join(f"-c {name}={value}" for name, value in SETTINGS.items()),
}


def open_postgresql(address: URL) -> Engine:
    """The database at that address, by a pool of connections.

    Each transaction reads one snapshot and cannot write, unless it was asked to (`app.store.database.for_writing`).
    """
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # a server that was away and is back is used again, with no restart here
        connect_args=CONNECTING,
        execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.execute(TAKE_TURNS)
