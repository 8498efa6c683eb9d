"""The move of the service to another database: a verified copy, from SQLite to PostgreSQL or back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.db.database import open_database
from app.errors import CopyRefused, RowNotStored
from app.extensions.operator_tools.services.row_copying import copy_rows
from app.models.base import OnStep
from app.services.access.row_signing import open_access_keys
from app.services.operations.concern_verification import UNREADABLE
from app.services.operations.verification import Verified, count_verified


@dataclass(frozen=True)
class Copied:
    """`was_there`: the target already had an equal copy."""

    verified: Verified
    rows: int
    was_there: bool


@contextmanager
def open_target(place: str, settings: Settings) -> Iterator[Engine]:
    """`place` is a PostgreSQL URL, or a folder, made if absent.

    Raise `SetupError`, or `CopyRefused` for the own database.
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


def copy_database(source: Engine, target: Engine, on_step: OnStep) -> Copied:
    """Copy and compare every row, as `copy_rows`, with its errors. After an error `target` is unchanged.

    Raise `CopyRefused` also for an unreadable row, or if a database fails.
    """
    try:
        rows, was_there = copy_rows(source, target, on_step)
    except (DBAPIError, RowNotStored) as failure:
        name = type(getattr(failure, "orig", failure)).__name__
        raise CopyRefused(f"a database failed ({name}). Nothing was copied: repeat the command later") from None
    except UNREADABLE:
        raise CopyRefused("a row cannot be read: `guidance verify` names it. Nothing was copied") from None
    return Copied(count_verified(target), rows, was_there)
