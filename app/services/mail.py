"""Emails to the duty team: one for all events since the last, with figures and a link, and without a word of a concern.

The events are the outbox. One row says up to which event emails were sent, so a mail server that is away delays one
email, and sends no event twice. A process claims the row for a while before it sends.
"""

import datetime as dt
import smtplib
import socket
import ssl
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from threading import Timer
from urllib.parse import urlsplit

from sqlmodel import Session, col, func, select

from app.config import Settings
from app.db.writer import write_operation
from app.errors import SetupError
from app.logs import Log
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EmailStateRow, EventKind, EventRow
from app.services.events import EVENT_NAMESPACE, find_last_event
from app.services.sign_in import PATH
from app.services.webhooks import next_due

ONLY_ROW = 1
FIRST_LOOK_BACK = dt.timedelta(hours=1)
"""When emails are switched on, events that are older than this are not sent any more."""
SENTENCES = {
    EventKind.CONCERN_RECEIVED: ("1 concern came.", "{} concerns came."),
    EventKind.CONCERN_ADDED: ("1 addition to a concern came.", "{} additions to concerns came."),
    EventKind.CONCERN_DUE_SOON: (
        "1 concern is due for its acknowledgement soon.",
        "{} concerns are due for their acknowledgement soon.",
    ),
    EventKind.CONCERN_ADDITION_DUE_SOON: (
        "1 addition is due for its acknowledgement soon.",
        "{} additions are due for their acknowledgement soon.",
    ),
    EventKind.CONCERN_OVERDUE: ("1 concern is overdue.", "{} concerns are overdue."),
    EventKind.CONCERN_ADDITION_OVERDUE: ("1 addition is overdue.", "{} additions are overdue."),
}
DANGER_SUBJECT = "Immediate danger: look at the desk now"
DUE_SUBJECT = "An acknowledgement is due: look at the desk"
ARRIVAL_SUBJECT = "Something new is at the desk"
IN_DANGER = "A reporter says that a child is in immediate danger. Concerns that say so: {}."
NOTHING_IN_IT = "This email holds nothing about any concern. Nobody reads an answer to it."
ARRIVALS = frozenset({EventKind.CONCERN_RECEIVED, EventKind.CONCERN_ADDED})

MAX_EVENTS = 500
EMAIL_LEASE = dt.timedelta(seconds=90)
PAUSE = dt.timedelta(seconds=60)
"""The shortest time between two emails: what comes meanwhile is in the next."""


@dataclass(frozen=True)
class EmailNotice:
    """What an email says: how many events of each kind, and how many say that a child is in immediate danger."""

    after: int
    up_to: int
    counts: Mapping[str, int]
    in_danger: int
    attempts: int


def is_email_due(session: Session, *, now: dt.datetime) -> bool:
    """Return whether a claim may find something to send. It only reads."""
    state = session.get(EmailStateRow, ONLY_ROW)
    return state is None or (state.due <= now and find_last_event(session) != state.sent_up_to)


@write_operation
def claim_email(session: Session, *, now: dt.datetime) -> EmailNotice | None:
    """Claim what is to be sent, until the lease ends. None where nothing is, or another process is sending."""
    state = session.get(EmailStateRow, ONLY_ROW) or _start(session, now)
    last = find_last_event(session)
    state.sent_up_to = min(state.sent_up_to, last)  # a restored database may have fewer events
    if state.due > now:
        return None
    chosen = select(EventRow).where(col(EventRow.id) > state.sent_up_to, col(EventRow.kind).in_(SENTENCES))
    events = session.exec(chosen.order_by(col(EventRow.id)).limit(MAX_EVENTS)).all()
    if not events:
        state.sent_up_to = last
        return None
    state.due, state.attempts = now + EMAIL_LEASE, state.attempts + 1
    return EmailNotice(
        after=state.sent_up_to,
        up_to=events[-1].id or 0,
        counts=Counter(event.kind for event in events),
        in_danger=_count_danger(session, events),
        attempts=state.attempts,
    )


@write_operation
def record_sent(session: Session, notice: EmailNotice, *, now: dt.datetime) -> None:
    """Write that the email was accepted by the mail server."""
    state = _state_of(session, notice)
    if state is not None:
        state.sent_up_to, state.attempts, state.due = notice.up_to, 0, now + PAUSE


@write_operation
def record_failure(session: Session, notice: EmailNotice, *, now: dt.datetime) -> None:
    """Write when to try again. An email is never given up: what waits for the team waits until somebody looks."""
    state = _state_of(session, notice)
    if state is not None:
        state.due = next_due(min(notice.attempts, 5), None, now)


def _start(session: Session, now: dt.datetime) -> EmailStateRow:
    """Insert the state, so that the first email is about events of the last hour."""
    older = select(func.max(EventRow.id)).where(col(EventRow.at) < now - FIRST_LOOK_BACK)
    state = EmailStateRow(id=ONLY_ROW, sent_up_to=session.exec(older).one() or 0, due=now)
    session.add(state)
    return state


def _state_of(session: Session, notice: EmailNotice) -> EmailStateRow | None:
    """Return the state, unless another process has sent these events meanwhile."""
    state = session.get(EmailStateRow, ONLY_ROW)
    return state if state is not None and state.sent_up_to == notice.after else None


def _count_danger(session: Session, events: Sequence[EventRow]) -> int:
    """Count the concerns that came, or got an addition, with the word that a child is in immediate danger."""
    raised = {each.data["reference"] for each in events if each.kind == EventKind.CONCERN_RECEIVED}
    added = {(each.data["reference"], each.data["addition"]) for each in events if each.kind == EventKind.CONCERN_ADDED}
    concerns = select(ConcernRow.reference).where(
        col(ConcernRow.reference).in_(raised), ConcernRow.immediate_danger == "yes"
    )
    additions = select(EntryRow.reference, EntryRow.number).where(
        col(EntryRow.reference).in_({reference for reference, _ in added}),
        EntryRow.kind == EntryKind.ADDITION.value,
        EntryRow.immediate_danger == "yes",
    )
    found = {reference for reference, number in session.exec(additions) if (reference, number) in added}
    return len(found.union(session.exec(concerns)))


def build_email(notice: EmailNotice, settings: Settings, *, at: dt.datetime) -> EmailMessage:
    """Return the email. Its id is the same for the same events, so that a repetition can be recognised."""
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_from, ", ".join(settings.smtp_to)
    message["Subject"] = f"{_subject(notice)} ({settings.council_name})"
    message["Date"] = format_datetime(at)
    own_id = uuid.uuid5(EVENT_NAMESPACE, f"email {settings.public_url} {notice.after} {notice.up_to}")
    message["Message-ID"] = f"<{own_id}@{urlsplit(settings.public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.in_danger:
        message["Importance"] = "high"
    message.set_content("\n".join(_lines(notice, settings)) + "\n")
    return message


def _subject(notice: EmailNotice) -> str:
    if notice.in_danger:
        return DANGER_SUBJECT
    return ARRIVAL_SUBJECT if ARRIVALS.issuperset(notice.counts) else DUE_SUBJECT


def _lines(notice: EmailNotice, settings: Settings) -> Iterator[str]:
    if notice.in_danger:
        yield IN_DANGER.format(notice.in_danger)
    for kind, (one, many) in SENTENCES.items():
        if count := notice.counts.get(kind):
            yield one if count == 1 else many.format(count)
    yield from ("", f"The desk is at {settings.public_url}{PATH}", "", NOTHING_IN_IT)


SECONDS_TO_SEND = 30.0

log = Log(__name__)


class EmailSender:
    """Sends by the mail server of the settings. Whatever the server does, `send` returns in time."""

    def __init__(self, settings: Settings, *, seconds: float = SECONDS_TO_SEND) -> None:
        self._settings = settings
        self._seconds = seconds
        self._read_password()  # a file that is missing stops the start

    def send(self, message: EmailMessage) -> str | None:
        """Send once. Return None, or the kind of the failure, and never a word of the server's answer."""
        server = self._make_client()
        deadline = Timer(self._seconds, _break_off, (server,))
        deadline.daemon = True
        deadline.start()
        try:
            self._send(server, message)
        except (smtplib.SMTPException, OSError, ValueError) as failure:
            return type(failure).__name__
        finally:
            deadline.cancel()
            server.close()
        return None

    def _make_client(self) -> smtplib.SMTP:
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(timeout=self._seconds, context=ssl.create_default_context())
        return smtplib.SMTP(timeout=self._seconds)

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        host = self._settings.smtp_host or ""
        vars(server)["_host"] = host  # the name that TLS verifies, which only a client that connects at once sets
        server.connect(host, self._settings.smtp_port)
        if self._settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        password = self._read_password()
        if self._settings.smtp_username is not None and password is not None:
            server.login(self._settings.smtp_username, password)
        refused = server.send_message(message)
        if refused:  # the others have it: another attempt would send it to them twice
            log.warning("email_recipients_refused", count=len(refused))
        with suppress(smtplib.SMTPException, OSError):  # the email is accepted, whatever comes now
            server.quit()

    def _read_password(self) -> str | None:
        path = self._settings.smtp_password_file
        try:
            return None if path is None else path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SetupError(f"GUIDANCE_SMTP_PASSWORD_FILE: {path} cannot be read") from None


def _break_off(server: smtplib.SMTP) -> None:
    """End a conversation that has lasted too long. What waits for the server then fails at once."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
