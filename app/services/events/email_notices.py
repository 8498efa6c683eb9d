"""Which email is next for the duty team: one for all events since the last, without a word of a concern.

The events are the outbox. One row says up to which event emails were sent, so a mail server that is away delays one
email, and sends no event twice. A process claims the row for a while before it sends.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.models.concerns.tables import ConcernRow
from app.models.entries import EntryKind, EntryRow
from app.models.events.tables import EmailStateRow, EventKind, EventRow
from app.services.events.retries import next_due
from app.store.email_state import find_email_state, find_last_event, list_events_for_email, start_email_state
from app.store.writer import write_operation

KINDS = (
    EventKind.CONCERN_RECEIVED,
    EventKind.CONCERN_ADDED,
    EventKind.CONCERN_DUE_SOON,
    EventKind.CONCERN_ADDITION_DUE_SOON,
    EventKind.CONCERN_OVERDUE,
    EventKind.CONCERN_ADDITION_OVERDUE,
)
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
    state = find_email_state(session)
    return state is None or (state.due <= now and find_last_event(session) != state.sent_up_to)


@write_operation
def claim_email(session: Session, *, now: dt.datetime) -> EmailNotice | None:
    """Claim what is to be sent, until the lease ends. None where nothing is, or another process is sending."""
    state = find_email_state(session) or start_email_state(session, now=now)
    last = find_last_event(session)
    state.sent_up_to = min(state.sent_up_to, last)  # a restored database may have fewer events
    if state.due > now:
        return None
    events = list_events_for_email(session, after=state.sent_up_to, kinds=KINDS, limit=MAX_EVENTS)
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


def _state_of(session: Session, notice: EmailNotice) -> EmailStateRow | None:
    """Return the state, unless another process has sent these events meanwhile."""
    state = find_email_state(session)
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
