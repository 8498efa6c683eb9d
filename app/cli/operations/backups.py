"""`guidance backup` and `restore`: copies of the database."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import AsJson, SettingsOptions, echo_result, progress
from app.clock import utc_now
from app.config import Settings
from app.errors import BackupRefused, SetupError
from app.models.base import counted
from app.services.operations.backup import (
    RestoreTest,
    back_up,
    backup_path,
    count_erased_since,
    drill_restore,
    keys_outside_backups,
    remove_old_backups,
    restore_backup,
)

NO_PLACE = "give a FILE or a folder, or set GUIDANCE_BACKUP_FOLDER"


def backup(
    *,
    settings: SettingsOptions,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Output file, readable only by its owner; a folder gets a file named by time. Default: "
            "GUIDANCE_BACKUP_FOLDER.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Keep this many of the newest backups named by time, and remove older ones."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Test the copy by restoring it into a temporary folder.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Back up the database and verify the copy. Works while the service runs. Keys are not included.

    For PostgreSQL use pg_dump.
    """
    _require_embedded(settings)
    target = _target_of(path or settings.backup_folder)
    try:
        with progress("Copying and verifying") as show:
            verified = back_up(settings.data_dir, target, replace=force, on_step=show)
        if not as_json:
            typer.echo(f"{target}: {verified}, verified")
        drilled = _drill(target) if test else None
        removed = remove_old_backups(target, keep=keep) if keep is not None else ()
        erased = count_erased_since(settings.data_dir, target.parent)
    except FileExistsError:
        raise typer.BadParameter("the file exists; use --force to replace it") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write the file: {failure.strerror}") from None
    lines = [
        *([_drill_line(target, drilled)] if drilled is not None else []),
        *(f"{old}: removed" for old in removed),
        *_erased_lines(erased),
    ]
    document = {
        "file": str(target),
        **asdict(verified),
        "restored_in_seconds": None if drilled is None else round(drilled.seconds, 3),
        "removed": [str(old) for old in removed],
        "erased_since": {str(old): count for old, count in erased.items()},
        "keys_to_keep": [str(path) for path in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def restore(
    settings: SettingsOptions,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing database, which is renamed, not deleted.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Test by restoring into a temporary folder. The database is not changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a backup and restore it over the database. Stop the service first. Keys are not changed."""
    _require_embedded(settings)
    try:
        if test:
            drilled = _drill(path)
            document = {"file": str(path), **asdict(drilled.verified), "restored_in_seconds": round(drilled.seconds, 3)}
            echo_result([_drill_line(path, drilled)], document, as_json=as_json)
            return
        with progress("Copying and verifying") as show:
            verified, former, lost = restore_backup(path, settings.data_dir, replace=force, at=utc_now(), on_step=show)
    except FileExistsError:
        raise typer.BadParameter("a database exists; use --force to rename it and restore") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write to the folder: {failure.strerror}") from None
    lines = [f"{settings.data_dir}: {verified}, verified"]
    if former is not None:
        lines.append(f"Old database renamed to {former}")
    if lost is not None:
        lines.append(f"{lost}. Tell those whom docs/how-to/back-up-and-restore.md names.")
    document = {
        "folder": str(settings.data_dir),
        **asdict(verified),
        "former_database": None if former is None else str(former),
        "lost": None if lost is None else lost.model_dump(mode="json"),
        "keys_to_keep": [str(key) for key in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def _target_of(place: Path | None) -> Path:
    if place is None:
        raise SetupError(NO_PLACE)
    return backup_path(place, at=utc_now()) if place.is_dir() else place


def _erased_lines(erased: Mapping[Path, int]) -> list[str]:
    """Return a sentence about older backups with text erased since. `erased` has the number of concerns in each."""
    if not erased:
        return []
    last = max(erased, key=lambda path: path.name)
    return [
        f"text erased since is still, encrypted, in {counted(len(erased), 'older backup')}, the newest {last.name}: "
        "a backup cannot be changed, only deleted"
    ]


def _drill(path: Path) -> RestoreTest:
    with progress("Testing a restore") as show:
        return drill_restore(path, at=utc_now(), on_step=show)


def _drill_line(path: Path, drilled: RestoreTest) -> str:
    found = f"restored in {drilled.seconds:.1f} s into a temporary folder: {drilled.verified}"
    return f"{path}: {found}, as at a start"


def _require_embedded(settings: Settings) -> None:
    if settings.database_url is not None:
        raise BackupRefused("the database is PostgreSQL: use pg_dump and pg_restore")


def _list_missing_keys(settings: Settings) -> None:
    files = "".join(f"\n  {path}" for path in keys_outside_backups(settings))
    typer.echo(
        "Backups contain no keys, and concerns cannot be decrypted without them. Store these in another safe place: "
        f"the identities of every recipient in GUIDANCE_SEAL_TO{', and these files:' + files if files else '.'}",
        err=True,
    )
