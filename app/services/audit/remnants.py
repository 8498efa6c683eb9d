"""Removal of the bytes of erased and re-encrypted texts from the files of the database."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.db.database import BUSY_MILLISECONDS
from app.logs import Log
from app.models.audit.audit_log import AuditEntryRow, DeskAct, Remnants

BRIEF_MILLISECONDS = 20  # the longest wait for readers while the write-ahead log is emptied: writers wait too
log = Log(__name__)


def purge_remnants(engine: Engine, *, is_sure: bool = True) -> Remnants:
    """Remove the bytes of erased texts from the database files, as far as is possible now. Return what remains.

    SQLite overwrites freed pages itself, so only its write-ahead log must be emptied. Return `NONE` if the log was
    emptied. Return `PENDING` if it was not, because a reader or a writer uses the log. In that case, if `is_sure` is
    True, also log a warning and create a marker file beside the database, unless the file exists. The file tells every
    process that uses this database to try again, also after a restart. `is_sure` means that there were bytes to remove.
    After a success, delete the marker file.

    In PostgreSQL, run VACUUM, which frees the space for reuse, and return `LEFT_TO_POSTGRESQL`.
    """
    if engine.dialect.name != "sqlite":
        _vacuum(engine)
        return Remnants.LEFT_TO_POSTGRESQL
    marker = _marker(engine)
    if not _empty_log(engine):
        if is_sure and not marker.exists():
            log.warning("erased_text_remains_in_log")
            marker.touch(mode=0o600)
        return Remnants.PENDING
    if marker.exists():
        marker.unlink(missing_ok=True)
        log.info("erased_text_is_gone")
    return Remnants.NONE


def has_erased(session: Session) -> bool:
    """Return True if the audit log records that the text of a concern was ever erased or re-encrypted."""
    acts = [DeskAct.ERASED.value, DeskAct.RESEALED.value]
    return (
        session.exec(select(AuditEntryRow.position).where(col(AuditEntryRow.act).in_(acts)).limit(1)).first()
        is not None
    )


def has_remnants(engine: Engine) -> bool:
    """Return True if bytes of erased texts remain in the write-ahead log of SQLite, according to the marker file.

    Always return False for PostgreSQL.
    """
    return engine.dialect.name == "sqlite" and _marker(engine).exists()


def _marker(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-remnants")


def _empty_log(engine: Engine) -> bool:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={BRIEF_MILLISECONDS}")
        try:
            for _ in range(2):  # does most of the work while others write; the second pass includes their writes
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:  # another process is using the log
            return False
        finally:
            driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    return not busy


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM concerns, cards, entries, saved_forms")
