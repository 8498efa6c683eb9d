"""Checks of what is published: contacts, reviews, and the bank holidays by which deadlines are computed."""

import datetime as dt

from sqlmodel import Session

from app.errors import SeedFileError
from app.services.concerns.working_days import WorkingDays
from app.services.guidance.reference_data import read_reference_data
from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient
from app.store.upkeep import list_contact_checks, list_dated_reviews

CONTACT_CHECKED_FOR = dt.timedelta(days=365)
REVIEW_SOON = dt.timedelta(days=30)
MOST_NAMES = 3
FEWEST_HOLIDAYS = 8
CONVENTIONS = "docs/reference/conventions.md"


def check_contacts(patient: Patient) -> Verdict:
    """Check that a person has checked every contact and signpost within a year."""
    try:
        signposts = read_reference_data(patient.settings.seed_dir).signposts
    except SeedFileError as refusal:
        return fault(f"the reference data cannot be read: {refusal}", "correct the file in GUIDANCE_SEED_DIR")
    with Session(patient.engine) as session:
        contacts = list_contact_checks(session, [each.key for each in patient.current_editions])
    checks = [*contacts, *((f"signpost {each.id}", each.verified_on) for each in signposts)]
    oldest = patient.at.date() - CONTACT_CHECKED_FOR
    unverified = [name for name, verified_on in checks if verified_on is None or verified_on < oldest]
    if unverified:
        return warn(
            f"nobody has checked {len(unverified)} of {len(checks)} contacts within a year: {_few(unverified)}",
            "call each number, then publish the contacts with verified_on (signposts: in the seed folder)",
        )
    return fine(f"all {len(checks)} contacts were checked within a year")


def check_reviews(patient: Patient) -> Verdict:
    """Check that no current edition is past its review, or will be soon."""
    with Session(patient.engine) as session:
        reviews = list_dated_reviews(session, [each.key for each in patient.current_editions])
    due = [f"{key.guide} on {day}" for key, day in reviews if day <= patient.at.date() + REVIEW_SOON]
    if due:
        return warn(f"a review is due of {_few(due)}", "review the guide, and publish the next edition")
    return fine(f"no review is due of {len(patient.current_editions)} guides within 30 days")


def check_holidays(patient: Patient) -> Verdict:
    """Check that the bank holidays of this year and of the next are known, since deadlines count working days."""
    calendar, year = WorkingDays().calendar, patient.at.year
    for each in (year, year + 1):
        calendar.get(dt.date(each, 1, 1))  # which makes the package compute the year
        known = sum(day.year == each for day in calendar)
        if known < FEWEST_HOLIDAYS:
            return fault(
                f"{known} bank holidays of {each} are known", "update this program: the package of holidays is too old"
            )
    return fine(f"the bank holidays of {year} and {year + 1} are known")


def _few(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


GUIDANCE_CHECKS = (
    Check("contacts", check_contacts, CONVENTIONS, needs_database=True),
    Check("reviews", check_reviews, CONVENTIONS, needs_database=True),
    Check("holidays", check_holidays, "docs/decisions/0008-acknowledge-by.md"),
)
