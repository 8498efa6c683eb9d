"""Backups in one folder: their names, the newest of them, and the removal of old ones."""

import datetime as dt
import re
from pathlib import Path

from app.store.backup import flush

BACKUP_NAME = re.compile(r"guidance-[0-9]{8}T[0-9]{6}Z\.db")


def backup_path(folder: Path, *, at: dt.datetime) -> Path:
    """Return the path of a new backup in the folder: its name is the time in UTC, so that names sort by age."""
    return folder / f"guidance-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}.db"


def list_backups(folder: Path) -> list[Path]:
    """Return the backups of the folder that `backup_path` named, the newest first."""
    named = (path for path in folder.iterdir() if BACKUP_NAME.fullmatch(path.name) and path.is_file())
    return sorted(named, key=lambda path: path.name, reverse=True)


def remove_old_backups(newest: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest so many from the folder of the newest, and return those that were removed.

    Other files are left alone, and so is the newest itself, whatever the clock said when the others were named.
    """
    folder = newest.parent
    others = [path for path in list_backups(folder) if path != newest]
    old = others[keep - 1 :]
    for path in old:
        path.unlink()
    if old:
        flush(folder)
    return old
