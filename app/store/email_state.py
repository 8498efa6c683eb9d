"""How far the duty team got emails about events: which events are next, and who may send."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlmodel import Session, col, func, select

from app.models.events.tables import EmailStateRow, EventRow

ONLY_ROW = 1
FIRST_LOOK_BACK = dt.timedelta(hours=1)
"""When emails are switched on, events that are older than this are not sent any more."""


def find_email_state(session: Session) -> EmailStateRow | None:
    """Return the state, or None before the first email."""
    return session.get(EmailStateRow, ONLY_ROW)


def start_email_state(session: Session, *, now: dt.datetime) -> EmailStateRow:
    """Insert the state, so that the first email is about events of the last hour."""
    older = select(func.max(EventRow.id)).where(col(EventRow.at) < now - FIRST_LOOK_BACK)
    state = EmailStateRow(id=ONLY_ROW, sent_up_to=session.exec(older).one() or 0, due=now)
    session.add(state)
    return state


def find_last_event(session: Session) -> int:
    """Return the number of the last event; 0 where there is none."""
    return session.exec(select(func.max(EventRow.id))).one() or 0


def list_events_for_email(session: Session, *, after: int, kinds: Collection[str], limit: int) -> Sequence[EventRow]:
    """Return the events of those kinds after that one, in order."""
    chosen = select(EventRow).where(col(EventRow.id) > after, col(EventRow.kind).in_(kinds))
    return session.exec(chosen.order_by(col(EventRow.id)).limit(limit)).all()
