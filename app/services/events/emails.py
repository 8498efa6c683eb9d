"""Emails about events to the duty team and to editors: numbers and a link, no case details and no text of a draft."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from sqlalchemy import update
from sqlmodel import Session, col, select

from app.config import Settings
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.models.events.rows import EDITORS_EMAIL, EMAIL, DeliveryRow, DeliveryState, EventKind, EventRow, WebhookRow
from app.services.access.restrictions import find_restricted
from app.services.access.sign_in import PATH
from app.services.events.deliveries import lease_deliveries, next_due
from app.services.events.outbox import EVENT_NAMESPACE, new_message_id
from app.services.events.webhooks import REMOVED, cancel_deliveries

FIRST_LOOK_BACK = dt.timedelta(hours=1)
"""When emails are switched on, events older than this are not sent."""
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
    EventKind.PERSON_FILE_DUE: (
        "1 request for the file of one person is due within a week, or overdue.",
        "{} requests for the file of one person are due within a week, or overdue.",
    ),
}
DANGER_SUBJECT = "Immediate danger reported: check the inbox now"
FILE_SUBJECT = "A file of one person is due"
DUE_SUBJECT = "Acknowledgement due: check the inbox"
ARRIVAL_SUBJECT = "New in the inbox"
DRAFT_SUBJECT = "A draft is waiting for someone"
TEST_SUBJECT = "Test: emails to the duty team arrive"
EDITORS_TEST = "Test: emails to the editors arrive"
IN_DANGER = "A child has been reported to be in immediate danger. Number of concerns: {}."
RESTRICTED = "Restricted, so that not everyone at the desk can open them: {}. Tell a lead."
NOTHING_IN_IT = "This email contains no case details. Do not reply: replies are not read."
ARRIVALS = frozenset({EventKind.CONCERN_RECEIVED, EventKind.CONCERN_ADDED})
DRAFT_SENTENCES = {
    EventKind.DRAFT_OFFERED: (
        "1 draft was submitted: a second person must read and publish it.",
        "{} drafts were submitted: a second person must read and publish them.",
    ),
    EventKind.DRAFT_RETURNED: ("1 draft was sent back to its writers.", "{} drafts were sent back to their writers."),
}
MAX_EVENTS = 2000
EMAIL_LEASE = dt.timedelta(seconds=90)
PAUSE = dt.timedelta(seconds=60)
"""The shortest time between two emails to a mailbox. Events in between go into the next email."""
LONGEST_PAUSE_STEP = 4  # attempts after which the delay stops growing, at ten minutes: emails alert the team
LONGEST_REST = dt.timedelta(minutes=15)
"""The longest pause after an email or an attempt that is respected. A longer one was set by a wrong clock."""
ACCEPTED = "accepted"
_IS_PENDING = col(DeliveryRow.state) == DeliveryState.PENDING.value
ADDRESS = "mailto:"
"""Placeholder for the URL in the row of a mailbox. The email addresses are in the settings, not in the database."""


@dataclass(frozen=True)
class Mailbox:
    """People who get emails about some kinds of events. `place` is the last line, with the public URL for `{}`.

    `sentences` has a sentence about one event and one about several. `setting` names the email addresses.
    """

    name: str
    sentences: Mapping[EventKind, tuple[str, str]]
    setting: str
    place: str

    @property
    def kinds(self) -> list[str]:
        return sorted(kind.value for kind in self.sentences)

    def addresses(self, settings: Settings) -> Sequence[str]:
        found: Sequence[str] = getattr(settings, self.setting)
        return found

    def is_used(self, settings: Settings) -> bool:
        """Return True if there is a mail server and, except for the duty team's mailbox, an address."""
        return settings.smtp_host is not None and (self.name == EMAIL or bool(self.addresses(settings)))


TEAM = Mailbox(EMAIL, SENTENCES, "smtp_to", f"The desk is at {{}}{PATH}")
EDITORS = Mailbox(EDITORS_EMAIL, DRAFT_SENTENCES, "smtp_to_editors", "The drafts are at {}/edit")
MAILBOX_OF = {each.name: each for each in (TEAM, EDITORS)}


@dataclass(frozen=True)
class EmailNotice:
    """An email to send. `counts` is by kind of event; `in_danger` and `restricted` count concerns.

    `attempts` includes this one.
    """

    events: tuple[int, ...]
    counts: Mapping[str, int]
    in_danger: int
    attempts: int
    mailbox: Mailbox = TEAM
    restricted: int = 0


def is_email_due(session: Session, mailbox: Mailbox = TEAM, *, now: dt.datetime) -> bool:
    """Return True if an email is due, also if `claim_email` would subscribe the mailbox. It only reads."""
    if _is_subscribed(session.get(WebhookRow, mailbox.name), mailbox):
        is_resting = _is_resting(session, mailbox, now)
        waiting = select(DeliveryRow.event_id).where(DeliveryRow.webhook == mailbox.name, _IS_PENDING)
        return session.exec(waiting.limit(1)).first() is not None and not is_resting
    return True


def claim_email(session: Session, mailbox: Mailbox = TEAM, *, now: dt.datetime) -> EmailNotice | None:
    """Claim up to `MAX_EVENTS` pending events until `EMAIL_LEASE` ends, and first subscribe a new mailbox.

    Return None if nothing is pending, another process sends, or the pause after the last email or attempt has not
    ended.
    """
    row = session.get(WebhookRow, mailbox.name)
    if not _is_subscribed(row, mailbox):
        _subscribe(session, row, mailbox, now)
    if _is_resting(session, mailbox, now):
        return None
    claimed = lease_deliveries(session, mailbox.name, _IS_PENDING, until=now + EMAIL_LEASE, limit=MAX_EVENTS)
    if not claimed:
        return None
    numbers = tuple(sorted(row.event_id for row in claimed))
    events = session.exec(select(EventRow).where(col(EventRow.id).in_(numbers))).all()
    of_concerns = [event for event in events if "reference" in event.data]
    return EmailNotice(
        events=numbers,
        counts=Counter(event.kind for event in events),
        in_danger=_count_danger(session, of_concerns),
        attempts=max(row.attempts for row in claimed),
        mailbox=mailbox,
        restricted=len(find_restricted(session, {event.data["reference"] for event in of_concerns})),
    )


def record_email(session: Session, notice: EmailNotice, failure: str | None = None, *, now: dt.datetime) -> None:
    """Record an attempt. After a `failure` the events stay pending: an email is never given up."""
    of_notice = (
        col(DeliveryRow.webhook) == notice.mailbox.name,
        col(DeliveryRow.event_id).in_(notice.events),
        _IS_PENDING,
    )
    tried = update(DeliveryRow).where(*of_notice)
    if failure is None:
        session.exec(tried.values(state=DeliveryState.DELIVERED.value, last_answer=ACCEPTED, due=now + PAUSE))
    else:
        again = next_due(min(notice.attempts, LONGEST_PAUSE_STEP), None, now)
        session.exec(tried.values(last_answer=failure, due=again))


def find_mailbox(session: Session, mailbox: Mailbox = TEAM) -> WebhookRow | None:
    """Return None if the mailbox is not subscribed to events."""
    row = session.get(WebhookRow, mailbox.name)
    return row if row is not None and row.disabled_at is None else None


def unsubscribe_email(session: Session, mailbox: Mailbox = TEAM, *, now: dt.datetime) -> int:
    """Disable a mailbox, and cancel its undelivered events. Return their number, or 0 if it is not subscribed."""
    row = find_mailbox(session, mailbox)
    if row is None:
        return 0
    row.disabled_at, row.disabled_because = now, REMOVED
    return cancel_deliveries(session, mailbox.name)


def _is_subscribed(row: WebhookRow | None, mailbox: Mailbox) -> bool:
    return row is not None and row.disabled_at is None and row.kinds == mailbox.kinds


def _subscribe(session: Session, row: WebhookRow | None, mailbox: Mailbox, now: dt.datetime) -> None:
    """Undelivered events of the last `FIRST_LOOK_BACK` become pending."""
    name, kinds = mailbox.name, mailbox.kinds
    if row is None:
        row = WebhookRow(name=name, url=ADDRESS, kinds=kinds, secrets=[], added_at=now)
        session.add(row)
    row.kinds, row.disabled_at, row.disabled_because = kinds, None, None
    recent = select(EventRow).where(col(EventRow.at) > now - FIRST_LOOK_BACK, col(EventRow.kind).in_(kinds))
    for event in session.exec(recent).all():
        known = session.get(DeliveryRow, (event.id, name))
        if known is None:
            session.add(DeliveryRow(event_id=event.id or 0, webhook=name, message=new_message_id(), due=event.at))
        elif known.state == DeliveryState.CANCELLED:
            known.state = DeliveryState.PENDING.value
    session.flush()


def _is_resting(session: Session, mailbox: Mailbox, now: dt.datetime) -> bool:
    tried = select(DeliveryRow.event_id).where(
        DeliveryRow.webhook == mailbox.name,
        col(DeliveryRow.state).in_((DeliveryState.PENDING.value, DeliveryState.DELIVERED.value)),
        col(DeliveryRow.last_answer).is_not(None),
        col(DeliveryRow.due) > now,
        col(DeliveryRow.due) <= now + LONGEST_REST,
    )
    return session.exec(tried.limit(1)).first() is not None


def _count_danger(session: Session, events: Sequence[EventRow]) -> int:
    """Count by the addition if the event is about one, otherwise by the concern or any of its additions."""
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
    """Build an email. The same events give the same Message-ID, so that a second copy can be recognised."""
    message = EmailMessage()
    message["From"], message["To"] = settings.smtp_from, ", ".join(notice.mailbox.addresses(settings))
    message["Subject"] = f"{_subject(notice)} ({settings.council_name})"
    message["Date"] = format_datetime(at)
    own_id = uuid.uuid5(EVENT_NAMESPACE, f"{notice.mailbox.name} {settings.public_url} {notice.events}")
    message["Message-ID"] = f"<{own_id}@{urlsplit(settings.public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.in_danger:
        message["Importance"] = "high"
    message.set_content("\n".join(_lines(notice, settings)) + "\n")
    return message


def build_test_email(settings: Settings, mailbox: Mailbox = TEAM, *, at: dt.datetime) -> EmailMessage:
    """Build an email with a new Message-ID each time: a mailbox may drop one whose Message-ID it has seen."""
    message = build_email(EmailNotice((), {}, 0, 1, mailbox), settings, at=at)
    message.replace_header("Message-ID", make_msgid(domain=urlsplit(settings.public_url).hostname))
    message.replace_header("Subject", f"{TEST_SUBJECT if mailbox is TEAM else EDITORS_TEST} ({settings.council_name})")
    return message


def _subject(notice: EmailNotice) -> str:
    if notice.mailbox is EDITORS:
        return DRAFT_SUBJECT
    if notice.in_danger:
        return DANGER_SUBJECT
    if notice.counts.keys() == {EventKind.PERSON_FILE_DUE}:
        return FILE_SUBJECT
    return ARRIVAL_SUBJECT if ARRIVALS.issuperset(notice.counts) else DUE_SUBJECT


def _lines(notice: EmailNotice, settings: Settings) -> Iterator[str]:
    if notice.in_danger:
        yield IN_DANGER.format(notice.in_danger)
    for kind, (one, many) in notice.mailbox.sentences.items():
        if count := notice.counts.get(kind):
            yield one if count == 1 else many.format(count)
    if notice.restricted:
        yield RESTRICTED.format(notice.restricted)
    yield from ("", notice.mailbox.place.format(settings.public_url), "", NOTHING_IN_IT)
