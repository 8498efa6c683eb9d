"""The data folder and its files, which only their owner can read."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from app.logs import Log

FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
LOST_AND_FOUND = "lost+found"  # a folder in the root of each separate disk

log = Log(__name__)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can use. Folders above it get the usual access."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def create_private_file(path: Path) -> None:
    """Create the file if absent. SQLite gives side files the mode of the database."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR))


def close_to_others(folder: Path, own_files: str) -> None:
    """Remove all access of group and others to `folder` and its files, and log each path to which they had access.

    A folder that other programs use too (such as /tmp, or one with folders in it) keeps its mode. Only files in it that
    match `own_files` are changed.
    """
    is_sticky = bool(folder.stat().st_mode & stat.S_ISVTX)
    is_shared = is_sticky or any(path.is_dir() and path.name != LOST_AND_FOUND for path in folder.iterdir())
    _close(folder, is_closed=not is_shared)
    for path in sorted(folder.glob(own_files if is_shared else "*")):
        if not path.is_symlink() and path.is_file():
            _close(path)


def _close(path: Path, *, is_closed: bool = True) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & FOR_OTHERS:
            return
        if is_closed:
            path.chmod(mode & ~FOR_OTHERS)
    except FileNotFoundError:  # another process removed it
        return
    except OSError:  # another user owns it, or the disk is read-only
        is_closed = False
    if is_closed:
        log.warning("closed_to_others", path=str(path))
    else:
        log.warning("open_to_others", path=str(path))
