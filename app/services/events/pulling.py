"""Reading events by pull: every read that shows references of concerns is recorded."""

import datetime as dt
from collections.abc import Sequence

from sqlmodel import Session

from app.models.desk.disclosure_tables import EVENTS, DeskAct
from app.models.events.tables import EventRow
from app.store.disclosures import Actor, record_disclosure
from app.store.events import events_after
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
