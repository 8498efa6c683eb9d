"""Up to which event a reader may read, so that it never passes one by that is committed later.

SQLite has one writer: every event is committed in the order of its number. On PostgreSQL nodes write at once, and an
event may be committed after one with a larger number. So before a statement takes numbers, the database locks, with the
transaction, the last number that was taken by then (`events_are_announced`): the numbers that it takes are larger. A
reader looks at the last number first, then at these locks, and reads no further than the smallest of all. A transaction
that locks later takes larger numbers; one that no longer has its lock is committed, or took nothing.
"""

from sqlalchemy import Connection, func, select, text

from app.models.events.tables import EventRow
from app.store.immutability import EVENT_LOCK, LAST_EVENT
from app.store.tables import table_of

_LAST = select(func.coalesce(func.max(table_of(EventRow).c.id), 0))
_TAKEN = text(f"SELECT {LAST_EVENT} FROM events_id_seq")  # noqa: S608  # nosec B608  # own names
_OPEN = text(
    "SELECT min(objid::bigint) FROM pg_locks"  # noqa: S608  # nosec B608  # own names
    f" WHERE locktype = 'advisory' AND classid = {EVENT_LOCK} AND objsubid = 2"  # objsubid: a lock of two numbers
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def find_last_settled(connection: Connection) -> int:
    """Return the last number up to which no event is still to come. A later statement sees all up to that.

    On PostgreSQL the connection reads a new snapshot in each statement.
    """
    if connection.dialect.name == "sqlite":
        last: int = connection.execute(_LAST).scalar_one()
        return last
    taken: int = connection.execute(_TAKEN).scalar_one()
    open_since = connection.execute(_OPEN).scalar_one()
    return taken if open_since is None else min(taken, open_since)
