"""The move of the service to another database: a verified copy, from SQLite to PostgreSQL or back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.db.backup import exclusive_lock
from app.db.copying import copy_rows
from app.db.database import DATABASE_FILE, open_database
from app.errors import CopyRefused, RowNotStored
from app.models.base import OnStep
from app.services.access.row_signing import open_access_keys
from app.services.operations.backup import count_verified
from app.services.operations.concern_verification import UNREADABLE


@dataclass(frozen=True)
class Copied:
    """The numbers of editions, concerns and rows in the copy of a database.

    `was_there` is True if the target database already had an equal copy, so that nothing was written.
    """

    editions: int
    concerns: int
    rows: int
    was_there: bool


@contextmanager
def open_target(place: str, settings: Settings) -> Iterator[Engine]:
    """Yield an engine for the database `place`, to which the service is to be moved. Close the engine afterwards.

    `place` is the URL of a PostgreSQL database, or the folder of an embedded database. Create the folder, with an empty
    database file, if it is absent. The engine checks rows with the access keys of `settings`. Raise `SetupError` if
    `place` is a URL, but not of PostgreSQL. Raise `CopyRefused` if `place` is the database in `settings`.
    """
    address = place if "://" in place else None
    if place == settings.database_address or (
        settings.database_address is None and address is None and Path(place).resolve() == settings.data_dir.resolve()
    ):
        raise CopyRefused("the target is the database of this service: name another one")
    engine = open_database(settings.data_dir if address else Path(place), address)
    open_access_keys(settings, engine)
    try:
        yield engine
    finally:
        engine.dispose()


def require_stopped(data_dir: Path) -> None:
    """Raise `BackupRefused` if another process has the embedded database in `data_dir` open.

    A running service could store concerns that the copy then lacks.
    """
    with exclusive_lock(data_dir / DATABASE_FILE):
        pass


def copy_database(source: Engine, target: Engine, on_step: OnStep) -> Copied:
    """Copy all rows of `source` into the empty database `target`, compare every row, and return the counts of the copy.

    If `target` already has an equal copy, write nothing. `on_step` gets the number of rows written and compared so far,
    and the number to write and compare in all. After an error `target` is unchanged, and the copy can be repeated.

    Raise `CopyRefused` and the other errors of `copy_rows`. Raise `CopyRefused` also if `source` has an unreadable row,
    or if a database fails.
    """
    try:
        copied = copy_rows(source, target, on_step)
    except (DBAPIError, RowNotStored) as failure:
        name = type(getattr(failure, "orig", failure)).__name__
        raise CopyRefused(f"a database failed ({name}). Nothing was copied: repeat the command later") from None
    except UNREADABLE:
        raise CopyRefused("a row cannot be read: `guidance verify` names it. Nothing was copied") from None
    counted = count_verified(target)
    return Copied(counted.editions, counted.concerns, copied.rows, copied.was_there)
