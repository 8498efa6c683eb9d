"""Backup and restore of the embedded database, tests of a restore, and the folder of backups.

Every copy is verified.
"""

import datetime as dt
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Select, create_engine, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from app.config import Settings
from app.db.database import DATABASE_FILE, open_database, open_to_read
from app.db.file_copies import (
    database_copy,
    exclusive_lock,
    find_file_faults,
    find_write_error,
    flush,
    move_aside,
    move_into_place,
)
from app.db.private_files import make_private_folder
from app.db.schema import find_foreign_objects, find_schema_faults, is_behind, migrate_schema, prepare_schema
from app.db.tables import table_of
from app.errors import BackupRefused, GuidanceError, SchemaAltered, SchemaUnknown
from app.models.audit.details import EntriesLostDetails
from app.models.base import OnStep, show_no_progress, steps_of_half
from app.models.concerns.rows import ConcernRow
from app.services.access.row_signing import ACCESS_KEY
from app.services.audit.lost_entries import KnownEnd, find_end, note_restore
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, RECEIPT_KEY
from app.services.events.webhook_keys import open_webhook_keys
from app.services.operations.verification import Verified, count_verified, find_all_faults

BACKUP_NAME = re.compile(r"guidance-[0-9]{8}T[0-9]{6}Z\.db")


class Restored(NamedTuple):
    """The result of a restore. `former` is the former database's new path, if there was one.

    `lost` is None if the backup lacks nothing.
    """

    verified: Verified
    former: Path | None
    lost: EntriesLostDetails | None


def back_up(data_dir: Path, target: Path, *, replace: bool, on_step: OnStep = show_no_progress) -> Verified:
    """Write a verified copy; the database may be in use. `on_step` gets the pages copied and their total.

    Raise `BackupRefused` if there is no database or the copy is faulty, `FileExistsError` if `target` exists and
    `replace` is False, `SetupError` if version 0.2.0 wrote the database, or `OSError`.
    """
    source = data_dir / DATABASE_FILE
    if not source.is_file():
        raise BackupRefused(f"there is no database in {data_dir}")
    if target.exists() and not replace:
        raise FileExistsError(target)
    with database_copy(source, target, steps_of_half(on_step, 0)) as draft:
        verified = verify_copy(draft, steps_of_half(on_step, 1))
        move_into_place(draft, target, replace=replace)
    return verified


def restore_backup(
    source: Path, data_dir: Path, *, replace: bool, at: dt.datetime, on_step: OnStep = show_no_progress
) -> Restored:
    """Verify a copy of the backup `source`, and move the copy into `data_dir` as the service's database.

    Create `data_dir` if it is missing, and remove it again if the backup is refused. If a database exists, rename it:
    the new name contains the time `at` in UTC. `on_step` gets the number of pages copied so far, and of all pages.

    Raise `BackupRefused` if the backup has a fault, or if another process has the previous database open. Raise
    `FileExistsError` if a database exists and `replace` is False. Raise `SetupError` if version 0.2.0 made the schema.
    Raise `OSError` if the folder cannot be written to.
    """
    path = data_dir / DATABASE_FILE
    if path.exists() and not replace:
        raise FileExistsError(path)
    is_new = not data_dir.exists()
    make_private_folder(data_dir)
    end_before = _read_end(data_dir, at=at)
    try:
        verified, former = _restore(source, path, at=at, on_step=on_step)
    except GuidanceError:
        if is_new:
            data_dir.rmdir()
        raise
    lost = None
    with suppress(SQLAlchemyError), Session(open_to_read(data_dir)) as session:  # the schema may be older
        lost = note_restore(session, data_dir, end_before, at=at)
    return Restored(verified, former, lost)


def _read_end(data_dir: Path, *, at: dt.datetime) -> tuple[str, KnownEnd] | None:
    """Return the end of the audit log in `data_dir` (see `find_end`), or None if there is none that can be read."""
    with suppress(SQLAlchemyError), Session(open_to_read(data_dir)) as session:
        return find_end(session, at=at)
    return None


def _restore(source: Path, path: Path, *, at: dt.datetime, on_step: OnStep) -> tuple[Verified, Path | None]:
    with database_copy(source, path, steps_of_half(on_step, 0)) as draft:
        verified = verify_copy(draft, steps_of_half(on_step, 1))
        if not path.exists():
            move_into_place(draft, path, replace=False)
            return verified, None
        former = path.with_name(f"{path.name}.before-{at.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}")
        with exclusive_lock(path):
            move_aside(path, former)
            move_into_place(draft, path, replace=False)
    return verified, former


def verify_copy(path: Path, on_step: OnStep = show_no_progress) -> Verified:
    """Verify pages, then schema, then rows (`find_all_faults`). An older schema is migrated in a copy first.

    Raise `BackupRefused` with the faults of the first stage that has some, or if it is not a database. Raise
    `SetupError` (version 0.2.0) or `OSError`.
    """
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    try:
        _refuse(find_file_faults(path))
        if is_behind(engine):
            with _migrated_copy(path) as newest:
                return verify_copy(newest, on_step)
        with engine.connect() as connection:
            _refuse([*find_schema_faults(connection), *find_foreign_objects(connection)])
        _refuse([f"{name}: {fault}" for name, fault in find_all_faults(engine, on_step)])
        return count_verified(engine)
    except SchemaAltered as altered:
        raise BackupRefused(str(altered)) from None
    except (SQLAlchemyError, SchemaUnknown):
        raise BackupRefused("it is no database of this service, or a newer version made it") from None
    finally:
        engine.dispose()


def keys_outside_backups(settings: Settings) -> list[Path]:
    """Return the key files, which no backup has: the operator backs them up separately."""
    return [path for _, path in key_files(settings)]


def key_files(settings: Settings) -> list[tuple[str, Path]]:
    """Return the key files that exist, each with the name of its setting."""
    files = [
        ("GUIDANCE_RECEIPT_KEY_FILE", settings.receipt_key_file or settings.data_dir / RECEIPT_KEY),
        *(("GUIDANCE_RETIRED_RECEIPT_KEYS", path) for path in settings.retired_receipt_keys),
        ("GUIDANCE_WEBHOOK_KEY_FILE", open_webhook_keys(settings).path),
        ("GUIDANCE_ACCESS_KEY_FILE", settings.access_key_file or settings.data_dir / ACCESS_KEY),
        ("GUIDANCE_SEAL_IDENTITY_FILE", settings.seal_identity_file),
        ("GUIDANCE_SEAL_IDENTITY_FILE", settings.data_dir / DEVELOPMENT_IDENTITY),
        ("GUIDANCE_LIMITS_SECRET_FILE", settings.limits_secret_file),
    ]
    return [(name, path) for name, path in files if path is not None and path.exists()]


@contextmanager
def _migrated_copy(path: Path) -> Iterator[Path]:
    with database_copy(path, beside=path) as draft:
        engine = create_engine(f"sqlite:///{draft}", hide_parameters=True)
        try:
            migrate_schema(engine, None)
        except DBAPIError as failure:
            if unwritten := find_write_error(failure.orig, draft):
                raise unwritten from None
            raise
        finally:
            engine.dispose()
        yield draft


def _refuse(faults: list[str]) -> None:
    if faults:
        raise BackupRefused("\n".join(["the copy is not whole, and is not used:", *faults]))


@dataclass(frozen=True)
class RestoreTest:
    """The counts of a restored backup, and the seconds that the restore took."""

    verified: Verified
    seconds: float


def drill_restore(backup: Path, *, at: dt.datetime, on_step: OnStep = show_no_progress) -> RestoreTest:
    """Restore into a private temporary folder, and prepare the schema as a start does. The database does not change.

    Raise `BackupRefused`, also if a start would refuse it, `SetupError` (version 0.2.0), `OSError`.
    """
    with tempfile.TemporaryDirectory(dir=backup.parent, prefix=".drill-") as folder:  # created with mode 0700
        started = time.monotonic()
        verified, *_ = restore_backup(backup, Path(folder) / "data", replace=False, at=at, on_step=on_step)
        engine = open_database(Path(folder) / "data")
        try:
            prepare_schema(engine, Path(folder) / "data", migrates=True)
        except (SchemaAltered, SchemaUnknown) as refusal:
            raise BackupRefused(f"a start of the service refuses it: {refusal}") from None
        finally:
            engine.dispose()
        return RestoreTest(verified, time.monotonic() - started)


def backup_path(folder: Path, *, at: dt.datetime) -> Path:
    """Return a new name with the time in UTC, so that names sort by age. If it is taken, take the next second."""
    path = folder / f"guidance-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}.db"
    return backup_path(folder, at=at + dt.timedelta(seconds=1)) if path.exists() else path


def list_backups(folder: Path) -> list[Path]:
    """Return the backups whose names are as by `backup_path`, latest first."""
    named = (path for path in folder.iterdir() if BACKUP_NAME.fullmatch(path.name) and path.is_file())
    return sorted(named, key=lambda path: path.name, reverse=True)


def count_erased_since(data_dir: Path, folder: Path) -> dict[Path, int]:
    """Return, by backup, how many erased concerns it still has as encrypted text. Backups with none are left out.

    A backup may only be deleted: the audit log of a changed one would contradict the signed checkpoints.
    """
    engine = open_to_read(data_dir)
    try:
        with engine.connect() as connection:
            found = {path: connection.scalar(_erased_after(path)) or 0 for path in list_backups(folder)}
    finally:
        engine.dispose()
    return {path: count for path, count in found.items() if count}


def _erased_after(backup: Path) -> Select[Any]:
    made = dt.datetime.strptime(backup.stem, "guidance-%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    concerns = table_of(ConcernRow).c
    return select(func.count()).where(concerns.erased_at > made, concerns.received_at <= made)


def remove_old_backups(newest: Path, *, keep: int) -> list[Path]:
    """Remove all but `keep` backups. `newest` stays, whatever a wrong clock called the others."""
    folder = newest.parent
    others = [path for path in list_backups(folder) if path != newest]
    old = others[keep - 1 :]
    for path in old:
        path.unlink()
    if old:
        flush(folder)
    return old
