"""The examination: every check in turn, whatever one of them raises."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.errors import GuidanceError, SetupError
from app.services.operations.doctor.address_checks import ADDRESS_CHECKS
from app.services.operations.doctor.backup_checks import BACKUP_CHECKS
from app.services.operations.doctor.database_checks import DATABASE_CHECKS
from app.services.operations.doctor.desk_checks import DESK_CHECKS
from app.services.operations.doctor.event_checks import EVENT_CHECKS
from app.services.operations.doctor.finding import Check, Condition, Finding, Verdict, fault
from app.services.operations.doctor.guidance_checks import GUIDANCE_CHECKS
from app.services.operations.doctor.key_checks import KEY_CHECKS
from app.services.operations.doctor.machine_checks import MACHINE_CHECKS
from app.services.operations.doctor.patient import Patient
from app.services.operations.doctor.program_checks import PROGRAM_CHECKS
from app.services.operations.doctor.settings_checks import SETTINGS, SETTINGS_CHECKS
from app.store.reading import open_to_read

ALL_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    *ADDRESS_CHECKS,
    *KEY_CHECKS,
    *DATABASE_CHECKS,
    *MACHINE_CHECKS,
    *BACKUP_CHECKS,
    *GUIDANCE_CHECKS,
    *DESK_CHECKS,
    *EVENT_CHECKS,
    *PROGRAM_CHECKS,
)
SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "not checked, since the database cannot be read")
SKIPPED_LONG = Verdict(Condition.SKIPPED, "not checked, since it takes long")


def examine(settings: Settings, *, at: dt.datetime, is_quick: bool = False) -> Iterator[Finding]:
    """Yield what each check finds. Nothing is changed, but for files that are written and deleted again."""
    try:
        engine = open_to_read(settings.data_dir, settings.database_address)
    except SetupError as refusal:
        yield _finding(SETTINGS_CHECKS[0], fault(str(refusal), "correct the setting"))
        return
    patient, is_readable = Patient(settings, engine, at), True
    try:
        for check in ALL_CHECKS:
            finding = _finding(check, _run(check, patient, is_readable=is_readable, is_quick=is_quick))
            if check.opens_database:
                is_readable = finding.condition is Condition.FINE
            yield finding
    finally:
        engine.dispose()


def refused_settings(refusal: str) -> list[Finding]:
    """Return a finding for each line of the refusal of settings, which no other check can do without."""
    return [
        Finding(SETTINGS_CHECKS[0].name, Condition.FAULT, line, "correct it, or remove it", f"{SETTINGS}#settings")
        for line in refusal.splitlines()
    ]


def _run(check: Check, patient: Patient, *, is_readable: bool, is_quick: bool) -> Verdict:
    if check.needs_database and not is_readable:
        return SKIPPED_DATABASE
    if check.is_long and is_quick:
        return SKIPPED_LONG
    try:
        return check.run(patient)
    except SQLAlchemyError as failure:
        return fault(f"the database cannot be read ({type(failure).__name__})", "run guidance verify")
    except (GuidanceError, OSError) as failure:
        return fault(f"it could not be checked ({type(failure).__name__})", "correct what the other lines say first")


def _finding(check: Check, verdict: Verdict) -> Finding:
    return Finding(check.name, verdict.condition, verdict.found, verdict.action, check.read)
