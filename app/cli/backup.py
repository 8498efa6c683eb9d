"""`guidance backup` and `guidance restore`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DataDir, EnvFile, read_settings
from app.config import Settings
from app.errors import BackupRefused
from app.main import utc_now
from app.services.operations.backup import back_up, keys_outside_backups
from app.services.operations.backup import restore as restore_backup


def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy; readable by its owner alone.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE where it is there already.")] = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Copy the database to FILE, also while serving, and verify the copy. Keys are not in it.

    With PostgreSQL use pg_dump instead.
    """
    settings = _of_the_embedded(read_settings(data_dir, env_file))
    try:
        verified = back_up(settings.data_dir, path, replace=force)
    except FileExistsError:
        raise typer.BadParameter("that file exists already; it is left as it is (--force replaces it)") from None
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None
    typer.echo(f"{path}: {verified.editions} editions and {verified.concerns} concerns, verified")
    _tell_of_keys(settings)


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Put it in place of a database; that one is kept.")] = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Put a backup in place of the database, after verifying it. Stop the service first; its keys are not touched."""
    settings = _of_the_embedded(read_settings(data_dir, env_file))
    try:
        restored = restore_backup(path, settings.data_dir, replace=force, at=utc_now())
    except FileExistsError:
        raise typer.BadParameter("a database is there already; it is left as it is (--force puts it aside)") from None
    except OSError as failure:
        raise typer.BadParameter(f"the folder cannot be written: {failure.strerror}") from None
    verified = restored.verified
    typer.echo(f"{settings.data_dir}: {verified.editions} editions and {verified.concerns} concerns, verified")
    if restored.former is not None:
        typer.echo(f"What was there before is kept: {restored.former}")
    _tell_of_keys(settings)


def _of_the_embedded(settings: Settings) -> Settings:
    if settings.database_url is not None:
        raise BackupRefused("the database is one of PostgreSQL: copy it with pg_dump, and put it back with pg_restore")
    return settings


def _tell_of_keys(settings: Settings) -> None:
    kept = "".join(f"\n  {path}" for path in keys_outside_backups(settings))
    typer.echo(
        "Keys stand in no backup, and sealed concerns cannot be opened without theirs. Keep apart, and safe, the "
        f"identities of every recipient in GUIDANCE_SEAL_TO{', and these files:' + kept if kept else '.'}",
        err=True,
    )
