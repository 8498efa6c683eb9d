"""`guidance backup` and `guidance restore`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import AsJson, DataDir, EnvFile, read_settings
from app.cli.terminal import echo_result, progress
from app.config import Settings
from app.errors import BackupRefused, SetupError
from app.main import utc_now
from app.services.operations.backup import (
    Drilled,
    Verified,
    back_up,
    backup_path,
    drill_restore,
    keys_outside_backups,
    remove_old_backups,
    restore_backup,
)

NO_PLACE = "name a FILE or a folder, or set GUIDANCE_BACKUP_FOLDER"


def backup(
    *,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Where to write the copy, readable by its owner alone; in a folder it gets the time as its name. "
            "Without FILE: in GUIDANCE_BACKUP_FOLDER.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Afterwards remove all but the newest so many that were named by their time."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Restore the copy into an empty folder, open it, and remove that folder.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Copy the database, also while the service runs, and verify the copy. It holds no keys.

    With PostgreSQL use pg_dump instead.
    """
    settings = _require_embedded(read_settings(data_dir, env_file))
    target = _target_of(path or settings.backup_folder)
    try:
        with progress("Copying") as show:
            verified = back_up(settings.data_dir, target, replace=force, on_step=show)
        if not as_json:
            typer.echo(f"{target}: {_counts(verified)}, verified")
        drilled = drill_restore(target, at=utc_now()) if test else None
        removed = remove_old_backups(target, keep=keep) if keep is not None else ()
    except FileExistsError:
        raise typer.BadParameter("that file exists already; it is left as it is (--force replaces it)") from None
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None
    lines = [*([_drill_line(target, drilled)] if drilled is not None else []), *(f"{old}: removed" for old in removed)]
    document = {
        "file": str(target),
        **asdict(verified),
        "restored_in_seconds": None if drilled is None else round(drilled.seconds, 3),
        "removed": [str(old) for old in removed],
        "keys_to_keep": [str(path) for path in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a database that is there; it is renamed, not deleted.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Restore into an empty folder, which is removed. The database stays.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Verify a backup and put it in place of the database. Stop the service first. Its keys do not change."""
    settings = _require_embedded(read_settings(data_dir, env_file))
    try:
        if test:
            drilled = drill_restore(path, at=utc_now())
            document = {"file": str(path), **asdict(drilled.verified), "restored_in_seconds": round(drilled.seconds, 3)}
            echo_result([_drill_line(path, drilled)], document, as_json=as_json)
            return
        with progress("Restoring") as show:
            verified, former = restore_backup(path, settings.data_dir, replace=force, at=utc_now(), on_step=show)
    except FileExistsError:
        raise typer.BadParameter("a database is there already; it is left as it is (--force renames it)") from None
    except OSError as failure:
        raise typer.BadParameter(f"the folder cannot be written: {failure.strerror}") from None
    lines = [f"{settings.data_dir}: {_counts(verified)}, verified"]
    if former is not None:
        lines.append(f"The former database is now {former}")
    document = {
        "folder": str(settings.data_dir),
        **asdict(verified),
        "former_database": None if former is None else str(former),
        "keys_to_keep": [str(key) for key in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def _target_of(place: Path | None) -> Path:
    if place is None:
        raise SetupError(NO_PLACE)
    return backup_path(place, at=utc_now()) if place.is_dir() else place


def _counts(verified: Verified) -> str:
    return f"{verified.editions} editions and {verified.concerns} concerns"


def _drill_line(path: Path, drilled: Drilled) -> str:
    found = _counts(drilled.verified)
    return f"{path}: restored in {drilled.seconds:.1f} s into a folder that is removed again: {found}, as at a start"


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
