"""Backing up and restoring the embedded database, with what is kept verified on the way."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.errors import BackupRefused
from app.models.concerns.tables import ConcernRow
from app.models.guidance.guide_tables import EditionRow
from app.services.access.key_files import DEVELOPMENT_IDENTITY, RECEIPT_KEY
from app.services.operations.verification import verify_disclosures, verify_editions
from app.store.backup import copied, faults_in_file, held_alone, put_aside, put_in_place
from app.store.database import DATABASE_FILE
from app.store.tables import table_of


@dataclass(frozen=True)
class Verified:
    """What a copy holds, all of it verified."""

    editions: int
    concerns: int


@dataclass(frozen=True)
class Restored:
    """What was restored, and where the database stands that was there before."""

    verified: Verified
    former: Path | None


def back_up(data_dir: Path, target: Path, *, replace: bool) -> Verified:
    """Write a verified copy of the database to that file, also while it is being served.

    Raises `BackupRefused`, and `FileExistsError` where the file is there already and is not to be replaced.
    """
    source = data_dir / DATABASE_FILE
    if not source.is_file():
        raise BackupRefused(f"there is no database in {data_dir}")
    if target.exists() and not replace:
        raise FileExistsError(target)
    with copied(source, target) as draft:
        verified = verify_copy(draft)
        put_in_place(draft, target, replace=replace)
    return verified


def restore(source: Path, data_dir: Path, *, replace: bool, at: dt.datetime) -> Restored:
    """Put the backup where the service looks for its database; what was there is kept beside it.

    Raises `BackupRefused` where the backup is not whole or a service has the database open, and `FileExistsError` where
    a database is there and is not to be replaced.
    """
    path = data_dir / DATABASE_FILE
    if path.exists() and not replace:
        raise FileExistsError(path)
    data_dir.mkdir(parents=True, exist_ok=True)
    with copied(source, path) as draft:
        verified = verify_copy(draft)
        if not path.exists():
            put_in_place(draft, path, replace=False)
            return Restored(verified, None)
        former = path.with_name(f"{path.name}.before-{at.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}")
        with held_alone(path):
            put_aside(path, former)
            put_in_place(draft, path, replace=False)
    return Restored(verified, former)


def verify_copy(path: Path) -> Verified:
    """Verify a copy: its pages, every edition's digest and every chain of disclosures. Raises `BackupRefused`."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    try:
        faults = faults_in_file(path) or list(_faults_of(engine))
        if faults:
            raise BackupRefused("\n".join(["the copy is not whole, and is not used:", *faults]))
        with engine.connect() as connection:
            editions, concerns = (
                connection.scalar(select(func.count()).select_from(table_of(row))) for row in (EditionRow, ConcernRow)
            )
        return Verified(editions or 0, concerns or 0)
    except SQLAlchemyError:
        raise BackupRefused("it is no database of this service") from None
    finally:
        engine.dispose()


def keys_kept_apart(settings: Settings) -> list[Path]:
    """The key files that this service uses and that stand in no backup of the database."""
    named = [
        settings.receipt_key_file or settings.data_dir / RECEIPT_KEY,
        *settings.retired_receipt_keys,
        settings.seal_identity_file,
        settings.data_dir / DEVELOPMENT_IDENTITY,
        settings.limits_secret_file,
    ]
    return [path for path in named if path is not None and path.exists()]


def _faults_of(engine: Engine) -> Iterator[str]:
    for verdict in verify_editions(engine):
        if verdict.fault is not None:
            yield f"{verdict.key.guide}, edition {verdict.key.number}: {verdict.fault}"
    for chain, fault in verify_disclosures(engine):
        yield f"disclosures of {chain}: {fault}"
