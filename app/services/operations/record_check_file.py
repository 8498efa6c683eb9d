"""The file that says how far the check of the record is: one process of a data folder checks, and a restart goes on."""

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from app.models.base import UtcDateTime
from app.store.private_files import create_private_file
from app.store.record_slices import RecordPass

FILE = "record-check.json"


class RecordCheckState(BaseModel):
    """The check that is under way, and how the last whole one ended."""

    under_way: RecordPass | None = None
    faults: int = 0
    """Of the check that is under way."""
    ended_at: UtcDateTime | None = None
    was_broken: bool = False


class RecordCheckFile:
    """The file in that folder. Where it cannot be written, each process checks for itself, and from the beginning."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._locked: IO[str] | None = None
        self._is_writable = True

    def take(self) -> bool:
        """Return whether this process is the one that checks. It is until it ends."""
        import fcntl  # noqa: PLC0415  # not on every system that the desk's commands run on

        if self._locked is not None or not self._is_writable:
            return True
        try:
            create_private_file(self._path)
            file = self._path.open("r+", encoding="utf-8")
        except OSError:
            self._is_writable = False
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._locked = file
        return True

    def release(self) -> None:
        """Let another process check from now on."""
        if self._locked is not None:
            self._locked.close()
            self._locked = None

    def read(self, *, now: dt.datetime) -> RecordCheckState:
        """Return what the file says; nothing where it says nothing that can be true."""
        with suppress(OSError, ValidationError):
            state = RecordCheckState.model_validate_json(self._path.read_bytes())
            if state.ended_at is None or state.ended_at <= now:
                return state
        return RecordCheckState()

    def write(self, state: RecordCheckState) -> None:
        """Write it down, if this process is the one that checks."""
        if self._locked is None:
            return
        with suppress(OSError):  # the next time writes it
            self._locked.seek(0)
            self._locked.truncate()
            self._locked.write(state.model_dump_json())
            self._locked.flush()
