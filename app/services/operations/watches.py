"""Watches: values that are measured on a running service, each with a bound and an action for when the bound is passed.

`WATCHES` is the source of metrics, readiness warnings, checks of `guidance doctor` and a table in the documentation.
Each bound is written only in this module: alerts compare each metric with the metric `guidance_warning_bound`.
"""

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from app.config import Settings, is_loopback
from app.errors import SeedFileError, SetupError
from app.logs import Log
from app.models.audit.rows import AuditEntryRow, NotedTime
from app.models.base import counted
from app.models.events.rows import MAILBOXES, EventRow
from app.services.access.openid_provider import DISCOVERY_PATH
from app.services.audit.lost_entries import find_new_loss, list_losses, read_known_ends
from app.services.clock.teams import DutyHours
from app.services.clock.working_days import WorkingDays
from app.services.clock.working_hours import hours_text
from app.services.events.rounds import find_round
from app.services.events.webhooks import list_receivers
from app.services.guides.reference_data import EmergencyContacts, read_reference_data
from app.services.operations.public_address import PublicAnswer, call_public_address, read_certificate, read_time

MINUTE_SECONDS, HOUR_SECONDS = 60.0, 3600.0
HOUR = dt.timedelta(hours=1)
OLDEST_BACKUP = dt.timedelta(hours=26)
CERTIFICATE_LEFT = dt.timedelta(days=14)
PART_OF_CERTIFICATE = 4  # renewal comes before the last quarter of the validity, even if that is only hours
GIGABYTE = 1_000_000_000
PART_OF_DISK, MOST_OF_DISK, LEAST_OF_DISK = 20, 10 * GIGABYTE, GIGABYTE // 10
MOST_DRIFT = dt.timedelta(minutes=1)
OLDEST_ROUND = dt.timedelta(minutes=5)
EACH_NIGHT = {True: "run guidance backup each night", False: "run pg_dump into it each night"}
"""Advice on backups by whether the database is embedded."""
OF_THE_SERVER = "the disk is that of the database server"
EMAILS, EVENTS = "emails", "events"
ROUNDS = {EMAILS: NotedTime.EMAIL_ROUND, EVENTS: NotedTime.WEBHOOK_ROUND}
CALL_OUT = {"certificate", "clock-drift"}
"""Watches that call another service."""
log = Log(__name__)
OPERATIONS, BACKUPS = "docs/reference/operations.md", "docs/how-to/back-up-and-restore.md"


@dataclass(frozen=True)
class MeasurementContext:
    """Everything that a measurement reads."""

    settings: Settings
    engine: Engine
    at: dt.datetime
    since: dt.datetime | None = field(default=None, kw_only=True)
    """Time at which this process began to watch. None for `guidance doctor`."""

    @property
    def is_embedded(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @cached_property
    def public_answer(self) -> PublicAnswer:
        """Return the response of the public address, requested at the first use."""
        return call_public_address(self.settings.public_url)


@dataclass(frozen=True)
class Reading:
    """A value in the unit of the metric, and a sentence for the log, which has no name and no path."""

    value: float
    found: str
    bound: float | None = None
    """None for the bound of the watch."""
    advice: str = ""
    """Even within the bound."""
    warning: str = ""
    """The readiness warning, or empty if that of the watch (`Watch.state`) applies."""


@dataclass(frozen=True)
class Unmeasured:
    """Why a value could not be measured, and what would make it measurable."""

    why: str
    action: str = ""


@dataclass(frozen=True)
class Watch:
    """A value that is measured."""

    name: str
    """Name in readiness, the doctor and `guidance_warning_bound`."""
    metric: str
    says: str
    """Meaning of the metric, with its unit."""
    bound: float
    limit: str
    """The bound in words, for the documentation."""
    state: str
    """Sentence of readiness past the bound."""
    action: str
    """Action for the operator past the bound."""
    alert: str
    """Sentence of the monitoring rules."""
    measure: Callable[[MeasurementContext], Reading | Unmeasured]
    read: str
    warns_below: bool = False
    every: float = MINUTE_SECONDS
    """Seconds."""
    needs_database: bool = False
    """The doctor skips it when it cannot be read."""

    def bound_of(self, reading: Reading) -> float:
        return self.bound if reading.bound is None else reading.bound

    def is_past(self, reading: Reading) -> bool:
        bound = self.bound_of(reading)
        return reading.value < bound if self.warns_below else reading.value > bound


def measure_backup(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the age of the newest backup in seconds, or that of the database if there is none.

    Return `Unmeasured` without a readable folder here.
    """
    folder, each_night = around.settings.backup_folder, EACH_NIGHT[around.is_embedded]
    if folder is None:
        return Unmeasured(
            "GUIDANCE_BACKUP_FOLDER is not set, so this cannot be checked: whether there are backups",
            f"set it, and {each_night}",
        )
    if not around.is_embedded and not folder.is_dir():
        return Unmeasured("GUIDANCE_BACKUP_FOLDER is not on this computer", "set it only where the backups are")
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        return Unmeasured("GUIDANCE_BACKUP_FOLDER cannot be read", "let the user of the service read it")
    newest = find_newest_backup(folder, is_embedded=around.is_embedded)
    if newest is None:
        age = _age_of_database(around)
        return Reading(
            age.total_seconds(), f"there is no backup; the database is {age // HOUR} hours old", None, each_night
        )
    age = around.at - dt.datetime.fromtimestamp(newest.stat().st_mtime, dt.UTC)
    return Reading(max(age.total_seconds(), 0.0), f"the newest backup is {age // HOUR} hours old")


def find_newest_backup(folder: Path, *, is_embedded: bool) -> Path | None:
    """Return the file that changed last. SQLite's end in `.db`; PostgreSQL's may have any name.

    Hidden files do not count.
    """
    files = [path for path in folder.glob("[!.]*.db" if is_embedded else "[!.]*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime, default=None)


def _age_of_database(around: MeasurementContext) -> dt.timedelta:
    with Session(around.engine) as session:
        first = session.exec(select(EventRow.at).order_by(col(EventRow.id)).limit(1)).first()
    return max(around.at - (first or around.at), dt.timedelta())


def measure_certificate(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the seconds left. The bound is `CERTIFICATE_LEFT`, or a quarter of its validity if that is shorter."""
    if not around.settings.is_https:
        return Unmeasured("GUIDANCE_PUBLIC_URL is not https, so there is no certificate")
    certificate = read_certificate(around.settings.public_url)
    if certificate is None:
        return Unmeasured("there is no TLS connection to GUIDANCE_PUBLIC_URL from this computer")
    bound = min(CERTIFICATE_LEFT, (certificate.ends - certificate.begins) / PART_OF_CERTIFICATE)
    left = certificate.ends - around.at
    found = f"the certificate expires at {certificate.ends:%Y-%m-%d %H:%M} UTC"
    return Reading(left.total_seconds(), found, bound.total_seconds())


def measure_disk(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the free bytes, for the embedded database.

    The bound is a twentieth, within `LEAST_OF_DISK` and `MOST_OF_DISK`.
    """
    if not around.is_embedded:
        return Unmeasured(OF_THE_SERVER)
    usage = shutil.disk_usage(around.settings.data_dir)
    size = usage.used + usage.free
    bound = min(max(size / PART_OF_DISK, LEAST_OF_DISK), MOST_OF_DISK)
    share = usage.free / size if size else 0.0
    return Reading(usage.free, f"{usage.free / GIGABYTE:.1f} GB are free, {share:.0%} of the disk", bound)


def measure_clock(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the seconds from the most reliable other clock.

    With SQLite it is by how much the last audit entry is in the future; on PostgreSQL another node may have written
    that.
    """
    found = [(around.at - now, f"the clock of {whose}") for whose, now in islice(_other_clocks(around), 1)]
    if around.is_embedded:
        with Session(around.engine) as session:
            last = session.exec(select(func.max(AuditEntryRow.at))).one()
        if last is not None:
            found.append((min(around.at - last, dt.timedelta()), "the last entry of the audit log"))
    if not found:
        return Unmeasured("no other clock can be read from this computer")
    apart, other = max(found, key=lambda each: abs(each[0]))
    seconds, side = apart.total_seconds(), "ahead of" if apart > dt.timedelta() else "behind"
    return Reading(abs(seconds), f"the clock is {abs(seconds):.0f} seconds {side} {other}")


def _other_clocks(around: MeasurementContext) -> Iterator[tuple[str, dt.datetime]]:
    """The most reliable first: PostgreSQL, OpenID provider, public address unless local."""
    settings = around.settings
    if not around.is_embedded:
        with Session(around.engine) as session:
            yield "the database", session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
    issuer = settings.openid_issuer
    address = settings.openid_jwks_url or (issuer and issuer.rstrip("/") + DISCOVERY_PATH)
    if address and (now := read_time(address)) is not None:
        yield "the identity provider", now
    is_here = is_loopback(urlsplit(settings.public_url).hostname or "")
    if not is_here and (now := around.public_answer.time) is not None:
        yield "GUIDANCE_PUBLIC_URL", now


def measure_durability(around: MeasurementContext) -> Reading | Unmeasured:
    """Return how many of `fsync` and `full_page_writes` are off, so that a power cut can lose confirmed writes.

    It is 0 for SQLite.
    """
    if around.is_embedded:
        return Reading(0, "each write is flushed to the disk")
    unsafe = (
        "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on' ORDER BY name"
    )
    with around.engine.connect() as connection:
        off = [str(name) for (name,) in connection.execute(text(unsafe))]
    if off:
        return Reading(len(off), f"PostgreSQL runs with {' and '.join(f'{name}=off' for name in off)}")
    return Reading(0, "PostgreSQL flushes each write to the disk")


def measure_lost_entries(around: MeasurementContext) -> Reading | Unmeasured:
    """Count the losses of entries: one that is found now, and those that were recorded lately."""
    folder = around.settings.data_dir
    with Session(around.engine) as session:
        new = find_new_loss(session, folder, at=around.at)
        losses = [*filter(None, [new]), *list_losses(session, at=around.at)]
        newest = select(AuditEntryRow.position, AuditEntryRow.at).order_by(col(AuditEntryRow.position).desc()).limit(1)
        last = session.exec(newest).first()
    if losses:
        return Reading(len(losses), str(losses[0]))
    if last is None or not read_known_ends(folder):
        return Unmeasured("the service has not noted yet on this computer how long the audit log is")
    return Reading(
        0, f"the audit log has {counted(last[0] or 0, 'entry', 'entries')}, the last from {last[1]:%Y-%m-%d %H:%M} UTC"
    )


def measure_delivery(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the seconds since a process looked for emails, or for events for webhooks, whichever is longer.

    A time before this process's start, or before the latest webhook, counts as that. Return `Unmeasured` if neither is
    needed.
    """
    with Session(around.engine) as session:
        since = _awaited_since(around, session)
        rounds = {what: find_round(session, ROUNDS[what]) for what in since}
    if not since:
        return Unmeasured("no mail server and no webhook is set up")
    latest = {what: max(filter(None, (since[what], rounds[what]))) for what in since}
    ages = {what: abs(around.at - at) for what, at in latest.items()}  # a time in the future comes from a wrong clock
    what, age = max(ages.items(), key=lambda each: each[1])
    seconds = age.total_seconds()
    return Reading(seconds, f"the last look for {what} to send was {counted(round(seconds), 'second')} ago")


def _awaited_since(around: MeasurementContext, session: Session) -> dict[str, dt.datetime]:
    """`EMAILS` and `EVENTS`, as far as needed."""
    receivers = list_receivers(session)
    added = [each.added_at for each in receivers if each.name not in MAILBOXES]
    since = {}
    if around.settings.smtp_host is not None or len(added) < len(receivers):
        since[EMAILS] = around.since or around.at - _age_of_database(around)
    if added:
        since[EVENTS] = max(filter(None, (around.since, *added)))
    return since


def measure_unanswered(around: MeasurementContext) -> Reading | Unmeasured:
    """Return the seconds of a week in which no team of the default guide answers."""
    settings = around.settings
    try:
        known = read_reference_data(settings.seed_dir, settings.council, settings.out_of_hours_phone)
    except SeedFileError:
        return Unmeasured("the reference data cannot be read")
    who = EmergencyContacts(around.engine, known, settings.default_guide).current()
    closed = DutyHours(WorkingDays(), settings.duty_hours).unanswered(who)
    if closed is None:
        return Unmeasured("no opening hours are known, so pages cannot say which team answers")
    seconds = sum(len(each.days) * (_seconds(each.closes) - _seconds(each.opens)) for each in closed)
    found = "a team answers at every hour of the week" if not closed else f"no team answers on {hours_text(closed)}"
    return Reading(seconds, found, warning=found)


def _seconds(time: str) -> float:
    hour, _, minute = time.partition(":")
    return int(hour) * HOUR_SECONDS + int(minute) * MINUTE_SECONDS


WATCHES = (
    Watch(
        name="backup",
        metric="guidance_backup_age_seconds",
        says="age of the newest backup in `GUIDANCE_BACKUP_FOLDER`, in seconds; of the database, while there is none",
        bound=OLDEST_BACKUP.total_seconds(),
        limit="older than 26 hours",
        state="too old",
        action="find out why the nightly backup stopped, and make a backup now",
        alert="GuidanceBackupOld",
        measure=measure_backup,
        read=BACKUPS,
    ),
    Watch(
        name="certificate",
        metric="guidance_certificate_seconds",
        says="seconds until the certificate of `GUIDANCE_PUBLIC_URL` expires",
        bound=CERTIFICATE_LEFT.total_seconds(),
        limit="less than 14 days, or less than a quarter of a shorter life, are left",
        state="expires soon",
        action="renew the certificate, and find out why the proxy did not",
        alert="GuidanceCertificateExpires",
        measure=measure_certificate,
        read="docs/how-to/deploy.md#put-a-reverse-proxy-in-front",
        warns_below=True,
        every=HOUR_SECONDS,
    ),
    Watch(
        name="disk",
        metric="guidance_disk_free_bytes",
        says="free space on the disk of the data folder, in bytes (SQLite)",
        bound=MOST_OF_DISK,
        limit="less than 5 % is free (at most 10 GB, at least 100 MB)",
        state="almost full",
        action="free some space: concerns cannot be stored on a full disk",
        alert="GuidanceDiskAlmostFull",
        measure=measure_disk,
        read=f"{OPERATIONS}#a-full-disk",
        warns_below=True,
    ),
    Watch(
        name="clock-drift",
        metric="guidance_clock_drift_seconds",
        says="seconds between the clock and that of the database, the identity provider or the proxy",
        bound=MOST_DRIFT.total_seconds(),
        limit="more than 1 minute",
        state="wrong",
        action="set the clock and synchronise it (NTP), because deadlines depend on it",
        alert="GuidanceClockWrong",
        measure=measure_clock,
        read=f"{OPERATIONS}#a-wrong-clock",
        every=10 * MINUTE_SECONDS,
        needs_database=True,
    ),
    Watch(
        name="durability",
        metric="guidance_database_unsafe_settings",
        says="how many of `fsync` and `full_page_writes` are off in PostgreSQL",
        bound=0,
        limit="1 or more",
        state="not durable",
        action="turn fsync and full_page_writes on in postgresql.conf, and reload it: a power cut can lose or damage "
        "concerns that were confirmed",
        alert="GuidanceDatabaseNotDurable",
        measure=measure_durability,
        read=f"{OPERATIONS}#processes-and-nodes",
        needs_database=True,
    ),
    Watch(
        name="lost-entries",
        metric="guidance_lost_entries",
        says="how often, in the last 28 days, entries of the audit log were found missing or a backup was restored",
        bound=0,
        limit="1 or more",
        state="entries are missing",
        action="find out how, tell those who must know, and then accept this warning for 28 days",
        alert="GuidanceEntriesLost",
        measure=measure_lost_entries,
        read=f"{BACKUPS}#after-a-loss-or-a-restore",
        needs_database=True,
    ),
    Watch(
        name="delivery",
        metric="guidance_delivery_age_seconds",
        says="seconds since a process last looked for emails or events to send, if there is a mail server or a webhook",
        bound=OLDEST_ROUND.total_seconds(),
        limit="more than 5 minutes",
        state="nobody delivers",
        action="start guidance serve or guidance deliver with GUIDANCE_DELIVER, and call the duty team, who are told "
        "nothing of new concerns",
        alert="GuidanceNobodyDelivers",
        measure=measure_delivery,
        read="docs/reference/events.md#email-to-the-duty-team",
        needs_database=True,
    ),
    Watch(
        name="unanswered-hours",
        metric="guidance_unanswered_seconds",
        says="time of the week in which no team answers the phone, by the opening hours that are known, in seconds",
        bound=0,
        limit="more than 0",
        state="no team answers",
        action="set GUIDANCE_OUT_OF_HOURS_PHONE, or correct the opening hours: until then pages send callers to 101",
        alert="GuidanceHoursWithoutTeam",
        measure=measure_unanswered,
        read=f"{OPERATIONS}#what-is-watched",
        every=HOUR_SECONDS,
        needs_database=True,
    ),
)


def require_known_warnings(settings: Settings) -> None:
    """Raise `SetupError` if GUIDANCE_ACCEPTED_WARNINGS names no watch."""
    names = [each.name for each in WATCHES]
    if set(settings.accepted_warnings) - set(names):
        raise SetupError(f"GUIDANCE_ACCEPTED_WARNINGS: each must be one of {', '.join(names)}")


class Watcher:
    """Measures `WATCHES` in a serving process, and keeps the latest readings."""

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self.clock = clock
        self.due: dict[str, float] = {}
        """Time (monotonic) of the next measurement, by watch."""
        self._since = clock()
        self.readings: dict[str, Reading] = {}

    @property
    def warnings(self) -> dict[str, str]:
        """Return the states of watches that are past their bound and not accepted."""
        return {
            watch.name: reading.warning or watch.state for watch, reading in self._judged() if watch.is_past(reading)
        }

    @property
    def bounds(self) -> dict[str, float]:
        """Return the bounds of watches that have a reading and are not accepted."""
        return {watch.name: watch.bound_of(reading) for watch, reading in self._judged()}

    def _judged(self) -> Iterator[tuple[Watch, Reading]]:
        """Yield each watch that has a reading and is not accepted."""
        for watch in WATCHES:
            if watch.name in self.readings and watch.name not in self._settings.accepted_warnings:
                yield watch, self.readings[watch.name]

    def put_off(self, seconds: float) -> None:
        """Call no other service for `seconds`."""
        self.due = dict.fromkeys(CALL_OUT, time.monotonic() + seconds)

    def look(self, beat: Callable[[], None]) -> None:
        """Measure what is due. Log what passes its bound, or no longer does.

        If the database is silent, keep the reading. Any other error is logged.
        """
        around = MeasurementContext(self._settings, self._engine, self.clock(), since=self._since)
        for watch in WATCHES:
            if time.monotonic() >= self.due.get(watch.name, 0.0):
                self.due[watch.name] = time.monotonic() + watch.every
                with log.survive("watch_failed", reason=watch.name):
                    self._measure(watch, around)
            beat()

    def _measure(self, watch: Watch, around: MeasurementContext) -> None:
        try:
            taken = watch.measure(around)
        except SQLAlchemyError:
            return
        was_past = watch.name in self.warnings
        if isinstance(taken, Unmeasured):
            self.readings.pop(watch.name, None)
        else:
            self.readings[watch.name] = taken
        is_past = watch.name in self.warnings
        if is_past and not was_past and isinstance(taken, Reading):
            log.warning("bound_passed", reason=watch.name, error=taken.found)
        elif was_past and not is_past:
            log.info("bound_kept_again", reason=watch.name)
