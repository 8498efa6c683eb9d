"""The email to the duty team: figures and a link, and nothing about any concern."""

import datetime as dt
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from app.config import Settings
from app.models.events.tables import EventKind
from app.services.access.sign_in import PATH
from app.services.events.email_notices import EmailNotice
from app.services.events.payloads import EVENT_NAMESPACE

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
