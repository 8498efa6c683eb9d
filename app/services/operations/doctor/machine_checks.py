"""Checks of the machine: private files, the disk and its flush, and the clock."""

import datetime as dt
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from app.services.operations.doctor.finding import Check, Verdict, fault, fine, unknown, warn, worst
from app.services.operations.doctor.patient import Patient
from app.store.checkpoints import find_last_disclosure_time
from app.store.private_files import FOR_OTHERS

GIGABYTE = 1_000_000_000
FAULTY_FREE_BYTES, LOW_FREE_BYTES = GIGABYTE // 10, GIGABYTE
FAULTY_FLUSH_SECONDS, SLOW_FLUSH_SECONDS = 1.0, 0.1
FLUSHES = 5
FLUSHED_BYTES = 4096
CLOCK_SECONDS = 60.0
OF_THE_SERVER = "the server of the database has the disk"
OPERATIONS = "docs/reference/operations.md"


def check_files(patient: Patient) -> Verdict:
    """Check that no other user of the machine can read the data folder or its files."""
    folder = patient.settings.data_dir
    if not folder.is_dir() and not patient.is_embedded:
        return fine("no data folder is needed")
    if not folder.is_dir():
        return fault(f"there is no folder {folder}", "check GUIDANCE_DATA_DIR")
    paths = [folder, *(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())]
    names = [str(path) for path in paths if path.stat().st_mode & FOR_OTHERS]
    if names:
        return fault(f"other users can open {', '.join(names)}", "chmod go-rwx; a start of the service does it too")
    return fine(f"{folder} is for its owner alone")


def check_disk(patient: Patient) -> Verdict:
    """Check that there is free space for the database, and for a copy of it."""
    if not patient.is_embedded:
        return unknown(OF_THE_SERVER)
    free = shutil.disk_usage(patient.settings.data_dir).free
    found = f"{free / GIGABYTE:.1f} GB are free"
    if free < FAULTY_FREE_BYTES:
        return fault(found, "make room now: a full disk refuses concerns")
    return warn(found, "make room") if free < LOW_FREE_BYTES else fine(found)


def check_flush(patient: Patient) -> Verdict:
    """Check how long the disk takes to store a few bytes for certain, as it does for every concern."""
    if not patient.is_embedded:
        return unknown(OF_THE_SERVER)
    try:
        seconds = measure_flush(patient.settings.data_dir)
    except OSError as failure:
        return fault(f"the data folder cannot be written ({failure.strerror})", "check its owner and the disk")
    found = f"a flush takes {seconds * 1000:.1f} ms"
    if seconds > FAULTY_FLUSH_SECONDS:
        return fault(found, "move the data folder to a local disk: callers wait for each flush")
    return warn(found, "move the data folder to a faster disk") if seconds > SLOW_FLUSH_SECONDS else fine(found)


def measure_flush(folder: Path) -> float:
    """Return the seconds that a flush takes: the median of a few, of a file that is deleted again."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        return statistics.median(_flush(file.fileno()) for _ in range(FLUSHES))


def _flush(descriptor: int) -> float:
    os.write(descriptor, b"\0" * FLUSHED_BYTES)
    started = time.perf_counter()
    os.fsync(descriptor)
    return time.perf_counter() - started


def check_clock(patient: Patient) -> Verdict:
    """Check the clock of this machine with the record, and with the server of the database."""
    return worst(_wrong_clocks(patient), otherwise="it agrees with the record and the database")


def _wrong_clocks(patient: Patient) -> Iterator[Verdict]:
    with Session(patient.engine) as session:
        last = find_last_disclosure_time(session)
        if last is not None and (last - patient.at).total_seconds() > CLOCK_SECONDS:
            yield fault(
                f"the clock is behind the record, whose last entry is of {last:%Y-%m-%d %H:%M} UTC",
                "set the clock, and synchronise it (NTP): deadlines depend on it",
            )
        if not patient.is_embedded:
            now: dt.datetime = session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
            apart = (patient.at - now).total_seconds()
            if abs(apart) > CLOCK_SECONDS:
                yield fault(
                    f"the clock is {apart:.0f} seconds apart from that of the database", "synchronise both (NTP)"
                )


MACHINE_CHECKS = (
    Check("files", check_files, f"{OPERATIONS}#files"),
    Check("disk", check_disk, f"{OPERATIONS}#growth"),
    Check("flush", check_flush, f"{OPERATIONS}#processes-and-nodes"),
    Check("clock", check_clock, f"{OPERATIONS}#background-workers", needs_database=True),
)
