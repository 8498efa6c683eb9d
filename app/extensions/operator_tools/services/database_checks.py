"""Checks of `guidance doctor` for the database, its disk and its backups."""

import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.database import DATABASE_FILE
from app.db.private_files import FOR_OTHERS
from app.db.schema import find_schema_faults, is_behind
from app.errors import BackupRefused, GuidanceError, SchemaBehind, SchemaTooOld, SchemaUnknown
from app.models.base import counted
from app.services.operations.backup import drill_restore
from app.services.operations.check_model import (
    CheckContext,
    Verdict,
    fault,
    find_broken_rows,
    fine,
    unchecked_verdict,
    warn,
)
from app.services.operations.invariants import Invariant
from app.services.operations.watches import OF_THE_SERVER, find_newest_backup

BYTES_PER_MB = 1_000_000
LARGE_FREE_BYTES = 100 * BYTES_PER_MB
LARGE_FREE_FRACTION = 0.5
LARGE_LOG_BYTES = 200 * BYTES_PER_MB
FAULTY_FLUSH_SECONDS, SLOW_FLUSH_SECONDS = 1.0, 0.1
FLUSHES = 5
FLUSHED_BYTES = 4096
SIZE_OF_SQLITE = (
    "SELECT page_count * page_size, freelist_count * page_size FROM pragma_page_count, pragma_page_size,"
    " pragma_freelist_count"
)
SIZE_OF_POSTGRESQL = (
    "SELECT pg_database_size(current_database()),"
    " coalesce(sum(pg_relation_size(relid) * n_dead_tup / greatest(n_live_tup + n_dead_tup, 1)), 0)"
    " FROM pg_stat_user_tables"
)
"""Its statistics estimate the free space."""
OTHER_SCHEMAS: Mapping[type[GuidanceError], str] = {
    SchemaBehind: "take a backup before",
    SchemaTooOld: "keep that build for as long as its concerns are kept",
    SchemaUnknown: "install the version that made it",
}
"""What to do; the errors say what is wrong, in the words of every command and of the page 'Upgrade'."""
RUN_VERIFY = "leave the files unchanged and run guidance verify"
UNSET = "GUIDANCE_BACKUP_FOLDER is not set, so this cannot be checked:"


def check_database(context: CheckContext) -> Verdict:
    """Check that the database exists, responds, and has a table of this service."""
    path = context.settings.data_dir / DATABASE_FILE
    if context.is_embedded and not path.is_file():
        return fault(f"there is no database in {context.settings.data_dir}", "check GUIDANCE_DATA_DIR, or start once")
    try:
        with context.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return fault(
            "the database is not responding, or is not a database of this service",
            "check GUIDANCE_DATABASE_URL and the server, or restore a backup",
        )
    return fine("it answers")


def check_schema(context: CheckContext) -> Verdict:
    """Check the schema: if it is wrong, later checks that need the database are skipped."""
    refusal: GuidanceError | None = None
    try:
        if is_behind(context.engine):
            refusal = SchemaBehind()
    except tuple(OTHER_SCHEMAS) as found:
        refusal = found
    if refusal is None:
        return fine("the schema is up to date")
    return fault((str(refusal) or str(refusal.__doc__)).rstrip("."), OTHER_SCHEMAS[type(refusal)])


def check_rules(context: CheckContext) -> Verdict:
    """Tables, indexes and triggers are as declared."""
    with context.engine.connect() as connection:
        faults = find_schema_faults(connection)
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        return fault(f"{faults[0]}{more}", "find out who changed it, and restore a backup (guidance verify lists all)")
    return fine("tables and rules match the schema")


def check_growth(context: CheckContext) -> Verdict:
    """Neither reusable space nor the write-ahead log takes much of the disk."""
    log = context.settings.data_dir / f"{DATABASE_FILE}-wal"
    log_bytes = log.stat().st_size if context.is_embedded and log.exists() else 0
    with context.engine.connect() as connection:
        found = connection.execute(text(SIZE_OF_SQLITE if context.is_embedded else SIZE_OF_POSTGRESQL)).one()
    total, free = map(int, found)
    size = f"{total / BYTES_PER_MB:.1f} MB, of which {free / BYTES_PER_MB:.1f} MB can be reused"
    if log_bytes > LARGE_LOG_BYTES:
        return warn(
            f"{size}; the log has grown to {log_bytes / BYTES_PER_MB:.0f} MB, because a reader is using it",
            "stop the program that keeps reading the database",
        )
    if free > max(LARGE_FREE_BYTES, total * LARGE_FREE_FRACTION):
        return warn(size, "stop the service, and run VACUUM (SQLite), or VACUUM FULL in a quiet hour (PostgreSQL)")
    return fine(size)


def check_files(context: CheckContext) -> Verdict:
    """Check that only the owner has access to the data folder and its files."""
    folder = context.settings.data_dir
    if not folder.is_dir() and not context.is_embedded:
        return fine("a data folder is not needed")
    if not folder.is_dir():
        return fault(f"there is no folder {folder}", "check GUIDANCE_DATA_DIR")
    paths = [folder, *(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())]
    names = [str(path) for path in paths if path.stat().st_mode & FOR_OTHERS]
    if names:
        return fault(f"other users can open {', '.join(names)}", "run chmod go-rwx, or restart the service")
    return fine(f"{folder} can only be read by its owner")


def check_flush(context: CheckContext) -> Verdict:
    """Measure a flush: each stored concern waits for one."""
    if not context.is_embedded:
        return unchecked_verdict(OF_THE_SERVER)
    try:
        seconds = measure_flush(context.settings.data_dir)
    except OSError as failure:
        return fault(f"the data folder cannot be written to ({failure.strerror})", "check its owner and the disk")
    found = f"a flush takes {seconds * 1000:.1f} ms"
    if seconds > FAULTY_FLUSH_SECONDS:
        return fault(found, "move the data folder to a local disk, because callers wait for each flush")
    return warn(found, "move the data folder to a faster disk") if seconds > SLOW_FLUSH_SECONDS else fine(found)


def measure_flush(folder: Path) -> float:
    """Return the median time of `FLUSHES` flushes, in seconds. Raise `OSError`."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        return statistics.median(_flush(file.fileno()) for _ in range(FLUSHES))


def _flush(descriptor: int) -> float:
    os.write(descriptor, b"\0" * FLUSHED_BYTES)
    started = time.perf_counter()
    os.fsync(descriptor)
    return time.perf_counter() - started


def check_restore(context: CheckContext) -> Verdict:
    """The newest backup can be restored, into a temporary folder."""
    folder = context.settings.backup_folder
    if not context.is_embedded:
        return unchecked_verdict("test-restore a pg_dump, then run guidance verify on it")
    if folder is None:
        return warn(f"{UNSET} whether a backup restores", "set it")
    newest = find_newest_backup(folder, is_embedded=True)
    if newest is None:
        return fault("there is no backup to restore", "run guidance backup each night")
    try:
        drilled = drill_restore(newest, at=context.at)
    except BackupRefused as refusal:
        return fault(f"{newest.name} cannot be restored: {refusal}".replace("\n", " "), "make another backup now")
    except OSError as failure:
        return warn(
            f"the restore could not be tested ({failure.strerror})", "let guidance doctor write into the folder"
        )
    return fine(f"{newest.name} was restored in {drilled.seconds:.1f} s: {drilled.verified}")


def check_invariant(
    invariant: Invariant, noun: str, told: str, action: str, intact: str, context: CheckContext
) -> Verdict:
    """`told` has places for the number of broken rows with their `noun`, and for what the first is."""
    broken = find_broken_rows(context, invariant)
    return fault(told.format(counted(len(broken), noun), broken[0]), action) if broken else fine(intact)
