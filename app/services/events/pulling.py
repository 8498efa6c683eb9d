"""Reading events by pull, and confirming them: every read that shows references of concerns is recorded."""

import datetime as dt
from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from app.errors import CursorAhead
from app.models.desk.disclosure_tables import EVENTS, DeskAct
from app.models.events.tables import EventReaderRow, EventRow
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import Writer, write_operation


def read_events_after(
    session: Session, writer: Writer, *, after: int, limit: int, actor: Actor, at: dt.datetime
) -> Sequence[EventRow]:
    """Return the events after that one, after it is recorded which concerns they show. A page without any is not."""
    rows = events_after(session, after=after, limit=limit)
    session.close()  # released: requests that hold one connection and wait for another could block each other
    references = " ".join(dict.fromkeys(row.data["reference"] for row in rows if row.kind.startswith("concern.")))
    if references:
        _record(writer, references, actor=actor, at=at)
    return rows


@write_operation
def _record(session: Session, references: str, *, actor: Actor, at: dt.datetime) -> None:
    record_disclosure(session, chain=EVENTS, act=DeskAct.EVENTS_READ, actor=actor, at=at, detail=references)


def events_after(session: Session, *, after: int, limit: int) -> Sequence[EventRow]:
    """Return the events after that one. Writers take turns, so none is committed later with a number before these."""
    wanted = select(EventRow).where(col(EventRow.id) > after)
    return session.exec(wanted.order_by(col(EventRow.id)).limit(limit)).all()


def confirmed_by(session: Session, *, client: str) -> int:
    """Return the last event that the client confirmed; 0 where it confirmed none, or one that does not exist."""
    reader = session.get(EventReaderRow, client)
    return reader.confirmed if reader is not None and reader.confirmed <= find_last_event(session) else 0


@write_operation
def confirm_events(session: Session, *, client: str, event_id: int) -> None:
    """Record that the client has every event up to that one. The number never decreases, unless no event has it.

    Raises `CursorAhead` if there is no such event yet.
    """
    last = find_last_event(session)
    if event_id > last:
        raise CursorAhead
    reader = session.get(EventReaderRow, client)
    if reader is None:
        session.add(EventReaderRow(client=client, confirmed=event_id))
    elif reader.confirmed < event_id or reader.confirmed > last:
        reader.confirmed = event_id


def find_last_event(session: Session) -> int:
    """Return the number of the last event; 0 where there is none."""
    return session.exec(select(func.max(EventRow.id))).one() or 0
