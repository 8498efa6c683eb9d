"""The doctor: checks of a set-up, each with what it found, what to do, and where to read."""

import datetime as dt
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.age.keys import fingerprint_of
from app.config import Part, Settings, is_loopback
from app.db.backup import measure_growth
from app.db.database import DATABASE_FILE, open_to_read
from app.db.private_files import FOR_OTHERS
from app.db.schema import find_schema_faults, is_behind
from app.errors import BackupRefused, GuidanceError, SchemaUnknown, SeedFileError, SetupError
from app.models.events import EMAIL, DeliveryState
from app.services.access import open_access_keys, require_access_keys
from app.services.backup import drill_restore
from app.services.clients import list_clients
from app.services.concerns import count_recent_tests
from app.services.editions import CurrentEdition, list_current, read_content
from app.services.entries import count_additions
from app.services.hours import WorkingDays, read_hours
from app.services.inbox import count_states
from app.services.keys import RECEIPT_KEY, load_receipt_key
from app.services.outside import LATE, knock, knock_at_receiver
from app.services.receipts import TIMES_FOR_DANGER
from app.services.record import find_clock_fault
from app.services.reference_data import ReferenceData, read_reference_data
from app.services.sealing import make_sealer, read_identities
from app.services.verification import Invariant, find_broken
from app.services.watches import (
    BACKUPS,
    OF_THE_SERVER,
    OPERATIONS,
    WATCHES,
    Surroundings,
    Unmeasured,
    Watch,
    find_newest_backup,
)
from app.services.webhooks import (
    REMOVED,
    SsrfGuard,
    count_deliveries,
    list_webhooks,
    oldest_waiting,
    open_webhook_keys,
)

LOOK_AT_PART = "check that it is running, that this computer can reach it, and that the setting is right"
LOOK_AT_PAGE = "open it in a browser, and correct the setting"
MANY_GUIDES = 1000
SOON = dt.timedelta(days=30)
UNTRUSTED_PROXY = "proxy"
"""The warning of readiness to a request that came through a proxy which is not trusted."""
FEWEST_RECIPIENTS = 2
MAX_KEY_FILE_BYTES = 100_000
KEY_AGE = dt.timedelta(days=730)
BYTES_PER_MB = 1_000_000
LARGE_FREE_BYTES = 100 * BYTES_PER_MB
LARGE_FREE_FRACTION = 0.5
LARGE_LOG_BYTES = 200 * BYTES_PER_MB
FAULTY_FLUSH_SECONDS, SLOW_FLUSH_SECONDS = 1.0, 0.1
FLUSHES = 5
FLUSHED_BYTES = 4096
UNSET = "GUIDANCE_BACKUP_FOLDER is not set, so this cannot be checked:"
CONTACT_CHECKED_FOR = dt.timedelta(days=365)
REVIEW_SOON = dt.timedelta(days=30)
NAMED_BY_STATEMENTS = ("council_name", "accessibility_contact", "privacy_contact", "data_complaints_contact")
"""Settings without which the privacy notice or the accessibility statement says less than it must."""
MOST_NAMES = 3
FEWEST_HOLIDAYS = 8
DISTRIBUTION = "one-minute-guide"
PAGES_FOLDER = Path(__file__).parents[1] / "pages"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]++).*extra == ['\"]print['\"]")
BUILT_FOLDER = PAGES_FOLDER / "static"
BUILT, BUILT_PAGE = "unseal.js", "unseal.html"
SCRIPT_OF_PAGES = re.compile(r"src=\"/looks/([\w./-]+\.js)\"")


@dataclass(frozen=True)
class Patient(Surroundings):
    """What the checks look at: the settings, the database (which is only read), and the time."""

    rehearse_start: Callable[[Settings, Engine], None]
    """Raises what a start of the service would raise before it listens."""

    @cached_property
    def reference_data(self) -> ReferenceData:
        """The code lists, signposts and legal statements. Raises `SeedFileError`."""
        return read_reference_data(self.settings.seed_dir)

    @cached_property
    def current_editions(self) -> list[CurrentEdition]:
        """The current edition of each guide."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)


class Condition(StrEnum):
    """How the subject of a check is."""

    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """What one check found, in a sentence, and what to do about it."""

    condition: Condition
    found: str
    action: str = ""


WORST_FIRST = (Condition.FAULT, Condition.WARNING, Condition.FINE, Condition.SKIPPED)
SKIPPED_DATABASE = Verdict(Condition.SKIPPED, "skipped: the database cannot be read")
SKIPPED_LONG = Verdict(Condition.SKIPPED, "skipped: it takes a long time")


@dataclass(frozen=True)
class Check:
    """One check: its name, the function that makes it, and the document to read."""

    name: str
    run: Callable[[Patient], Verdict | Iterator[Verdict]]
    read: str
    needs_database: bool = False
    opens_database: bool = False
    """True if a fault that it finds keeps the other checks from reading the database."""
    is_long: bool = False
    """True if it reads every row, or a whole backup."""
    names_somebody: bool = False
    """True if what it finds may name a person, a client or a concern: an email does not repeat it."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    condition: Condition
    found: str
    action: str
    read: str


fine = partial(Verdict, Condition.FINE)
"""Makes the verdict that nothing is to be done."""
warn = partial(Verdict, Condition.WARNING)
"""Makes the verdict that something will go wrong, or is less safe than it should be."""
fault = partial(Verdict, Condition.FAULT)
"""Makes the verdict that something is wrong now."""


def unknown(found: str) -> Verdict:
    """Return the verdict that this cannot be seen from here, and why."""
    return Verdict(Condition.SKIPPED, f"not checked: {found}")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict for all: the faults joined, else the warnings, else that all is fine or not checked."""
    found = list(verdicts)
    condition = next(each for each in WORST_FIRST if each in {verdict.condition for verdict in found})
    alike = [each for each in found if each.condition is condition]
    actions = dict.fromkeys(each.action for each in alike)
    return Verdict(condition, "; ".join(each.found for each in alike), "; ".join(actions))


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 2 if there is a fault, 1 if there is a warning, else 0."""
    found = {each.condition for each in findings}
    return 2 if Condition.FAULT in found else int(Condition.WARNING in found)


def check_settings(patient: Patient) -> Iterator[Verdict]:
    """Check for settings that are known and allowed, and less safe than they should be."""
    settings = patient.settings
    if "*" in settings.allowed_hosts:
        yield warn("GUIDANCE_ALLOWED_HOSTS allows every host", "list the hosts of this service")
    if settings.log_level == "debug":
        yield warn("GUIDANCE_LOG_LEVEL is debug", "set it to info")
    if not settings.security_contact:
        yield warn(
            "GUIDANCE_SECURITY_CONTACT is not set, so nobody can report a vulnerability",
            "set it, and GUIDANCE_SECURITY_EXPIRES",
        )
    elif settings.security_expires is not None and settings.security_expires < patient.at + SOON:
        yield warn(
            f"the security contact expires on {settings.security_expires:%Y-%m-%d}",
            "check the contact, and set a new GUIDANCE_SECURITY_EXPIRES",
        )
    if settings.duty_hours is not None and not read_hours(settings.duty_hours):
        yield warn(
            "GUIDANCE_DUTY_HOURS cannot be read, so pages cannot show the open team first",
            "use this format: Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm",
        )
    if not patient.is_embedded and settings.limits_store.startswith("memory:"):
        yield warn("each process counts requests separately", "set GUIDANCE_LIMITS_STORE to a shared store")
    yield fine("all settings are known and safe")


def check_start(patient: Patient) -> Verdict:
    """Check that the service would start. What the database keeps from being seen is said by its own checks."""
    try:
        patient.rehearse_start(patient.settings, patient.engine)
    except GuidanceError as refusal:
        return fault(f"a start would be refused: {refusal}".replace("\n", " "), "correct it before the next start")
    except SQLAlchemyError:
        return unknown("the database cannot be read")
    return fine("a start would succeed")


def check_outside(part: Part, patient: Patient) -> Iterator[Verdict]:
    """Knock at each part outside that settings name."""
    says, action = (warn, LOOK_AT_PAGE) if part is Part.PAGES else (fault, LOOK_AT_PART)
    found = list(knock(patient.settings, part))
    for setting, failure in found:
        if failure is not None:
            yield says(f"{setting}: not responding correctly ({failure})", action)
    names = ", ".join(setting for setting, _ in found)
    yield fine(f"{names}: responding" if names else "none are configured")


def check_email(patient: Patient) -> Iterator[Verdict]:
    """Check the mail server, and that no email waits for it."""
    with suppress(SQLAlchemyError), Session(patient.engine) as session:  # the database has a check of its own
        waits = oldest_waiting(session).get(EMAIL)
        if waits is not None and patient.at - waits > LATE:
            count = count_deliveries(session)[EMAIL, DeliveryState.PENDING.value]
            yield fault(
                f"{count} events have been waiting for an email to the duty team since {waits:%Y-%m-%d %H:%M} UTC",
                "call the duty team, who are not being notified; read the log lines email_failed",
            )
    yield from check_outside(Part.EMAIL, patient)


def check_proxy(patient: Patient) -> Verdict:
    """Check that the proxy before the service is trusted. The service itself says so, when it is called through it."""
    settings, answer = patient.settings, patient.public_answer
    if settings.is_https and not settings.trusted_proxies:
        return warn(
            "GUIDANCE_PUBLIC_URL is https, so there must be a proxy, but none is trusted: all callers count as one",
            "set GUIDANCE_TRUSTED_PROXIES to the address of the proxy",
        )
    if UNTRUSTED_PROXY in answer.warnings:
        return warn(
            f"the proxy at {settings.public_url} calls from an address that is not in GUIDANCE_TRUSTED_PROXIES: all "
            "callers count as one",
            "add the address of the proxy, and restart the service",
        )
    if settings.trusted_proxies and not answer.checks:
        return unknown("the service is not responding at its public address, so the proxy cannot be checked")
    return fine("the proxy is trusted" if settings.trusted_proxies else "http needs no proxy")


def check_public_url(patient: Patient) -> Iterator[Verdict]:
    """Call the service at GUIDANCE_PUBLIC_URL."""
    settings, answer = patient.settings, patient.public_answer
    if is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield warn("GUIDANCE_PUBLIC_URL is a local address", "set it to the address that callers use")
    elif not settings.is_https:
        yield fault(
            "GUIDANCE_PUBLIC_URL is not https", "put a reverse proxy with TLS in front, and use its https address"
        )
    if answer.status is None:
        yield fault(
            f"no response at GUIDANCE_PUBLIC_URL, {settings.public_url} ({answer.failure})",
            "start the service, and check the name, the certificate and the proxy",
        )
    elif not answer.checks:
        yield fault(
            f"a different service is responding at {settings.public_url} ({answer.status})",
            "check GUIDANCE_PUBLIC_URL and the proxy",
        )
    elif answer.status != HTTPStatus.OK:
        failing = ", ".join(f"{name}: {state}" for name, state in answer.checks.items() if state != "ok")
        yield fault(f"the service is not ready ({failing})", "read its log")
    yield fine(f"the service is ready at {settings.public_url}")


def check_number_of_recipients(patient: Patient) -> Verdict:
    """Check that concerns are sealed to two recipients or more, so that one lost identity loses nothing."""
    recipients = set(patient.settings.seal_to)
    if not recipients:
        return fault(
            "GUIDANCE_SEAL_TO is not set: this is a trial, whose key is stored beside the database",
            "set it to the duty team's recipients (guidance keys new)",
        )
    try:
        make_sealer(sorted(recipients))
    except SetupError as refusal:
        return fault(str(refusal), "correct GUIDANCE_SEAL_TO (guidance keys list)")
    if len(recipients) < FEWEST_RECIPIENTS:
        return warn(
            "there is only one recipient: if its identity is lost, all concerns are lost",
            "add a second recipient to GUIDANCE_SEAL_TO, then run guidance keys reseal",
        )
    return fine(f"{len(recipients)} recipients")


def check_identities(patient: Patient) -> Verdict:
    """Check that no identity which opens concerns is on this machine, as far as the service knows the machine."""
    here = [path for path in _files_here(patient) if _opens_concerns(path, patient.settings.seal_to)]
    configured = patient.settings.seal_identity_file
    if any(path != configured for path in here):
        names = ", ".join(str(path) for path in here if path != configured)
        return fault(
            f"an identity that can decrypt concerns is in {names}",
            "move it off this computer, to the people who read concerns",
        )
    if here:
        return warn(
            f"GUIDANCE_SEAL_IDENTITY_FILE: this computer can decrypt concerns ({configured})",
            "unset it if the service only receives concerns, so that a stolen server can decrypt nothing",
        )
    return fine("the service's folders hold no identity of a recipient")


def _files_here(patient: Patient) -> Iterator[Path]:
    settings = patient.settings
    if settings.seal_identity_file is not None and settings.seal_identity_file.is_file():
        yield settings.seal_identity_file
    for folder in filter(None, (settings.data_dir, settings.backup_folder)):
        if folder.is_dir():
            yield from sorted(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())


def _opens_concerns(path: Path, recipients: tuple[str, ...]) -> bool:
    try:
        if path.stat().st_size > MAX_KEY_FILE_BYTES:
            return False
        own = {str(each.to_public()) for each in read_identities(path).identities}
    except (OSError, SetupError):
        return False
    return bool(own & set(recipients))


def check_receipt_key(patient: Patient) -> Verdict:
    """Check the key that signs receipts: it is there, it can be read, it is shared by all nodes, and its age."""
    settings = patient.settings
    path = settings.receipt_key_file or settings.data_dir / RECEIPT_KEY
    if not path.is_file():
        return fault(f"there is no receipt key at {path}", "start the service once, or restore the key")
    try:
        load_receipt_key(path, settings.data_dir)
        age = patient.at - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except (OSError, SetupError):
        return fault(f"{path} is not an Ed25519 key", "restore the key")
    if not patient.is_embedded and settings.receipt_key_file is None:
        return warn("each node signs with its own key", "give all nodes the same GUIDANCE_RECEIPT_KEY_FILE")
    if age > KEY_AGE:
        return warn(
            f"the receipt key is {age.days} days old",
            "create a new key, and list this one in GUIDANCE_RETIRED_RECEIPT_KEYS",
        )
    return fine(f"the receipt key is {max(age.days, 0)} days old")


def check_database(patient: Patient) -> Verdict:
    """Check that the database is there and answers."""
    path = patient.settings.data_dir / DATABASE_FILE
    if patient.is_embedded and not path.is_file():
        return fault(f"there is no database in {patient.settings.data_dir}", "check GUIDANCE_DATA_DIR, or start once")
    try:
        with patient.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return fault(
            "the database is not responding, or is not a database of this service",
            "check GUIDANCE_DATABASE_URL and the server, or restore a backup",
        )
    return fine("it answers")


def check_pages(patient: Patient) -> Verdict:
    """Check every page of the file of the embedded database."""
    if not patient.is_embedded:
        return unknown("the database server has the files")
    with patient.engine.connect() as connection:
        faults = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
    if faults:
        return fault(
            f"the file is damaged in {len(faults)} places", "stop the service, keep the file, and restore a backup"
        )
    return fine("the database file is not damaged")


def check_schema(patient: Patient) -> Verdict:
    """Check that the schema is of the version that this program needs. On another no further table can be read."""
    try:
        if is_behind(patient.engine):
            return fault("the schema is out of date", "back up, then run guidance migrate")
    except SchemaUnknown:
        return fault("the schema was made by a newer version", "install that version")
    return fine("the schema is up to date")


def check_rules(patient: Patient) -> Verdict:
    """Check that every table, index and rule is as declared."""
    with patient.engine.connect() as connection:
        faults = find_schema_faults(connection)
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        return fault(f"{faults[0]}{more}", "find out who changed it, and restore a backup (guidance verify lists all)")
    return fine("tables and rules match the schema")


def check_growth(patient: Patient) -> Verdict:
    """Check how large the database is, and how much of it is free for reuse."""
    growth = measure_growth(patient.engine)
    total, free = growth.total_bytes / BYTES_PER_MB, growth.free_bytes / BYTES_PER_MB
    size = f"{total:.1f} MB, of which {free:.1f} MB can be reused"
    if growth.log_bytes > LARGE_LOG_BYTES:
        return warn(
            f"{size}; the log has grown to {growth.log_bytes / BYTES_PER_MB:.0f} MB, because a reader is using it",
            "stop the program that keeps reading the database",
        )
    if growth.free_bytes > max(LARGE_FREE_BYTES, growth.total_bytes * LARGE_FREE_FRACTION):
        return warn(size, "stop the service, and run VACUUM (SQLite), or VACUUM FULL in a quiet hour (PostgreSQL)")
    return fine(size)


def check_files(patient: Patient) -> Verdict:
    """Check that no other user of the machine can read the data folder or its files."""
    folder = patient.settings.data_dir
    if not folder.is_dir() and not patient.is_embedded:
        return fine("a data folder is not needed")
    if not folder.is_dir():
        return fault(f"there is no folder {folder}", "check GUIDANCE_DATA_DIR")
    paths = [folder, *(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())]
    names = [str(path) for path in paths if path.stat().st_mode & FOR_OTHERS]
    if names:
        return fault(f"other users can open {', '.join(names)}", "run chmod go-rwx, or restart the service")
    return fine(f"{folder} can only be read by its owner")


def check_flush(patient: Patient) -> Verdict:
    """Check how long the disk takes to store a few bytes for certain, as it does for every concern."""
    if not patient.is_embedded:
        return unknown(OF_THE_SERVER)
    try:
        seconds = measure_flush(patient.settings.data_dir)
    except OSError as failure:
        return fault(f"the data folder cannot be written to ({failure.strerror})", "check its owner and the disk")
    found = f"a flush takes {seconds * 1000:.1f} ms"
    if seconds > FAULTY_FLUSH_SECONDS:
        return fault(found, "move the data folder to a local disk, because callers wait for each flush")
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
    """Check the date of this machine with the time that was last known. The check `clock-drift` looks at minutes."""
    with Session(patient.engine) as session:
        apart = find_clock_fault(session, at=patient.at)
    if apart is not None:
        return fault(
            f"{apart}, so nothing is erased",
            "check the date of this computer; once it is right, run guidance desk purge --clock-checked",
        )
    return fine("the clock agrees with the time that was last known")


def check_watch(watch: Watch, patient: Patient) -> Verdict:
    """Check that what is watched is not past its bound."""
    taken = watch.measure(patient)
    if isinstance(taken, Unmeasured):
        return warn(taken.why, taken.action) if taken.action else unknown(taken.why)
    if watch.is_past(taken) and watch.name in patient.settings.accepted_warnings:
        return fine(f"{taken.found}, which GUIDANCE_ACCEPTED_WARNINGS accepts")
    if watch.is_past(taken):
        return fault(taken.found, taken.advice or watch.action)
    return warn(taken.found, taken.advice) if taken.advice else fine(taken.found)


def check_restore(patient: Patient) -> Verdict:
    """Restore the newest backup into a folder that is deleted again."""
    folder = patient.settings.backup_folder
    if not patient.is_embedded:
        return unknown("test-restore a pg_dump, then run guidance verify on it")
    if folder is None:
        return warn(f"{UNSET} whether a backup restores", "set it")
    newest = find_newest_backup(folder, is_embedded=True)
    if newest is None:
        return fault("there is no backup to restore", "run guidance backup each night")
    try:
        drilled = drill_restore(newest, at=patient.at)
    except BackupRefused as refusal:
        return fault(f"{newest.name} cannot be restored: {refusal}".replace("\n", " "), "make another backup now")
    except OSError as failure:
        return warn(
            f"the restore could not be tested ({failure.strerror})", "let guidance doctor write into the folder"
        )
    return fine(f"{newest.name} was restored in {drilled.seconds:.1f} s: {drilled.verified.concerns} concerns")


def check_contacts(patient: Patient) -> Iterator[Verdict]:
    """Check that local signposts are the council's own, and that a person checked every contact within a year."""
    try:
        known = replace(patient.reference_data, council=patient.settings.council)
    except SeedFileError as refusal:
        yield fault(f"the reference data cannot be read: {refusal}", "correct the file in GUIDANCE_SEED_DIR")
        return
    with Session(patient.engine) as session:
        editions = [(each.guide, read_content(session, each.key)) for each in patient.current_editions]
    foreign = {each for _, content in editions for each in known.foreign_signposts(content.publisher)}
    if foreign:
        names = ", ".join(sorted(each.id for each in foreign))
        councils = " and ".join(sorted({known.label_of(each.council or "") for each in foreign}))
        grade = warn if patient.settings.is_trial else fault
        yield grade(
            f"signposts of {councils} are left out, because that is not the council of this service: {names}",
            "set GUIDANCE_COUNCIL_NAME as in the code list `council`, or replace them in signposts.yaml by your own",
        )
    signposts = [each for each in known.all_signposts if each not in foreign]
    contacts = [
        (f"{guide}/{contact.id}", contact.verified_on) for guide, content in editions for contact in content.contacts
    ]
    checks = [*contacts, *((f"signpost {each.id}", each.verified_on) for each in signposts)]
    oldest = patient.at.date() - CONTACT_CHECKED_FOR
    unverified = [name for name, verified_on in checks if verified_on is None or verified_on < oldest]
    if unverified:
        yield warn(
            f"nobody has checked {len(unverified)} of {len(checks)} contacts within a year: {_few(unverified)}",
            "check each number, then publish the contacts with verified_on (signposts are in the seed folder)",
        )
    yield fine(f"all {len(checks)} contacts were checked within a year")


def check_reviews(patient: Patient) -> Verdict:
    """Check that no current edition is past its review, or will be soon."""
    soon = patient.at.date() + REVIEW_SOON
    reviews = ((each.details.review_by, each.guide) for each in patient.current_editions)
    dated = sorted((day, guide) for day, guide in reviews if day is not None)
    due = [f"{guide} on {day}" for day, guide in dated if day <= soon]
    if due:
        return warn(f"due for review: {_few(due)}", "review the guide, and publish the next edition")
    return fine("no guide is due for review within 30 days")


def check_statements(patient: Patient) -> Iterator[Verdict]:
    """Check that the statements name whom to write to, and that what they say of the law was compared with it."""
    missing = [name for name in NAMED_BY_STATEMENTS if name not in patient.settings.model_fields_set]
    if missing and not patient.settings.is_trial:
        names = ", ".join(f"GUIDANCE_{name.upper()}" for name in missing)
        yield fault(
            f"the privacy notice or the accessibility statement lacks what the law demands: {names} not set",
            f"set {names} (contacts: mailto:, https:// or tel:)",
        )
    try:
        statements = patient.reference_data.statements
    except SeedFileError:  # `check_contacts` says so
        yield unknown("the reference data cannot be read")
        return
    due = [each.id for each in statements if each.is_due(patient.at.date(), within=REVIEW_SOON)]
    if due:
        yield warn(
            f"{len(due)} of {len(statements)} statements about the law are to be compared with it: {_few(due)}",
            "compare each with its source (guidance due), and set verified_on and recheck_by in legal-statements.yaml",
        )
    yield fine(f"all {len(statements)} statements about the law were compared with it")


def check_holidays(patient: Patient) -> Verdict:
    """Check that the bank holidays of this year and of the next are known, since deadlines count working days."""
    calendar, year = WorkingDays().calendar, patient.at.year
    for each in (year, year + 1):
        calendar.get(dt.date(each, 1, 1))  # which makes the package compute the year
        known = sum(day.year == each for day in calendar)
        if known < FEWEST_HOLIDAYS:
            return fault(
                f"{known} bank holidays are known for {each}",
                "update this program: its holidays package is out of date",
            )
    return fine(f"the bank holidays of {year} and {year + 1} are known")


def check_danger_times(patient: Patient) -> Verdict:
    """Check that the council set how soon it acknowledges a concern about danger."""
    unset = [name for name in TIMES_FOR_DANGER.values() if name not in patient.settings.model_fields_set]
    if unset and not patient.settings.is_trial:
        names = " and ".join(f"GUIDANCE_{name.upper()}" for name in unset)
        return warn(
            f"reporters in danger are told no time, only to call: {names} not set",
            f"if a team reads concerns day and night, set {names}",
        )
    return fine("reporters in danger are told a time only if the council set it")


def _few(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def check_overdue(patient: Patient) -> Verdict:
    """Check that nothing waits for the desk after its time."""
    with Session(patient.engine) as session:
        late = count_states(session, now=patient.at)["overdue"]
        late += count_additions(session, now=patient.at)["additions_overdue"]
    if late:
        return warn(f"{late} concerns or additions are overdue", "call the duty team now")
    return fine("nothing is overdue")


def check_overdue_events(patient: Patient) -> Verdict:
    """Check that whatever is overdue was announced."""
    broken = _broken(patient, Invariant.OVERDUE_EVENTS)
    if broken:
        return fault(
            f"{len(broken)} are overdue but were not announced",
            "start guidance serve or guidance deliver with GUIDANCE_DELIVER, and read the log",
        )
    return fine("every overdue concern has been announced")


def check_test_concerns(patient: Patient) -> Verdict:
    """Check that no test concern was sent in the last day: the desk does not see them."""
    with Session(patient.engine) as session:
        tests = count_recent_tests(session, now=patient.at)
    if tests:
        with Session(patient.engine) as session:
            clients = [each.name for each, _ in list_clients(session) if each.test and each.revoked_at is None]
        return warn(
            f"{tests} test concerns were sent in the last day, which the desk does not see; test keys: {_few(clients)}",
            "check that no live system uses a test key (guidance clients list --json shows their last use)",
        )
    return fine("no test concern was sent in the last day")


def check_chains(patient: Patient) -> Verdict:
    """Check that the audit log is intact."""
    broken = _broken(patient, Invariant.CHAINS)
    if broken:
        return fault(
            f"{len(broken)} errors in the audit log: {broken[0]}", "leave the files unchanged and run guidance verify"
        )
    return fine("the audit log is intact")


def check_access(patient: Patient) -> Verdict:
    """Check that nobody may come in but those whom this service let in."""
    open_access_keys(patient.settings, patient.engine)
    try:
        keys = require_access_keys(patient.engine, is_used=patient.settings.openid_client_id is not None)
    except SetupError as refusal:
        return fault(str(refusal), "restore the access key")
    broken = _broken(patient, Invariant.ACCESS)
    if broken:
        return fault(
            f"{len(broken)} access rows are invalid: {broken[0]}", "leave the files unchanged and run guidance verify"
        )
    if not keys.keys:
        return fine("nobody has access yet")
    return fine("all access rows are signed by this service")


def check_removed_recipients(patient: Patient) -> Verdict:
    """Check that no text is sealed to a recipient that GUIDANCE_SEAL_TO no longer has."""
    if patient.settings.is_trial:
        return fine("a trial has no recipients")
    broken = _broken(patient, Invariant.RECIPIENTS)
    if broken:
        return fault(
            f"{len(broken)} texts are encrypted to a removed recipient",
            "run guidance keys reseal on a computer with an identity",
        )
    return fine("all texts are encrypted to current recipients only")


def _broken(patient: Patient, invariant: Invariant) -> list[str]:
    recipients = [fingerprint_of(each) for each in patient.settings.seal_to]
    return find_broken(patient.engine, invariant, recipients=recipients, at=patient.at)


def check_webhooks(patient: Patient) -> Iterator[Verdict]:
    """Check each address that events are pushed to."""
    with Session(patient.engine) as session:
        yield from _unreadable_secrets(patient, session)
        counted, oldest = count_deliveries(session), oldest_waiting(session)
        webhooks = [each for each in list_webhooks(session) if each.disabled_because != REMOVED and each.name != EMAIL]
    guard = SsrfGuard(frozenset(patient.settings.webhook_allowed_hosts))
    for webhook in webhooks:
        name = webhook.name
        if webhook.disabled_at is not None:
            yield fault(f"{name} is disabled: {webhook.disabled_because}", f"fix the receiver, then add {name} again")
        if dead := counted.get((name, DeliveryState.DEAD.value)):
            yield fault(f"{name} did not accept {dead} events, which were given up", f"guidance webhooks replay {name}")
        failure = knock_at_receiver(webhook.url, guard) if webhook.disabled_at is None else None
        if failure is not None:
            yield fault(f"cannot connect to the address of {name} ({failure})", "fix the receiver")
        if name in oldest and patient.at - oldest[name] > LATE:
            yield warn(
                f"{name} has a pending event of {oldest[name]:%Y-%m-%d %H:%M} UTC",
                f"fix the receiver (guidance webhooks test {name}), and see that something delivers",
            )
    yield fine(f"{len(webhooks)} webhooks, all delivering")


def _unreadable_secrets(patient: Patient, session: Session) -> Iterator[Verdict]:
    keys = open_webhook_keys(patient.settings)
    secrets = [(each.name, secret) for each in list_webhooks(session) for secret in each.secrets]
    try:
        keys.load()
        lost = [name for name, secret in secrets if not keys.can_decrypt(name, secret)]
    except SetupError as refusal:
        yield fault(str(refusal), "put the webhook key back from its store")
        return
    if lost:
        yield fault(
            f"the secret of {', '.join(dict.fromkeys(lost))} cannot be decrypted",
            f"restore the webhook key ({keys.path}), or guidance webhooks rotate",
        )
    if not patient.is_embedded and patient.settings.webhook_key_file is None and secrets:
        yield warn("each node has its own webhook key", "give all nodes the same GUIDANCE_WEBHOOK_KEY_FILE")


def check_print(_: Patient) -> Verdict:
    """Check that the packages which set the page to print are installed."""
    absent = [name for name in _printing_packages() if not _is_installed(name)]
    if absent:
        return warn(f"no PDF can be made: {', '.join(absent)} not installed", "install the extra print")
    return fine("PDFs can be made")


def check_scripts(_: Patient) -> Verdict:
    """Check that every script which a page loads was installed, but for the one that is built."""
    pages = [path.read_text() for path in (PAGES_FOLDER / "templates").rglob("*.html")]
    named = {name for page in pages for name in SCRIPT_OF_PAGES.findall(page)} - {BUILT}
    absent = sorted(name for name in named if not (PAGES_FOLDER / "static" / name).is_file())
    if absent:
        return fault(f"page scripts are missing: {', '.join(absent)}", "reinstall the program")
    return fine(f"all {len(named)} page scripts are installed")


def check_desk_script(_: Patient) -> Verdict:
    """Check that the script which opens concerns in the browser was built, and the page that opens them from disk."""
    if not all((BUILT_FOLDER / name).is_file() for name in (BUILT, BUILT_PAGE)):
        return warn(
            "the desk cannot decrypt concerns in the browser: its script was not built",
            "install a released wheel or image, or run make desk-script; or use guidance desk open",
        )
    return fine("the desk can decrypt concerns in the browser")


def _printing_packages() -> list[str]:
    return [found[1] for each in metadata.requires(DISTRIBUTION) or () if (found := REQUIREMENT.match(each))]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


KNOCKED = (Part.OPENID, Part.LIMITS, Part.TRACES, Part.PAGES)
KEYS, DEPLOY = "docs/how-to/keys-and-sealed-concerns.md", "docs/how-to/deploy.md"
CONVENTIONS, PAGES, SETTINGS = "docs/reference/conventions.md", "docs/reference/pages.md", "docs/reference/settings.md"
ALL_CHECKS = (
    Check("settings", check_settings, f"{SETTINGS}#table-of-settings"),
    Check("start", check_start, f"{SETTINGS}#table-of-settings"),
    Check("proxy", check_proxy, f"{DEPLOY}#before-anything-else"),
    Check("public-url", check_public_url, f"{DEPLOY}#before-anything-else"),
    Check("recipients", check_number_of_recipients, KEYS),
    Check("identities", check_identities, KEYS, names_somebody=True),
    Check("receipt-key", check_receipt_key, "docs/reference/receipts.md"),
    Check("database", check_database, f"{OPERATIONS}#processes-and-nodes", opens_database=True),
    Check("pages", check_pages, f"{BACKUPS}#drill", needs_database=True, is_long=True),
    Check("schema", check_schema, f"{OPERATIONS}#schema", needs_database=True, opens_database=True),
    Check("rules", check_rules, f"{OPERATIONS}#schema", needs_database=True),
    Check("growth", check_growth, f"{OPERATIONS}#growth", needs_database=True),
    Check("files", check_files, f"{OPERATIONS}#files"),
    Check("flush", check_flush, f"{OPERATIONS}#processes-and-nodes"),
    Check("clock", check_clock, f"{OPERATIONS}#background-workers", needs_database=True),
    *(Check(each.name, partial(check_watch, each), each.read, needs_database=each.needs_database) for each in WATCHES),
    Check("restore", check_restore, f"{BACKUPS}#drill", is_long=True, names_somebody=True),
    Check("contacts", check_contacts, CONVENTIONS, needs_database=True),
    Check("reviews", check_reviews, CONVENTIONS, needs_database=True),
    Check("statements", check_statements, f"{PAGES}#statements-about-the-law"),
    Check("holidays", check_holidays, "docs/decisions/0008-acknowledge-by.md"),
    Check("danger-times", check_danger_times, "docs/decisions/0008-acknowledge-by.md"),
    Check("overdue", check_overdue, f"{OPERATIONS}#background-workers", needs_database=True),
    Check("overdue-events", check_overdue_events, f"{OPERATIONS}#invariants", needs_database=True),
    Check(
        "test-concerns",
        check_test_concerns,
        "docs/how-to/integrate.md#try-without-harm",
        needs_database=True,
        names_somebody=True,
    ),
    Check("chains", check_chains, f"{OPERATIONS}#invariants", needs_database=True, is_long=True, names_somebody=True),
    Check("access", check_access, f"{OPERATIONS}#who-may-come-in", needs_database=True, names_somebody=True),
    Check("removed-recipients", check_removed_recipients, f"{KEYS}#change-keys", needs_database=True),
    Check("webhooks", check_webhooks, "docs/how-to/receive-events.md#by-push", needs_database=True),
    Check("email", check_email, "docs/reference/events.md#email-to-the-duty-team"),
    *(Check(part.value, partial(check_outside, part), f"{OPERATIONS}#parts-outside") for part in KNOCKED),
    Check("print", check_print, f"{PAGES}#the-page-to-print"),
    Check("scripts", check_scripts, PAGES),
    Check("desk-script", check_desk_script, "docs/how-to/work-at-the-desk.md#open-a-concern-in-the-browser"),
)
"""In the order of the report. The schema is looked at before what reads tables."""


def examine(
    settings: Settings,
    *,
    at: dt.datetime,
    rehearse_start: Callable[[Settings, Engine], None],
    is_quick: bool = False,
) -> Iterator[Finding]:
    """Yield what each check finds. Nothing is changed, but for files that are written and deleted again."""
    try:
        engine = open_to_read(settings.data_dir, settings.database_address)
    except SetupError as refusal:
        yield _finding(ALL_CHECKS[0], fault(str(refusal), "correct the setting"))
        return
    patient, is_readable = Patient(settings, engine, at, rehearse_start), True
    try:
        for check in ALL_CHECKS:
            finding = _finding(check, _run(check, patient, is_readable=is_readable, is_quick=is_quick))
            if check.opens_database:
                is_readable = finding.condition is Condition.FINE
            yield finding
    finally:
        engine.dispose()


def failed_unit(name: str) -> Finding:
    """Return the finding that a unit of systemd failed, as systemd says."""
    return Finding("unit", Condition.FAULT, f"{name} failed", f"read journalctl --unit {name}", f"{BACKUPS}#rotation")


def refused_settings(refusal: str) -> list[Finding]:
    """Return a finding for each line of the refusal of settings, which no other check can do without."""
    return [
        Finding(ALL_CHECKS[0].name, Condition.FAULT, line, "correct it, or remove it", f"{SETTINGS}#settings")
        for line in refusal.splitlines()
    ]


def _run(check: Check, patient: Patient, *, is_readable: bool, is_quick: bool) -> Verdict:
    if check.needs_database and not is_readable:
        return SKIPPED_DATABASE
    if check.is_long and is_quick:
        return SKIPPED_LONG
    try:
        found = check.run(patient)
        return found if isinstance(found, Verdict) else worst(found)
    except SQLAlchemyError as failure:
        return fault(f"the database cannot be read ({type(failure).__name__})", "run guidance verify")
    except (GuidanceError, OSError) as failure:
        return fault(f"this check failed ({type(failure).__name__})", "correct the other problems first")


def _finding(check: Check, verdict: Verdict) -> Finding:
    return Finding(check.name, verdict.condition, verdict.found, verdict.action, check.read)
