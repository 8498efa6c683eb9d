"""Checks of backups: how old the newest is, and whether it can be restored."""

import datetime as dt
from pathlib import Path

from app.errors import BackupRefused
from app.services.operations.doctor.finding import Check, Verdict, fault, fine, unknown, warn
from app.services.operations.doctor.patient import Patient
from app.services.operations.drill import drill_restore

OLD, TOO_OLD = dt.timedelta(hours=26), dt.timedelta(days=7)
UNSET = "GUIDANCE_BACKUP_FOLDER is not set, so it is not known"
AN_HOUR = dt.timedelta(hours=1)
EACH_NIGHT = {True: "run guidance backup each night", False: "run pg_dump into it each night"}
"""What makes a backup of the embedded database, and of one of PostgreSQL."""


def check_backup(patient: Patient) -> Verdict:
    """Check that the newest backup is of the last day."""
    folder, each_night = patient.settings.backup_folder, EACH_NIGHT[patient.is_embedded]
    if folder is None:
        return warn(f"{UNSET} whether there are backups", f"set it, and {each_night}")
    newest = _newest(patient, folder)
    if newest is None:
        return fault(f"there is no backup in {folder}", each_night)
    age = patient.at - dt.datetime.fromtimestamp(newest.stat().st_mtime, dt.UTC)
    found = f"the newest backup is {age // AN_HOUR} hours old ({newest.name})"
    if age > TOO_OLD:
        return fault(found, "find out why the nightly backup ended")
    return warn(found, each_night) if age > OLD else fine(found)


def check_restore(patient: Patient) -> Verdict:
    """Restore the newest backup into a folder that is deleted again."""
    folder = patient.settings.backup_folder
    if not patient.is_embedded:
        return unknown("restore a copy of the pg_dump yourself, then run guidance verify on it")
    if folder is None:
        return warn(f"{UNSET} whether a backup restores", "set it")
    newest = _newest(patient, folder)
    if newest is None:
        return fault("there is no backup to restore", "run guidance backup each night")
    try:
        drilled = drill_restore(newest, at=patient.at)
    except BackupRefused as refusal:
        return fault(f"{newest.name} cannot be restored: {refusal}".replace("\n", " "), "make another at once")
    except OSError as failure:
        return warn(f"the drill could not be made ({failure.strerror})", "let guidance doctor write into the folder")
    return fine(f"{newest.name} was restored in {drilled.seconds:.1f} s: {drilled.verified.concerns} concerns")


def _newest(patient: Patient, folder: Path) -> Path | None:
    """Return the newest backup, or None. With PostgreSQL every file in the folder counts as one, else every `.db`."""
    named = folder.glob("[!.]*.db" if patient.is_embedded else "[!.]*")
    files = [path for path in named if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime, default=None)


BACKUPS = "docs/how-to/back-up-and-restore.md"
BACKUP_CHECKS = (
    Check("backup", check_backup, BACKUPS),
    Check("restore", check_restore, f"{BACKUPS}#drill", is_long=True),
)
