"""Looking at a concern without its words: its dates, its state, and what was done."""

import datetime as dt

from sqlmodel import Session

from app.models.desk.disclosure_tables import DeskAct
from app.services.desk.opening import AddedPage, Opening, last_page_of
from app.store.added_texts import ADDITIONS, NOTES
from app.store.concerns import get_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import write_operation

WITHOUT_WORDS = "without words"


@write_operation
def view_concern(
    session: Session, reference: str, *, actor: Actor, at: dt.datetime, limit: int, last_notes: int
) -> Opening:
    """Record that the concern is looked at without its words, and return it. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    count, _ = ADDITIONS.measure(session, reference)
    found = ADDITIONS.list(session, reference, after=0, limit=limit + 1)
    rows = tuple(found[:limit])
    notes = last_page_of(NOTES, session, reference, limit=last_notes)
    row = record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail=WITHOUT_WORDS)
    page = AddedPage(ADDITIONS, rows, rows[-1].number if len(found) > limit else None)
    return Opening(concern, page, count, row.number, notes)
