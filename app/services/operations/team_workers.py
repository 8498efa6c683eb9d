"""Workers by which the duty team hears of what waits: events before the clock runs out, and emails."""

import datetime as dt
from collections.abc import Callable, Iterator

from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.logs import Log
from app.services.desk.due_soon import append_due_soon_events
from app.services.events.email_notices import claim_email, is_email_due, record_failure, record_sent
from app.services.events.email_sender import EmailSender
from app.services.events.team_email import build_email
from app.services.operations.workers import OverdueWorker, PeriodicWorker
from app.store.writer import Writer

DUE_SOON_SECONDS = 10.0
DUE_SOON_BATCH_SIZE = 32
EMAIL_SECONDS = 1.0

log = Log(__name__)


class DueSoonWorker(PeriodicWorker):
    """Appends the events of what is due soon. Any number may do so at once."""

    def __init__(self, writer: Writer, within: dt.timedelta, clock: Callable[[], dt.datetime]) -> None:
        super().__init__("due-soon")
        self._writer = writer
        self._within = within
        self._clock = clock

    def run_once(self) -> float:
        """Append one batch, and return the seconds until the next time."""
        now = self._clock()
        appended = append_due_soon_events(self._writer, now=now, within=self._within, limit=DUE_SOON_BATCH_SIZE)
        return 0.0 if appended >= DUE_SOON_BATCH_SIZE else DUE_SOON_SECONDS


class EmailWorker(PeriodicWorker):
    """Sends the emails to the duty team. Any number may run: one of them sends each."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        writer: Writer,
        clock: Callable[[], dt.datetime],
        sender: EmailSender | None = None,
    ) -> None:
        super().__init__("email")
        self._settings = settings
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._sender = sender or EmailSender(settings)

    def run_once(self) -> float:
        """Send one email if there is something to say, and return the seconds until the next time."""
        with Session(self._engine) as session:
            is_due = is_email_due(session, now=self._clock())
        notice = claim_email(self._writer, now=self._clock()) if is_due else None
        if notice is not None:
            failure = self._sender.send(build_email(notice, self._settings, at=self._clock()))
            if failure is None:
                record_sent(self._writer, notice, now=self._clock())
            else:
                log.warning("email_failed", error=failure, attempts=notice.attempts)
                record_failure(self._writer, notice, now=self._clock())
        return EMAIL_SECONDS


def build_team_workers(
    settings: Settings, engine: Engine, writer: Writer, clock: Callable[[], dt.datetime]
) -> Iterator[PeriodicWorker]:
    """Yield the workers that watch the clock of the duty team, and the one that sends emails if there is a server."""
    yield OverdueWorker(writer, clock)
    yield DueSoonWorker(writer, dt.timedelta(minutes=settings.due_soon_minutes), clock)
    if settings.smtp_host is not None:
        yield EmailWorker(settings, engine, writer, clock)
