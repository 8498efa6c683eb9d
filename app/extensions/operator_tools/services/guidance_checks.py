"""Checks of `guidance doctor` for content that must be kept up to date.

The checks cover guides, contacts, legal statements, bank holidays and times for acknowledgement.
"""

import datetime as dt
from collections.abc import Iterator

from sqlmodel import Session

from app.errors import SeedFileError
from app.models.base import counted
from app.services.clock.working_days import WorkingDays
from app.services.concerns.receipts import TIMES_FOR_DANGER
from app.services.guides.editions import read_content
from app.services.operations.check_model import CheckContext, Verdict, fault, fine, in_short, unchecked_verdict, warn

CONTACT_CHECKED_FOR = dt.timedelta(days=365)
REVIEW_SOON = dt.timedelta(days=30)
NAMED_BY_STATEMENTS = ("council_name", "accessibility_contact", "privacy_contact", "data_complaints_contact")
"""Settings without which privacy notice or accessibility statement lack contacts that the law requires."""
FOR_OTHERS = ("adults_contact", "complaints_contact")
"""Settings for visitors about an adult at risk, or with a complaint."""
FEWEST_HOLIDAYS = 8
"""If fewer holidays are known, the package that computes them is out of date."""


def check_contacts(context: CheckContext) -> Iterator[Verdict]:
    """Check that signposts are this council's, and each contact was verified within a year.

    Otherwise people in danger could call a wrong number: a fault, or in a trial a warning. Missing contacts for adults
    at risk or complaints are a warning.
    """
    try:
        known = context.reference_data
    except SeedFileError as refusal:
        yield fault(f"the reference data cannot be read: {refusal}", "correct the file in GUIDANCE_SEED_DIR")
        return
    with Session(context.engine) as session:
        editions = [(each.guide, read_content(session, each.key)) for each in context.current_editions]
    foreign = {each for _, content in editions for each in known.foreign_signposts(content.publisher)}
    if foreign:
        names = ", ".join(sorted(each.id for each in foreign))
        councils = " and ".join(sorted({known.label_of(each.council or "") for each in foreign}))
        grade = warn if context.settings.is_trial else fault
        yield grade(
            f"signposts of {councils} are left out, because that is not the council of this service: {names}",
            "set GUIDANCE_COUNCIL_NAME as in the code list `council`, or replace them in signposts.yaml by your own",
        )
    signposts = [each for each in known.all_signposts if each not in foreign]
    contacts = [
        (f"{guide}/{contact.id}", contact.verified_on) for guide, content in editions for contact in content.contacts
    ]
    checks = [*contacts, *((f"signpost {each.id}", each.verified_on) for each in signposts)]
    oldest = context.at.date() - CONTACT_CHECKED_FOR
    unverified = [name for name, verified_on in checks if verified_on is None or verified_on < oldest]
    if unverified:
        grade = warn if context.settings.is_trial else fault
        yield grade(
            f"nobody has checked {len(unverified)} of {counted(len(checks), 'contact')} within a year: "
            f"{in_short(unverified)}",
            "check each number, then publish the contacts with verified_on (signposts are in the seed folder)",
        )
    lacking = [name for name in FOR_OTHERS if not getattr(context.settings, name)]
    if lacking:
        names = " and ".join(f"GUIDANCE_{name.upper()}" for name in lacking)
        yield warn(
            f"people who come about an adult at risk or with a complaint get no number: {names} not set",
            f"set {names} (contacts: mailto:, https:// or tel:)",
        )
    yield fine(f"{counted(len(checks), 'contact')}, each checked within a year")


def check_reviews(context: CheckContext) -> Verdict:
    """Check that no review is due within `REVIEW_SOON`. Editions without a review day are left out."""
    soon = context.at.date() + REVIEW_SOON
    reviews = ((each.details.review_by, each.guide) for each in context.current_editions)
    dated = sorted((day, guide) for day, guide in reviews if day is not None)
    due = [f"{guide} on {day}" for day, guide in dated if day <= soon]
    if due:
        return warn(f"due for review: {in_short(due)}", "review the guide, and publish the next edition")
    return fine("no guide is due for review within 30 days")


def check_statements(context: CheckContext) -> Iterator[Verdict]:
    """Check the contacts of the privacy and accessibility statements (not in a trial), and the law.

    It must be compared with its sources, and not be due again within `REVIEW_SOON`.
    """
    missing = [name for name in NAMED_BY_STATEMENTS if name not in context.settings.model_fields_set]
    if missing and not context.settings.is_trial:
        names = ", ".join(f"GUIDANCE_{name.upper()}" for name in missing)
        yield fault(
            f"the privacy notice or the accessibility statement lacks what the law demands: {names} not set",
            f"set {names} (contacts: mailto:, https:// or tel:)",
        )
    try:
        statements = context.reference_data.statements
    except SeedFileError:  # reported by `check_contacts`
        yield unchecked_verdict("the reference data cannot be read")
        return
    due = [each.id for each in statements if each.is_due(context.at.date(), within=REVIEW_SOON)]
    if due:
        yield warn(
            f"{len(due)} of {counted(len(statements), 'statement')} about the law to be compared with it: "
            f"{in_short(due)}",
            "compare each with its source (guidance due), and set verified_on and recheck_by in legal-statements.yaml",
        )
    yield fine(f"{counted(len(statements), 'statement')} about the law, each compared with it")


def check_holidays(context: CheckContext) -> Verdict:
    """Check the holidays of this year and the next: deadlines count working days."""
    calendar, year = WorkingDays().calendar, context.at.year
    for each in (year, year + 1):
        calendar.get(dt.date(each, 1, 1))  # makes the package compute the year
        known = sum(day.year == each for day in calendar)
        if known < FEWEST_HOLIDAYS:
            return fault(
                f"{known} bank holidays are known for {each}",
                "update this program: its holidays package is out of date",
            )
    return fine(f"the bank holidays of {year} and {year + 1} are known")


def check_danger_times(context: CheckContext) -> Verdict:
    """Check that the times are set, except in a trial."""
    unset = [name for name in TIMES_FOR_DANGER.values() if name not in context.settings.model_fields_set]
    if unset and not context.settings.is_trial:
        names = " and ".join(f"GUIDANCE_{name.upper()}" for name in unset)
        return warn(
            f"reporters in danger are told no time, only to call: {names} not set",
            f"if a team reads concerns day and night, set {names}",
        )
    return fine("reporters in danger are told a time only if the council set it")
