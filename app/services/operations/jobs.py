"""The periodic background jobs of a serving process, the threads that run them, and the readiness probe."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.config import Settings
from app.db.writer import Writer
from app.errors import ClockInDoubt, GuidanceError
from app.logs import Log
from app.models.audit.rows import NotedTime, Remnants
from app.services.access.clients import KeyUses
from app.services.access.row_signing import read_access_record
from app.services.audit.lost_entries import LostEntries
from app.services.audit.remnants import has_erased, has_remnants, purge_remnants
from app.services.concerns.deadlines import append_due_soon_events, append_overdue_events
from app.services.concerns.saved_forms import SavedForms
from app.services.concerns.submission import Submissions
from app.services.desk.file_requests import append_file_events
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from app.services.events.dispatcher import DispatcherThread, build_dispatcher
from app.services.events.email_sender import EmailSender
from app.services.events.emails import (
    MAILBOX_OF,
    Mailbox,
    build_email,
    claim_email,
    find_mailbox,
    is_email_due,
    record_email,
    unsubscribe_email,
)
from app.services.events.rounds import RoundNotes
from app.services.operations.checkpoints import Checkpoints
from app.services.operations.external_services import ExternalServicesMonitor
from app.services.operations.invariants import Beat, Invariants
from app.services.operations.watches import HOUR_SECONDS, MINUTE_SECONDS, Watcher
from app.services.workers import GenerationWatcher, Job, JobsWorker

KNOWN_END_SECONDS = 10.0
OUTSIDE_SECONDS = 30.0
BATCH_SIZE = 32
log = Log(__name__)
SECONDS_BETWEEN_PROBES = 5.0


@dataclass
class TeamJobs:
    """Jobs that tell the duty team of concerns, and editors of drafts. Any number of processes may run them."""

    settings: Settings
    engine: Engine
    writer: Writer
    clock: Callable[[], dt.datetime]

    def on_time(self) -> list[Job]:
        """Return the jobs that append the events about deadlines."""
        return [
            Job(
                "overdue",
                1.0,
                lambda _: append_overdue_events(self.writer, now=self.clock(), limit=BATCH_SIZE) >= BATCH_SIZE,
            ),
            Job("due-soon", 10.0, self._note_due_soon),
            Job("file-requests", HOUR_SECONDS, lambda _: self.writer.run(append_file_events, now=self.clock())),
        ]

    def email_workers(self) -> Iterator[JobsWorker]:
        """Yield workers that are not started, none without a mail server. Unused mailboxes are unsubscribed.

        Raise `StoreBusy` or `SetupError`.
        """
        for mailbox in MAILBOX_OF.values():
            if not mailbox.is_used(self.settings):
                self._switch_emails_off(mailbox)
        if self.settings.smtp_host is not None:
            notes = RoundNotes(NotedTime.EMAIL_ROUND, self.writer, self.clock)
            yield JobsWorker(
                "email", [Job("email", 1.0, partial(self._send_and_note, EmailSender(self.settings), notes))]
            )

    def _send_and_note(self, sender: EmailSender, notes: RoundNotes, beat: Beat) -> None:
        if notes.is_due:
            notes.note()
        self.send_email(sender, beat)

    def _switch_emails_off(self, mailbox: Mailbox) -> None:
        """So that no event waits; logged if some did."""
        with Session(self.engine) as session:
            is_off = find_mailbox(session, mailbox) is None
        if not is_off and (waiting := self.writer.run(unsubscribe_email, mailbox, now=self.clock())):
            log.warning("emails_switched_off", count=waiting)

    def send_email(self, sender: EmailSender, _beat: Beat) -> None:
        """Send emails to the team and to editors. Unused mailboxes are skipped."""
        for mailbox in MAILBOX_OF.values():
            if mailbox.is_used(self.settings):
                self._send_to(mailbox, sender)

    def _send_to(self, mailbox: Mailbox, sender: EmailSender) -> None:
        """Claim the events first, so that only one process sends them."""
        with Session(self.engine) as session:
            if not is_email_due(session, mailbox, now=self.clock()):
                return
        notice = self.writer.run(claim_email, mailbox, now=self.clock())
        if notice is None:
            return
        failure = sender.send(build_email(notice, self.settings, at=self.clock()))
        if failure is not None:
            log.warning("email_failed", error=failure, attempts=notice.attempts)
        self.writer.run(record_email, notice, failure, now=self.clock())

    def _note_due_soon(self, _beat: Beat) -> bool:
        within = dt.timedelta(minutes=self.settings.due_soon_minutes)
        quiet = dt.timedelta(minutes=self.settings.acknowledge_danger_minutes) / 2
        noted = append_due_soon_events(self.writer, now=self.clock(), within=within, quiet=quiet, limit=BATCH_SIZE)
        return noted >= BATCH_SIZE


@dataclass
class Housekeeping(TeamJobs):
    """All background jobs of a serving process, of which several may run.

    `knows_there_are_none`: the last purge left no erased text. `has_tried_to_purge` even if it failed.
    """

    key_uses: KeyUses
    checkpoints: Checkpoints
    invariants: Invariants
    outside: ExternalServicesMonitor
    watcher: Watcher
    lost_entries: LostEntries
    knows_there_are_none: bool = False
    has_tried_to_purge: bool = False

    def build_workers(
        self, on_generation_change: Callable[[], None], on_silence: Callable[[float | None], None]
    ) -> Iterator[JobsWorker]:
        """Return workers, not started. Jobs with deadlines share no thread with long ones or calls of servers.

        `on_generation_change` is also called at the start; for `on_silence` see `GenerationWatcher`. Raise the errors
        of `email_workers`.
        """
        on_time = [
            Job("key-uses", MINUTE_SECONDS, lambda _: self.key_uses.store(self.writer), first_delay=MINUTE_SECONDS),
            Job("saved-forms", MINUTE_SECONDS, self._erase_saved_forms),
            Job("known-end", KNOWN_END_SECONDS, lambda _: self.lost_entries.look(), first_delay=KNOWN_END_SECONDS),
        ]
        if self.settings.deliver:
            on_time += self.on_time()
        long = [
            Job("access-record", MINUTE_SECONDS, lambda _: read_access_record(self.engine)),
            # before `checkpoint`: it stores the last known time, and a checkpoint without this time counts as a fault
            Job("retention", HOUR_SECONDS, self._erase_due),
            Job("checkpoint", HOUR_SECONDS, self._make_checkpoint),
            Job("invariants", MINUTE_SECONDS, self.invariants.check_due, first_delay=MINUTE_SECONDS),
        ]
        if self.engine.dialect.name == "sqlite":  # only the embedded database can be purged
            long.append(Job("remnants", 10.0, self._purge_remnants))
        yield GenerationWatcher(self.engine, on_generation_change, on_silence)
        yield JobsWorker("clock", on_time)
        yield JobsWorker("housekeeping", long, stalled_after=HOUR_SECONDS)  # PostgreSQL may take long to free space
        self.watcher.put_off(OUTSIDE_SECONDS)
        looks = [
            Job("outside", OUTSIDE_SECONDS, self.outside.look, first_delay=OUTSIDE_SECONDS),
            Job("watches", OUTSIDE_SECONDS, self.watcher.look),
        ]
        yield JobsWorker("outside", looks, stalled_after=HOUR_SECONDS)  # each call has a time limit
        if self.settings.deliver:
            yield from self.email_workers()
            dispatcher = build_dispatcher(self.settings, self.writer, self.clock)
            yield DispatcherThread(dispatcher, grace_seconds=self.settings.drain_seconds)

    def _erase_saved_forms(self, _beat: Beat) -> None:
        try:
            erased = SavedForms(self.writer).erase_expired(at=self.clock())
        except ClockInDoubt:  # the job `retention` logs the error
            return
        if erased:
            log.info("saved_forms_erased", count=erased)

    def _make_checkpoint(self, _beat: Beat) -> None:
        made = self.checkpoints.make_if_due(at=self.clock())
        if made is not None:
            log.info("checkpoint_made", count=made.size)

    def _erase_due(self, beat: Beat) -> None:
        """Nothing if the clock may be wrong, which is logged."""
        periods = RetentionPeriods.of(self.settings)
        erased = 0
        try:
            for _ in erase_due_concerns(self.engine, self.writer, periods, at=self.clock()):
                erased += 1
                beat()
        except ClockInDoubt:
            log.error("clock_in_doubt")
        finally:
            if erased:
                log.info("concerns_erased", count=erased)

    def _purge_remnants(self, _beat: Beat) -> None:
        """Purge once after the start, then whenever remnants remain. It fails while a reader uses the write-ahead log.

        The first failure is not logged, because most readers end soon. Later ones are, only if a text was ever erased.
        """
        if self.knows_there_are_none and not has_remnants(self.engine):
            return
        is_sure = self.has_tried_to_purge and has_erased(self.engine)
        left = purge_remnants(self.engine, is_sure=is_sure)
        self.has_tried_to_purge, self.knows_there_are_none = True, left is Remnants.NONE


class StoreProbe:
    """Tries to store an invented concern, and rolls back.

    A success counts for `SECONDS_BETWEEN_PROBES`, so that many requests cost one flush. One thread tries; others get
    the last result, or wait for the first.
    """

    def __init__(self, submissions: Submissions, clock: Callable[[], dt.datetime]) -> None:
        self._submissions = submissions
        self._clock = clock
        self._lock = Lock()
        self._is_good: bool | None = None
        self._tried_at = 0.0

    def succeeds(self) -> bool:
        if self._is_due() and self._lock.acquire(blocking=self._is_good is None):
            try:
                if self._is_due():
                    self._is_good, self._tried_at = self._try(), time.monotonic()
            finally:
                self._lock.release()
        return bool(self._is_good)

    def _is_due(self) -> bool:
        is_old = time.monotonic() - self._tried_at >= SECONDS_BETWEEN_PROBES
        return not self._is_good or is_old or self._submissions.writer.has_failed

    def _try(self) -> bool:
        try:
            self._submissions.rehearse(at=self._clock())
        except (GuidanceError, SQLAlchemyError) as failure:
            log.error("concerns_cannot_be_stored", error=type(failure).__name__)
            return False
        return True
