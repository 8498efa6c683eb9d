"""The checks of `guidance doctor`, which examine the settings and surroundings of the service, in order."""

import datetime as dt
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.config import Part, Settings
from app.errors import GuidanceError, SetupError
from app.extensions import modules_of, switched_on
from app.extensions.operator_tools.services.concern_checks import (
    check_overdue,
    check_restricted,
    check_test_concerns,
)
from app.extensions.operator_tools.services.database_checks import (
    RUN_VERIFY,
    check_database,
    check_files,
    check_flush,
    check_growth,
    check_invariant,
    check_restore,
    check_rules,
    check_schema,
)
from app.extensions.operator_tools.services.first_day import STEPS, Step, check_first_day, examine_step
from app.extensions.operator_tools.services.guidance_checks import (
    check_contacts,
    check_danger_times,
    check_holidays,
    check_reviews,
    check_statements,
)
from app.extensions.operator_tools.services.key_checks import (
    check_access,
    check_identities,
    check_number_of_recipients,
    check_receipt_key,
    check_removed_recipients,
    check_webhooks,
)
from app.extensions.operator_tools.services.page_checks import (
    check_desk_script,
    check_pages,
    check_print,
    check_scripts,
)
from app.extensions.operator_tools.services.settings_checks import (
    check_clock,
    check_email,
    check_openid,
    check_outside_settings,
    check_proxy,
    check_public_url,
    check_settings,
    check_start,
    check_watch,
)
from app.services.operations.check_model import (
    Check,
    CheckContext,
    Condition,
    Verdict,
    fault,
    open_check_context,
    worst_verdict,
)
from app.services.operations.invariants import Invariant
from app.services.operations.watches import BACKUPS, OPERATIONS, WATCHES

KNOCKED = (Part.LIMITS, Part.TRACES, Part.PAGES)
FIRST_DAY = "docs/how-to/first-day.md"
KEYS, DEPLOY = "docs/how-to/keys-and-sealed-concerns.md", "docs/how-to/deploy.md"
SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "skipped: the database cannot be read")
SKIPPED_LONG = Verdict(Condition.SKIPPED, "skipped: it takes a long time")
HELD_FOR = dt.timedelta(minutes=1)
"""A reload of the page does not sign in at the mail server again."""
CONVENTIONS, PAGES, SETTINGS = "docs/reference/conventions.md", "docs/reference/pages.md", "docs/reference/settings.md"
ANNOUNCED = partial(
    check_invariant,
    Invariant.OVERDUE_EVENTS,
    "concern or addition",
    "{} overdue and not announced",
    "start guidance serve or guidance deliver with GUIDANCE_DELIVER, and read the log",
    "every overdue concern has been announced",
)
CHAINED = partial(
    check_invariant, Invariant.CHAINS, "error", "{} in the audit log: {}", RUN_VERIFY, "the audit log is intact"
)
SETTINGS_CHECK = Check("settings", check_settings, f"{SETTINGS}#table-of-settings")
ALL_CHECKS = (
    Check("first-day", check_first_day, FIRST_DAY),
    SETTINGS_CHECK,
    Check("start", check_start, f"{SETTINGS}#table-of-settings"),
    Check("proxy", check_proxy, f"{DEPLOY}#put-a-reverse-proxy-in-front"),
    Check("public-url", check_public_url, f"{DEPLOY}#put-a-reverse-proxy-in-front"),
    Check("recipients", check_number_of_recipients, KEYS),
    Check("identities", check_identities, KEYS, may_name_someone=True),
    Check("receipt-key", check_receipt_key, "docs/reference/conventions.md#receipts"),
    Check("database", check_database, f"{OPERATIONS}#processes-and-nodes", opens_database=True),
    Check("pages", check_pages, f"{BACKUPS}#drill", needs_database=True, is_long=True),
    Check("schema", check_schema, f"{OPERATIONS}#schema", needs_database=True, opens_database=True),
    Check("rules", check_rules, f"{OPERATIONS}#schema", needs_database=True),
    Check("growth", check_growth, f"{OPERATIONS}#growth", needs_database=True),
    Check("files", check_files, f"{OPERATIONS}#files"),
    Check("flush", check_flush, f"{OPERATIONS}#processes-and-nodes"),
    Check("clock", check_clock, f"{OPERATIONS}#background-workers", needs_database=True),
    *(Check(each.name, partial(check_watch, each), each.read, needs_database=each.needs_database) for each in WATCHES),
    Check("restore", check_restore, f"{BACKUPS}#drill", is_long=True, may_name_someone=True),
    Check("contacts", check_contacts, CONVENTIONS, needs_database=True),
    Check("reviews", check_reviews, CONVENTIONS, needs_database=True),
    Check("statements", check_statements, f"{PAGES}#statements-about-the-law"),
    Check("holidays", check_holidays, "docs/decisions/0008-acknowledge-by.md"),
    Check("danger-times", check_danger_times, "docs/decisions/0008-acknowledge-by.md"),
    Check("overdue", check_overdue, f"{OPERATIONS}#background-workers", needs_database=True),
    Check("overdue-events", ANNOUNCED, f"{OPERATIONS}#invariants", needs_database=True),
    Check("restricted", check_restricted, "docs/how-to/lead-the-desk.md#restrict-a-concern", needs_database=True),
    Check(
        "test-concerns",
        check_test_concerns,
        "docs/reference/conventions.md#try-without-harm",
        needs_database=True,
        may_name_someone=True,
    ),
    Check("chains", CHAINED, f"{OPERATIONS}#invariants", needs_database=True, is_long=True, may_name_someone=True),
    Check("access", check_access, f"{OPERATIONS}#who-may-come-in", needs_database=True, may_name_someone=True),
    Check("removed-recipients", check_removed_recipients, f"{KEYS}#change-keys", needs_database=True),
    Check("webhooks", check_webhooks, "docs/reference/events.md#receive-by-push", needs_database=True),
    Check("email", check_email, "docs/reference/events.md#email-to-the-duty-team"),
    Check(Part.OPENID.value, check_openid, "docs/how-to/first-day.md#give-scopes"),
    *(Check(part.value, partial(check_outside_settings, part), f"{OPERATIONS}#parts-outside") for part in KNOCKED),
    Check("print", check_print, f"{PAGES}#the-page-to-print"),
    Check("scripts", check_scripts, PAGES),
    Check("desk-script", check_desk_script, "docs/how-to/work-at-the-desk.md#open-a-concern-in-the-browser"),
)
"""Checks in order. Only `first-day` and `start` read other tables before `schema`."""


@dataclass(frozen=True)
class Finding:
    """A line of the report. `read` is the path of a document."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


def examine(settings: Settings, *, at: dt.datetime, is_quick: bool = False) -> Iterator[Finding]:
    """Run all checks in order; only temporary files are written. `is_quick` skips long ones.

    If the database cannot be read, those that need it are skipped; if its setting is wrong, all.
    """
    try:
        with open_check_context(settings, at=at) as context:
            yield from _run_all(context, is_quick=is_quick)
    except SetupError as refusal:
        yield _finding(SETTINGS_CHECK, fault(str(refusal), "correct the setting"))


def _run_all(context: CheckContext, *, is_quick: bool) -> Iterator[Finding]:
    is_readable = True
    added = modules_of("checks", switched_on(context.settings.extensions))
    for check in (*ALL_CHECKS, *(check for each in added for check in each.CHECKS)):
        finding = _finding(check, _run(check, context, is_readable=is_readable, is_quick=is_quick))
        if check.opens_database:
            is_readable = finding.condition is Condition.FINE
        yield finding


@dataclass(frozen=True)
class Examination:
    at: dt.datetime
    steps: tuple[tuple[Step, Verdict], ...]
    findings: tuple[Finding, ...]


class Examiner:
    """Makes the page of checks. One examination is shown for `HELD_FOR`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._examining = threading.Lock()
        self._latest: Examination | None = None

    def examine(self) -> Examination | None:
        """Leave out long checks. While another request examines, return the former examination, or None."""
        if not self._examining.acquire(blocking=False):
            return self._latest
        try:
            at = self._clock()
            if self._latest is None or abs(at - self._latest.at) > HELD_FOR:
                with open_check_context(self._settings, at=at) as context:
                    findings = tuple(_run_all(context, is_quick=True))
                    steps = tuple((step, examine_step(step, context)) for step in STEPS)
                self._latest = Examination(at, steps, findings)
            return self._latest
        finally:
            self._examining.release()


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 2 for a fault, 1 for a warning, otherwise 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)


def _run(check: Check, context: CheckContext, *, is_readable: bool, is_quick: bool) -> Verdict:
    if check.needs_database and not is_readable:
        return SKIPPED_DATABASE
    if check.is_long and is_quick:
        return SKIPPED_LONG
    try:
        found = check.run(context)
        return found if isinstance(found, Verdict) else worst_verdict(found)
    except SQLAlchemyError as failure:
        return fault(f"the database cannot be read ({type(failure).__name__})", "run guidance verify")
    except (GuidanceError, OSError) as failure:
        return fault(f"this check failed ({type(failure).__name__})", "correct the other problems first")


def _finding(check: Check, verdict: Verdict) -> Finding:
    return Finding(check.name, verdict.condition, verdict.found, verdict.action, check.read)
