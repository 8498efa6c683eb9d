"""The steps of the first day: from an empty folder to an invented concern that the team has acknowledged.

No progress is stored. Each step has a check that finds out if the step is done. `guidance setup` does the steps, and
the first line of `guidance doctor` names the steps that are left.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from app.config import PREFIX, is_loopback
from app.db.database import DATABASE_FILE
from app.errors import SeedFileError
from app.extensions.operator_tools.services.key_checks import check_number_of_recipients
from app.extensions.operator_tools.services.settings_checks import check_email, check_openid, check_public_url
from app.models.access.people import InvitationRow, PersonRow
from app.models.access.roles import Role
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import counted
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.services.access.people import count_passkeys, list_people
from app.services.audit.audit_log import KEY_HOLDER
from app.services.desk.retention import RETENTION, TEST_LIFETIME
from app.services.operations.check_model import (
    CheckContext,
    Condition,
    Verdict,
    fault,
    fine,
    in_short,
    unchecked_verdict,
    warn,
    worst_verdict,
)
from app.services.operations.watches import find_newest_backup

COUNCIL_SETTINGS = (
    "council_name",
    "accessibility_contact",
    "privacy_contact",
    "data_complaints_contact",
    "adults_contact",
    "complaints_contact",
    "security_contact",
)
ANSWER = "answer the questions of guidance setup, or give it SETTING=VALUE"
RUN_SETUP = "run guidance setup: it continues where it stopped"
NO_DATABASE = fault("there is no database yet", RUN_SETUP)


@dataclass(frozen=True)
class Step:
    """A step of the first day. `examine` says whether it is done."""

    name: str
    title: str
    examine: Callable[[CheckContext], Iterator[Verdict]]
    is_in_first_day_check: bool = True
    """False for optional steps and the running service, which have checks of their own."""
    opens_database: bool = False
    """The settings must be right before: the first start publishes the numbers to call."""


def state_of_step(verdict: Verdict) -> str:
    """Return `done`, `left`, or `open` for an optional step that is not done or was not checked."""
    return {Condition.FINE: "done", Condition.SKIPPED: "open"}.get(verdict.condition, "left")


def is_to_do(verdict: Verdict) -> bool:
    """Return False for an optional step, even if it is incomplete."""
    return state_of_step(verdict) == "left"


def examine_council(context: CheckContext) -> Iterator[Verdict]:
    """Require the council's name, and contacts for subjects other than a child."""
    missing = [name for name in COUNCIL_SETTINGS if name not in context.settings.model_fields_set]
    if missing:
        yield fault(f"not set: {', '.join(f'{PREFIX}{name.upper()}' for name in missing)}", ANSWER)
    yield fine(f"{context.settings.council_name}, with its contacts")


def examine_numbers(context: CheckContext) -> Iterator[Verdict]:
    """Require that no signpost is another council's, and that a person checked each."""
    try:
        known = context.reference_data
    except SeedFileError as refusal:
        yield fault(f"the seed folder cannot be read: {refusal}", "correct the file in GUIDANCE_SEED_DIR")
        return
    if foreign := [each.id for each in known.foreign_signposts(None)]:
        yield fault(f"numbers of another council: {in_short(foreign)}", "give the council's own numbers")
    if unchecked := [each.id for each in known.all_signposts if each.verified_on is None]:
        yield fault(f"nobody has checked these numbers: {in_short(unchecked)}", "call each, and say so")
    yield fine(
        f"{counted(len(known.all_signposts), 'number or address', 'numbers and addresses')}, each checked by a person"
    )


def examine_law(context: CheckContext) -> Iterator[Verdict]:
    """Require that a person compared each sentence with its source, and that none is due again."""
    try:
        statements = context.reference_data.statements
    except SeedFileError:  # reported by `examine_numbers`
        yield unchecked_verdict("the seed folder cannot be read")
        return
    due = [each.id for each in statements if each.is_due(context.at.date(), within=dt.timedelta())]
    if due:
        yield Verdict(
            Condition.SKIPPED, f"{len(due)} of {counted(len(statements), 'sentence')} to be compared with the law"
        )
        return
    yield fine(f"{counted(len(statements), 'sentence')} about the law, each compared with it")


def examine_keys(context: CheckContext) -> Iterator[Verdict]:
    """Require two or more keys."""
    yield check_number_of_recipients(context)


def examine_address(context: CheckContext) -> Iterator[Verdict]:
    """Require https and a trusted proxy, unless only this computer can reach the service."""
    settings = context.settings
    if "public_url" not in settings.model_fields_set:
        yield fault("GUIDANCE_PUBLIC_URL is not set", ANSWER)
        return
    if is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield fine(f"{settings.public_url}, which only this computer reaches")
        return
    if not settings.is_https:
        yield fault("GUIDANCE_PUBLIC_URL is not https", "put a reverse proxy with TLS in front")
    elif not settings.trusted_proxies:
        yield fault("GUIDANCE_TRUSTED_PROXIES is not set", ANSWER)
    yield fine(settings.public_url)


def examine_mail(context: CheckContext) -> Iterator[Verdict]:
    """Require that the mail server responds. Without one the step is skipped."""
    if context.settings.smtp_host is None:
        yield Verdict(Condition.SKIPPED, "not set up: the team gets no email about a concern")
        return
    yield from check_email(context)


def examine_openid(context: CheckContext) -> Iterator[Verdict]:
    """Require that the provider responds. Without one the step is skipped."""
    if context.settings.openid_issuer is None:
        yield Verdict(Condition.SKIPPED, "not set up: people sign in with passkeys")
        return
    yield from check_openid(context)


def examine_lead(context: CheckContext) -> Iterator[Verdict]:
    """Require a lead who has a passkey or has signed in. Otherwise yield a fault for each invited one."""
    with Session(context.engine) as session:
        passkeys, invited = count_passkeys(session), find_invited_leads(session, at=context.at)
        ready = [each.name for each in _leads(session) if each.provider or passkeys[each.name]]
    if ready:
        yield fine(f"{in_short(ready)} can sign in")
        return
    for name, ends in invited.items():
        yield fault(
            f"{name} has not opened the link yet, which is valid until {ends:%Y-%m-%d %H:%M} UTC",
            f"open it on {name}'s own device, and create the passkey",
        )
    if not invited and context.settings.openid_client_id is not None:
        yield fault("no lead has signed in through the provider", f"sign in at {context.settings.public_url}/desk")
    elif not invited:
        yield fault("no lead is invited, or the link has expired", "name the lead (--lead)")


def find_invited_leads(session: Session, *, at: dt.datetime) -> dict[str, dt.datetime]:
    """Return the expiry of each invitation by the lead's name, the earliest first."""
    names = [each.name for each in _leads(session)]
    valid = select(InvitationRow).where(col(InvitationRow.person).in_(names), col(InvitationRow.expires_at) > at)
    return {each.person: each.expires_at for each in session.exec(valid.order_by(col(InvitationRow.expires_at)))}


def _leads(session: Session) -> list[PersonRow]:
    return [each for each in list_people(session) if each.role == Role.LEAD and each.left_at is None]


def examine_concern(context: CheckContext) -> Iterator[Verdict]:
    """Require a concern that was ever acknowledged. Otherwise yield what is left to do."""
    with Session(context.engine) as session:
        if _has_acknowledged(session):
            yield fine("the team has acknowledged a concern")
            return
        reference = find_invented(session, at=context.at)
        openings = count_openings(session, reference or "")
    if reference is None:
        yield fault("no concern has been raised and acknowledged here", RUN_SETUP)
        return
    yield fault(
        f"the invented concern {reference} was opened with {openings} of 2 key files here, and is not acknowledged",
        f"sign in at {context.settings.public_url}/desk, choose Tests, open it with a key file, and acknowledge it",
    )


def _has_acknowledged(session: Session) -> bool:
    """Count acts of a person or client only: `RETENTION` acknowledges tests before it erases them."""
    found = select(AuditEntryRow.position).where(
        col(AuditEntryRow.act) == DeskAct.ACKNOWLEDGED.value, col(AuditEntryRow.client) != RETENTION
    )
    return session.exec(found.limit(1)).first() is not None


def find_invented(session: Session, *, at: dt.datetime) -> str | None:
    """Return the reference of the last test concern, if under a day old and unacknowledged. Older tests are erased."""
    tests = select(ConcernRow.reference).where(
        col(ConcernRow.test).is_(True),
        col(ConcernRow.state) == ConcernState.RECEIVED.value,
        col(ConcernRow.received_at) > at - TEST_LIFETIME,
    )
    return session.exec(tests.order_by(col(ConcernRow.received_at).desc()).limit(1)).first()


def count_openings(session: Session, reference: str) -> int:
    """Count openings by commands with a key file."""
    found = select(func.count()).select_from(AuditEntryRow)
    mine = (col(AuditEntryRow.chain) == reference, col(AuditEntryRow.client) == KEY_HOLDER)
    return session.exec(found.where(*mine, col(AuditEntryRow.act) == DeskAct.OPENED.value)).one()


def examine_backup(context: CheckContext) -> Iterator[Verdict]:
    """Require a folder with a backup in it."""
    folder = context.settings.backup_folder
    if folder is None:
        yield fault("GUIDANCE_BACKUP_FOLDER is not set", ANSWER)
        return
    newest = find_newest_backup(folder, is_embedded=context.is_embedded) if folder.is_dir() else None
    if newest is None:
        each_night = "run guidance backup" if context.is_embedded else "run pg_dump into it"
        yield fault(f"there is no backup in {folder}", each_night)
    else:
        yield fine(f"{newest}; let a timer make one each night")


def examine_service(context: CheckContext) -> Iterator[Verdict]:
    """Require that the service is ready at its public address, by https or locally."""
    yield from (each for each in check_public_url(context) if each.condition is not Condition.WARNING)


STEPS = (
    Step("council", "Name and contacts of the council", examine_council),
    Step("numbers", "Numbers to call", examine_numbers),
    Step("law", "Sentences about the law (optional on this day)", examine_law, is_in_first_day_check=False),
    Step("keys", "Two keys, one for every day and one in reserve", examine_keys),
    Step("address", "Public address", examine_address),
    Step("mail", "Email to the team (optional)", examine_mail, is_in_first_day_check=False),
    Step("openid", "Sign-in through the council's directory (optional)", examine_openid, is_in_first_day_check=False),
    Step("lead", "The first lead", examine_lead, opens_database=True),
    Step("concern", "An invented concern, opened by both keys and acknowledged", examine_concern, opens_database=True),
    Step("backup", "Backup", examine_backup, opens_database=True),
    Step("service", "The running service", examine_service, is_in_first_day_check=False),
)
"""Steps in order: no step needs a later one."""


def examine_step(step: Step, context: CheckContext) -> Verdict:
    """`NO_DATABASE` if its check cannot read it."""
    try:
        return worst_verdict(step.examine(context))
    except SQLAlchemyError:
        return NO_DATABASE


def check_first_day(context: CheckContext) -> Verdict:
    """Check that this is no trial and a concern was acknowledged. Otherwise name the steps left."""
    found = {step.name: examine_step(step, context) for step in STEPS if step.is_in_first_day_check}
    left = [name for name, verdict in found.items() if is_to_do(verdict)]
    if found["concern"] is NO_DATABASE and not (
        context.is_embedded and not (context.settings.data_dir / DATABASE_FILE).exists()
    ):
        return unchecked_verdict("the database cannot be read")
    if not context.settings.is_trial and "concern" not in left:
        return fine("the first day is over: the team has acknowledged a concern")
    return warn(f"the first day is not over; left: {', '.join(left)}", "run guidance setup, which leads through it")
