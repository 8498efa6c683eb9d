"""Copies of the embedded database, whole and consistent, also while it is being written to."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.errors import BackupRefused

PAGES_A_STEP = 256
BESIDE = ("-wal", "-shm", "-journal")


@contextmanager
def copied(source: Path, beside: Path) -> Iterator[Path]:
    """A copy of the database in a draft beside that path, readable by its owner alone and flushed to the disk.

    The copy is of one moment, that at which it began: it holds one snapshot, so writers neither wait for it nor make it
    begin anew. The draft is gone afterwards, unless it was given a name. Raises `BackupRefused`.
    """
    descriptor, name = tempfile.mkstemp(dir=beside.parent, prefix=f".{beside.name}.")  # made with mode 0600
    os.close(descriptor)
    draft = Path(name)
    try:
        try:
            _copy(source, draft)
        except sqlite3.Error:
            raise BackupRefused(f"{source} cannot be read as a database, or is damaged") from None
        flush(draft)
        yield draft
    finally:
        for path in (draft, *(Path(f"{draft}{ending}") for ending in BESIDE)):
            path.unlink(missing_ok=True)


def faults_in_file(path: Path) -> list[str]:
    """What SQLite itself finds wrong with the database: its pages and indexes, and rows that point nowhere."""
    try:
        with closing(_open_to_read(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            found += [f"a row of {row[0]} points nowhere" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.Error:
        return ["it cannot be read as a database, or is damaged"]
    return [fault for fault in found if fault != "ok"]


@contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """Hold the database so that nobody else has it open, with everything in its one file.

    Raises `BackupRefused` where somebody has. A damaged one is held as far as it can be.
    """
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BackupRefused(f"{path} is open elsewhere: stop the service first") from None
        except sqlite3.DatabaseError:
            pass  # damaged, which is why somebody restores another
        yield


def flush(path: Path) -> None:
    """Bring the file, or the names in the folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(draft: Path, path: Path, *, replace: bool) -> None:
    """Give the draft its name. Raises `FileExistsError` where something has that name and is not to be replaced."""
    if replace:
        draft.replace(path)
    else:
        os.link(draft, path)
    flush(path.parent)


def put_aside(path: Path, aside: Path) -> None:
    """Rename the database, with what may stand beside it."""
    for ending in ("", *BESIDE):
        part = Path(f"{path}{ending}")
        if part.exists():
            part.rename(f"{aside}{ending}")
    flush(path.parent)


def _copy(source: Path, draft: Path) -> None:
    with closing(_open_to_read(source)) as reading, closing(sqlite3.connect(draft)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on, this is the moment
        reading.backup(writing, pages=PAGES_A_STEP, sleep=0)
        writing.execute("PRAGMA journal_mode=DELETE").fetchone()  # so that the copy is one file


def _open_to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
