"""`guidance backup`, `guidance restore`, `guidance verify` and `guidance migrate`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.cli.options import DataDir, EnvFile, open_engine, read_settings
from app.cli.stored_checkpoints import read_checkpoints
from app.config import Settings
from app.errors import BackupRefused, DatabaseUnreadable
from app.main import utc_now
from app.services.desk.signed_notes import Checkpoint
from app.services.operations.backup import back_up, keys_outside_backups, restore_backup
from app.services.operations.verification import find_faults, verify_database, verify_editions
from app.store.schema import migrate_schema


def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy; readable by its owner alone.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Copy the database to FILE, also while the service runs, and verify the copy. It holds no keys.

    With PostgreSQL use pg_dump instead.
    """
    settings = _require_embedded(read_settings(data_dir, env_file))
    try:
        verified = back_up(settings.data_dir, path, replace=force)
    except FileExistsError:
        raise typer.BadParameter("that file exists already; it is left as it is (--force replaces it)") from None
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None
    typer.echo(f"{path}: {verified.editions} editions and {verified.concerns} concerns, verified")
    _list_missing_keys(settings)


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a database that is there; it is renamed, not deleted.")
    ] = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Verify a backup and put it in place of the database. Stop the service first. Its keys do not change."""
    settings = _require_embedded(read_settings(data_dir, env_file))
    try:
        verified, former = restore_backup(path, settings.data_dir, replace=force, at=utc_now())
    except FileExistsError:
        raise typer.BadParameter("a database is there already; it is left as it is (--force renames it)") from None
    except OSError as failure:
        raise typer.BadParameter(f"the folder cannot be written: {failure.strerror}") from None
    typer.echo(f"{settings.data_dir}: {verified.editions} editions and {verified.concerns} concerns, verified")
    if former is not None:
        typer.echo(f"The former database is now {former}")
    _list_missing_keys(settings)


def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that somebody else stored. Repeat the option for each.", exists=True),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The key of the checkpoints (`guidance audit key`). Without it: the keys on this machine."),
    ] = None,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Verify the pages, the rules, every digest and every hash, and compare rows with their disclosures.

    The exit status is 1 if one is wrong. With checkpoints it also finds a database that was rolled back, and a record
    that was rewritten as a whole.
    """
    settings = read_settings(data_dir, env_file)
    checkpoints = read_checkpoints(checkpoint or (), settings, key)
    faults = 0
    with open_engine(settings) as engine:
        try:
            for line, is_fault in _verify(engine, checkpoints):
                faults += is_fault
                typer.echo(line)
        except DBAPIError:
            raise DatabaseUnreadable from None
    for name, each in checkpoints:
        typer.echo(f"{name}: compared with the first {each.size} disclosures")
    if faults:
        raise typer.Exit(1)


def _verify(engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]]) -> Iterator[tuple[str, bool]]:
    """Yield each line of the report, and whether it is a fault."""
    for fault in verify_database(engine):
        yield f"database: {fault}", True
    for edition, edition_fault in verify_editions(engine):
        yield f"{edition}: {edition_fault or 'as published'}", edition_fault is not None
    for name, fault in find_faults(engine, checkpoints):
        yield f"{name}: {fault}", True


def migrate(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Migrate the database to the schema of this program: completely, or not at all.

    A node does not serve a shared database with an older schema. Stop the nodes, back up the database, run this once,
    then start the nodes.
    """
    settings = read_settings(data_dir, env_file)
    with open_engine(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    typer.echo(f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}")


def _require_embedded(settings: Settings) -> Settings:
    if settings.database_url is not None:
        raise BackupRefused("the database is one of PostgreSQL: copy it with pg_dump, and put it back with pg_restore")
    return settings


def _list_missing_keys(settings: Settings) -> None:
    files = "".join(f"\n  {path}" for path in keys_outside_backups(settings))
    typer.echo(
        "A backup holds no keys, and sealed concerns cannot be opened without them. Store these in another safe place: "
        f"the identities of every recipient in GUIDANCE_SEAL_TO{', and these files:' + files if files else '.'}",
        err=True,
    )
