"""Copies, checks and locks of the embedded database."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.db.database import open_sqlite_to_read
from app.errors import BackupRefused
from app.models.base import OnStep, show_no_progress

PAGES_PER_STEP = 256
SIDE_FILES = ("-wal", "-shm", "-journal")
OF_THE_COPY = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR_WRITE: errno.EIO}
"""About the copy, since nothing is written to the source."""


@contextmanager
def database_copy(source: Path, beside: Path, on_step: OnStep = show_no_progress) -> Iterator[Path]:
    """Yield a flushed, private copy of `source`, deleted afterwards unless the caller has renamed it.

    The copy is one snapshot: writers neither wait for it nor restart it. `on_step` gets the pages copied and in all.
    Raise `BackupRefused` if `source` is no readable database, `OSError` if the copy cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=beside.parent, prefix=f".{beside.name}.")  # made with mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        try:
            _copy(source, draft, on_step)
        except sqlite3.Error as failure:
            if unwritten := find_write_error(failure, draft):
                raise unwritten from None
            raise BackupRefused(f"{source} cannot be read as a database, or is damaged") from None
        flush(draft)
        yield draft
    finally:
        for path in (draft, *(Path(f"{draft}{ending}") for ending in SIDE_FILES)):
            path.unlink(missing_ok=True)


def find_write_error(failure: BaseException | None, copy: Path) -> OSError | None:
    code = OF_THE_COPY.get(getattr(failure, "sqlite_errorcode", 0))
    return None if code is None else OSError(code, os.strerror(code), str(copy))


def find_file_faults(path: Path) -> list[str]:
    """Return a sentence for each damaged page or index (at most 100), and each foreign key without a row."""
    try:
        with closing(open_sqlite_to_read(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            found += [f"a row of {row[0]} points nowhere" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.Error:
        return ["it cannot be read as a database, or is damaged"]
    return [fault for fault in found if fault != "ok"]


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Keep other processes out of the database within the block, its write-ahead log emptied into the file first.

    Raise `BackupRefused` if another process has it open. A damaged database, which cannot be locked, is not refused.
    """
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BackupRefused(f"{path} is open elsewhere: stop the service first") from None
        except sqlite3.DatabaseError:
            pass  # the database is damaged: a reason to restore a backup
        yield


def flush(path: Path) -> None:
    """Flush a file, or a folder, and with it the names of its files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_into_place(draft: Path, path: Path, *, replace: bool) -> None:
    """Rename `draft` to `path`, and flush.

    Unless `replace`, an existing `path` raises `FileExistsError` and `draft` stays.
    """
    if replace:
        draft.replace(path)
    else:
        os.link(draft, path)
    flush(path.parent)


def move_aside(path: Path, aside: Path) -> None:
    """Rename a database with its side files, and flush the folder."""
    for ending in ("", *SIDE_FILES):
        file = Path(f"{path}{ending}")
        if file.exists():
            file.rename(f"{aside}{ending}")
    flush(path.parent)


def _copy(source: Path, draft: Path, on_step: OnStep) -> None:
    with closing(open_sqlite_to_read(source)) as reading, closing(sqlite3.connect(draft)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # SQLite takes the snapshot here
        reading.backup(
            writing,
            pages=PAGES_PER_STEP,
            sleep=0,
            progress=lambda _status, remaining, total: on_step(total - remaining, total),
        )
        writing.execute("PRAGMA journal_mode=DELETE").fetchone()  # so that the copy is one file
