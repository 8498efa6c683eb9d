"""The order of all chains together: each disclosure gets the next number of one log.

SQLite has one writer, which gives the number with the disclosure. On PostgreSQL nodes write at once, and a number that
each of them had to wait for would let one write at a time. There the log is written from the chains afterwards: by a
worker, and by each checkpoint before it signs. The end of a chain says how many of its rows the log has.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, text
from sqlmodel import Session

from app.models.desk.disclosure_tables import LogEntryRow
from app.store.tables import table_of

LOG_LOCK_KEY = 5_120_386_914_470_263_311  # of the advisory lock of the one that writes the log
LOG_BATCH_SIZE = 2000
ALL_CHAINS = 2**31 - 1
_NEW = insert(table_of(LogEntryRow))
_LAST = select(func.coalesce(func.max(table_of(LogEntryRow).c.number), 0))
_TURN = text(f"SELECT pg_try_advisory_xact_lock({LOG_LOCK_KEY})")
_FREE = text("SELECT name FROM chains WHERE logged < length LIMIT :limit FOR UPDATE SKIP LOCKED")
_APPEND = text(
    "INSERT INTO log_entries (number, chain, place, sha256)"
    " SELECT :last + row_number() OVER (ORDER BY d.at, d.chain, d.number), d.chain, d.number, d.sha256"
    " FROM chains c JOIN disclosures d ON d.chain = c.name AND d.number > c.logged AND d.number <= c.length"
    " WHERE c.name = ANY(:names)"
)
_MARK = text("UPDATE chains SET logged = length WHERE name = ANY(:names)")


def logs_at_once(connection: Connection) -> bool:
    """Return whether a disclosure gets its number in the log at once."""
    return connection.dialect.name == "sqlite"


def append_to_log(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give each disclosure the next number, where it gets one at once.

    SQLite gives a row without a number the one after the highest, and the log loses no row.
    """
    if logs_at_once(connection):
        entries = [{"chain": row["chain"], "place": row["number"], "sha256": row["sha256"]} for row in rows]
        connection.execute(_NEW, entries)


def catch_up_log(session: Session, *, limit: int = LOG_BATCH_SIZE) -> int:
    """Give the next numbers to disclosures of chains that are free, and return of how many chains.

    A chain that somebody writes to is left for the next time: its disclosure is not committed yet. Where another
    process writes the log, nothing is done. A number is given to committed rows alone, so none is ever taken back.
    """
    connection = session.connection()
    if logs_at_once(connection) or not connection.execute(_TURN).scalar_one():
        return 0
    names = connection.execute(_FREE, {"limit": limit}).scalars().all()
    if names:
        last = connection.execute(_LAST).scalar_one()
        connection.execute(_APPEND, {"last": last, "names": names})
        connection.execute(_MARK, {"names": names})
    return len(names)
