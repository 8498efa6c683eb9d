"""The restore drill: a backup is restored into an empty folder and opened as at a start, and then removed."""

import datetime as dt
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from app.errors import BackupRefused, SchemaAltered, SchemaUnknown
from app.services.operations.backup import Verified, restore_backup
from app.store.database import open_database
from app.store.schema import prepare_schema


@dataclass(frozen=True)
class Drilled:
    """What the drill found in the restored database, and the seconds that the restore took."""

    verified: Verified
    seconds: float


def drill_restore(backup: Path, *, at: dt.datetime, beside: Path | None = None) -> Drilled:
    """Restore the backup into a private folder, which is deleted afterwards. Nothing else changes.

    The folder is made in `beside`; without it, beside the backup. Raises `BackupRefused`, and `OSError` if there is no
    room.
    """
    with tempfile.TemporaryDirectory(dir=beside or backup.parent, prefix=".drill-") as folder:  # made with mode 0700
        started = time.monotonic()
        verified, _ = restore_backup(backup, Path(folder) / "data", replace=False, at=at)
        engine = open_database(Path(folder) / "data")
        try:
            prepare_schema(engine, Path(folder) / "data")
        except (SchemaAltered, SchemaUnknown) as refusal:
            raise BackupRefused(f"a start of the service refuses it: {refusal}") from None
        finally:
            engine.dispose()
        return Drilled(verified, time.monotonic() - started)
