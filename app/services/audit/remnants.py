"""Removal of the bytes of erased and re-encrypted texts from the files of the database."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.db.database import BUSY_MILLISECONDS
from app.logs import Log
from app.models.audit.rows import AuditEntryRow, DeskAct, Remnants

BRIEF_MILLISECONDS = 20  # the longest wait for readers while the write-ahead log is emptied: writers wait too
log = Log(__name__)


def purge_remnants(engine: Engine, *, is_sure: bool = True) -> Remnants:
    """Remove bytes of erased texts from the files, as far as possible now, and return what remains.

    SQLite overwrites freed pages: only its write-ahead log must be emptied. While that is in use, the result is
    `PENDING`. If `is_sure` that there were such bytes, a file then marks them, and every process tries again.
    PostgreSQL runs VACUUM.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM concerns, cards, entries, saved_forms")
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


def has_erased(engine: Engine) -> bool:
    """True if anything was ever erased or re-encrypted, by the audit log."""
    acts = [DeskAct.ERASED.value, DeskAct.RESEALED.value]
    erased = select(AuditEntryRow.position).where(col(AuditEntryRow.act).in_(acts)).limit(1)
    with Session(engine) as session:
        return session.exec(erased).first() is not None


def has_remnants(engine: Engine) -> bool:
    """True if the marker file is there; always False for PostgreSQL."""
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
