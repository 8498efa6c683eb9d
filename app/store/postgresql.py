"""The shared database: PostgreSQL, for any number of nodes."""

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

WRITER_LOCK_KEY = 7_241_096_533_108_207_104  # of the advisory lock; random, so that no other program uses it
POOL_SIZE = 10
WAIT_SECONDS = 5

BEGIN_WRITE = (
    text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"),  # sees all that was committed before the lock
    text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK_KEY})"),
)

SESSION_SETTINGS = {
    "default_transaction_isolation": r"repeatable\ read",  # a reader reads one snapshot ...
    "default_transaction_read_only": "on",  # ... and cannot write
    "lock_timeout": f"{WAIT_SECONDS}s",  # as long as SQLite waits for another writer
    "idle_in_transaction_session_timeout": "30s",  # a node that hangs does not hold the lock for ever
    "synchronous_commit": "on",  # a commit returns only after it is on the disk
    "timezone": "UTC",
}
CONNECT_ARGS = {
    "connect_timeout": WAIT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds until a silent server counts as disconnected
    "application_name": "guidance",
    "options": " ".join(f"-c {name}={value}" for name, value in SESSION_SETTINGS.items()),
}


def open_postgresql(address: URL) -> Engine:
    """Return an engine for the database at that address, with a pool of connections.

    Each transaction reads one snapshot and cannot write, unless the engine is for writing
    (`app.store.database.for_writing`).
    """
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # reconnects after the server was away, with no restart here
        connect_args=CONNECT_ARGS,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        for statement in BEGIN_WRITE:
            connection.execute(statement)
