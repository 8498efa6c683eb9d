"""Emails to the duty team: one for all events since the last, with figures and a link, and without a word of a concern.

The mailbox is a receiver of events like a webhook: each event has a delivery to it, written with the event. An email
claims all deliveries that wait, so a mail server that is away delays one email, and no stop or crash loses an event.
"""

import datetime as dt
import smtplib
import socket
import ssl
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from threading import Event
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.config import Settings
from app.errors import SetupError
from app.logs import Log
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events import EMAIL, DeliveryRow, DeliveryState, EventKind, EventRow, WebhookRow
from app.services.events import EVENT_NAMESPACE, new_message_id
from app.services.sign_in import PATH
from app.services.webhooks import REMOVED, cancel_deliveries, lease_deliveries, next_due
from app.services.workers import call_in_time

FIRST_LOOK_BACK = dt.timedelta(hours=1)
"""When emails are switched on, events that are older than this are not sent any more."""
SENTENCES = {
    EventKind.CONCERN_RECEIVED: ("1 new concern.", "{} new concerns."),
    EventKind.CONCERN_ADDED: ("1 new addition to a concern.", "{} new additions to concerns."),
    EventKind.CONCERN_DUE_SOON: (
        "1 concern must be acknowledged soon.",
        "{} concerns must be acknowledged soon.",
    ),
    EventKind.CONCERN_ADDITION_DUE_SOON: (
        "1 addition must be acknowledged soon.",
        "{} additions must be acknowledged soon.",
    ),
    EventKind.CONCERN_OVERDUE: ("1 concern is overdue.", "{} concerns are overdue."),
    EventKind.CONCERN_ADDITION_OVERDUE: ("1 addition is overdue.", "{} additions are overdue."),
}
DANGER_SUBJECT = "Immediate danger reported: check the inbox now"
DUE_SUBJECT = "Acknowledgement due: check the inbox"
ARRIVAL_SUBJECT = "New in the inbox"
TEST_SUBJECT = "Test: emails to the duty team arrive"
IN_DANGER = "A child has been reported to be in immediate danger. Number of concerns: {}."
NOTHING_IN_IT = "This email contains no case details. Do not reply: replies are not read."
ARRIVALS = frozenset({EventKind.CONCERN_RECEIVED, EventKind.CONCERN_ADDED})

KINDS = sorted(kind.value for kind in SENTENCES)

MAX_EVENTS = 2000
EMAIL_LEASE = dt.timedelta(seconds=90)
PAUSE = dt.timedelta(seconds=60)
"""The shortest time between two emails: what comes meanwhile is in the next."""
LONGEST_PAUSE_STEP = 4  # of the pauses between the attempts of a webhook: ten minutes, since this is the team's bell
LONGEST_REST = dt.timedelta(minutes=15)
"""A rest that ends later was made by a clock that was wrong, and does not count."""
ACCEPTED = "accepted"
ADDRESS = "mailto:"
"""Stands for the addresses of the settings, which are not in the database."""


@dataclass(frozen=True)
class EmailNotice:
    """What an email says: how many events of each kind, and how many say that a child is in immediate danger."""

    events: tuple[int, ...]
    counts: Mapping[str, int]
    in_danger: int
    attempts: int


def is_email_due(session: Session, *, now: dt.datetime) -> bool:
    """Return whether a claim may find something to send. It only reads."""
    if _is_subscribed(session.get(WebhookRow, EMAIL)):
        return session.exec(_waiting().limit(1)).first() is not None and not _is_resting(session, now)
    return True


def claim_email(session: Session, *, now: dt.datetime) -> EmailNotice | None:
    """Claim what is to be sent, until the lease ends. None where nothing is, or another process is sending."""
    mailbox = session.get(WebhookRow, EMAIL)
    if not _is_subscribed(mailbox):
        _subscribe(session, mailbox, now)
    if _is_resting(session, now):
        return None
    claimed = lease_deliveries(session, EMAIL, _waits(), until=now + EMAIL_LEASE, limit=MAX_EVENTS)
    if not claimed:
        return None
    numbers = tuple(sorted(row.event_id for row in claimed))
    events = session.exec(select(EventRow).where(col(EventRow.id).in_(numbers))).all()
    return EmailNotice(
        events=numbers,
        counts=Counter(event.kind for event in events),
        in_danger=_count_danger(session, events),
        attempts=max(row.attempts for row in claimed),
    )


def record_email(session: Session, notice: EmailNotice, failure: str | None = None, *, now: dt.datetime) -> None:
    """Write that the mail server accepted the email, or when to try again.

    An email is never given up: what waits for the team waits until somebody looks. What another process has sent
    meanwhile stays so.
    """
    of_notice = col(DeliveryRow.webhook) == EMAIL, col(DeliveryRow.event_id).in_(notice.events), _waits()
    tried = update(DeliveryRow).where(*of_notice)
    if failure is None:
        session.exec(tried.values(state=DeliveryState.DELIVERED.value, last_answer=ACCEPTED, due=now + PAUSE))
    else:
        again = next_due(min(notice.attempts, LONGEST_PAUSE_STEP), None, now)
        session.exec(tried.values(last_answer=failure, due=again))


def find_mailbox(session: Session) -> WebhookRow | None:
    """Return the mailbox, if events go to it. It only reads."""
    mailbox = session.get(WebhookRow, EMAIL)
    return mailbox if mailbox is not None and mailbox.disabled_at is None else None


def unsubscribe_email(session: Session, *, now: dt.datetime) -> int:
    """Where emails are switched off, let no event wait for the mailbox. Return how many did."""
    mailbox = find_mailbox(session)
    if mailbox is None:
        return 0
    mailbox.disabled_at, mailbox.disabled_because = now, REMOVED
    return cancel_deliveries(session, EMAIL)


def _is_subscribed(mailbox: WebhookRow | None) -> bool:
    return mailbox is not None and mailbox.disabled_at is None and mailbox.kinds == KINDS


def _subscribe(session: Session, mailbox: WebhookRow | None, now: dt.datetime) -> None:
    """Let events go to the mailbox from now on, and those of the last hour that it did not get."""
    if mailbox is None:
        mailbox = WebhookRow(name=EMAIL, url=ADDRESS, kinds=KINDS, secrets=[], added_at=now)
        session.add(mailbox)
    mailbox.kinds, mailbox.disabled_at, mailbox.disabled_because = KINDS, None, None
    recent = select(EventRow).where(col(EventRow.at) > now - FIRST_LOOK_BACK, col(EventRow.kind).in_(KINDS))
    for event in session.exec(recent).all():
        known = session.get(DeliveryRow, (event.id, EMAIL))
        if known is None:
            session.add(DeliveryRow(event_id=event.id or 0, webhook=EMAIL, message=new_message_id(), due=event.at))
        elif known.state == DeliveryState.CANCELLED:
            known.state = DeliveryState.PENDING.value
    session.flush()


def _waits() -> ColumnElement[bool]:
    return col(DeliveryRow.state) == DeliveryState.PENDING.value


def _waiting() -> SelectOfScalar[int]:
    return select(DeliveryRow.event_id).where(DeliveryRow.webhook == EMAIL, _waits())


def _is_resting(session: Session, now: dt.datetime) -> bool:
    """Return whether an email is under way, or it is too early for another one, or for another attempt."""
    tried = select(DeliveryRow.event_id).where(
        DeliveryRow.webhook == EMAIL,
        col(DeliveryRow.state).in_((DeliveryState.PENDING.value, DeliveryState.DELIVERED.value)),
        col(DeliveryRow.last_answer).is_not(None),
        col(DeliveryRow.due) > now,
        col(DeliveryRow.due) <= now + LONGEST_REST,
    )
    return session.exec(tried.limit(1)).first() is not None


def _count_danger(session: Session, events: Sequence[EventRow]) -> int:
    """Count the concerns and additions of which there is news, and which say that a child is in immediate danger."""
    raised = {each.data["reference"] for each in events if "addition" not in each.data}
    added = {(each.data["reference"], each.data["addition"]) for each in events if "addition" in each.data}
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
    own_id = uuid.uuid5(EVENT_NAMESPACE, f"email {settings.public_url} {notice.events}")
    message["Message-ID"] = f"<{own_id}@{urlsplit(settings.public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.in_danger:
        message["Importance"] = "high"
    message.set_content("\n".join(_lines(notice, settings)) + "\n")
    return message


def build_test_email(settings: Settings, *, at: dt.datetime) -> EmailMessage:
    """Return an email by which an operator tries the mail server."""
    message = build_email(EmailNotice((), {}, 0, 1), settings, at=at)
    message.replace_header("Subject", f"{TEST_SUBJECT} ({settings.council_name})")
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
        return self._converse(lambda server: self._hand_over(server, message))

    def knock(self) -> str | None:
        """Do all that comes before an email, with the sign-in, and send nothing. Return as `send` does."""
        return self._converse(lambda _: None)

    def _converse(self, say: Callable[[smtplib.SMTP], None]) -> str | None:
        server, is_over = self._make_client(), Event()

        def converse() -> None:
            try:
                self._greet(server)
                if is_over.is_set():  # a lookup took so long: the email is tried again by another conversation
                    return
                say(server)
                with suppress(smtplib.SMTPException, OSError):  # the email is accepted, whatever comes now
                    server.quit()
            finally:
                server.close()

        try:
            call_in_time(converse, self._seconds)
        except TimeoutError as failure:  # a lookup of the name, or a server that says a letter now and then
            is_over.set()
            _break_off(server)
            return type(failure).__name__
        except (smtplib.SMTPException, OSError, ValueError, SetupError) as failure:
            return type(failure).__name__
        return None

    def _make_client(self) -> smtplib.SMTP:
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(timeout=self._seconds, context=ssl.create_default_context())
        return smtplib.SMTP(timeout=self._seconds)

    def _greet(self, server: smtplib.SMTP) -> None:
        host = self._settings.smtp_host or ""
        vars(server)["_host"] = host  # the name that TLS verifies, which only a client that connects at once sets
        server.connect(host, self._settings.smtp_port)
        server.ehlo_or_helo_if_needed()
        if self._settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        password = self._read_password()
        if self._settings.smtp_username is not None and password is not None:
            server.login(self._settings.smtp_username, password)

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        refused = server.send_message(message)
        if refused:  # the others have it: another attempt would send it to them twice
            log.warning("email_recipients_refused", count=len(refused))

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
