"""The auditor's operations: reading the record of disclosures, and the ends of its chains."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.db.writer import write_operation
from app.errors import ConcernErased
from app.models.concerns import ConcernRow
from app.models.entries import EntryKind
from app.models.record import AUDIT, DeskAct, DisclosureRow
from app.services.concerns import get_concern, get_unerased, read_concern
from app.services.entries import GIVEN, EntryPage, last_page_of, list_entries, measure_entries, opens_all, page_of
from app.services.record import Actor, find_chain_end, list_disclosures, record_disclosure


@write_operation
def read_disclosures(
    session: Session,
    *,
    chain: str | None,
    client: str | None,
    actor: Actor,
    at: dt.datetime,
    after: int,
    limit: int,
) -> list[DisclosureRow]:
    """Return one page of the record, filtered by chain and client if given. This read is recorded too."""
    detail = " ".join(word for word in (chain, client) if word)
    rows = list_disclosures(session, chain=chain, client=client, after=after, limit=limit)
    record_disclosure(session, chain=AUDIT, act=DeskAct.DISCLOSURES_READ, actor=actor, at=at, detail=detail)
    return rows


@write_operation
def read_end_of_chain(session: Session, chain: str, *, actor: Actor, at: dt.datetime) -> tuple[int, str]:
    """Return the length and the last hash of a chain, for a signed statement."""
    end = find_chain_end(session, chain)
    record_disclosure(session, chain=AUDIT, act=DeskAct.STATEMENT_SIGNED, actor=actor, at=at, detail=chain)
    return end


# Looking at a concern: opened with its words, or viewed without them.


WITHOUT_WORDS = "without words"
NO_NOTES = EntryPage(EntryKind.NOTE)


@dataclass(frozen=True)
class Wanted:
    """How a concern is opened, and what is shown of it: at most `limit` additions (None: all), and its last notes.

    With the fingerprints of the keys that are here, the record says so where a text is sealed to none of them: all are
    then given sealed.
    """

    how: str
    limit: int | None
    last_notes: int = 0
    fingerprints: frozenset[str] | None = None


@dataclass(frozen=True)
class Opening:
    """A concern whose opening is on the record, without its text; the first page of additions, and how many exist.

    `seen` is the number of that act in the chain. `notes` has the last notes, if they are shown too. `opens` says
    whether all the texts are opened here.
    """

    concern: ConcernRow
    page: EntryPage
    additions: int
    seen: int
    notes: EntryPage
    opens: bool = False


@write_operation
def open_concern(session: Session, reference: str, wanted: Wanted, *, actor: Actor, at: dt.datetime) -> Opening:
    """Record that the concern is opened, and return what is wanted of it. Raises `NoSuchConcern` or `ConcernErased`."""
    concern = get_unerased(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    page = page_of(session, EntryKind.ADDITION, reference, after=0, limit=wanted.limit)
    limit = wanted.last_notes
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=limit) if limit else NO_NOTES
    opens = opens_all((concern, *page.rows, *notes.rows), wanted.fingerprints)
    how = wanted.how if opens or wanted.fingerprints is None else GIVEN
    detail = ", ".join((how, *(str(each) for each in (page, notes) if each.rows)))
    row = record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return Opening(concern, page, count, row.number, notes, opens)


@write_operation
def view_concern(
    session: Session, reference: str, *, actor: Actor, at: dt.datetime, limit: int, last_notes: int
) -> Opening:
    """Record that the concern is looked at without its words, and return it. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    found = list_entries(session, EntryKind.ADDITION, reference, limit=limit + 1)
    rows = tuple(found[:limit])
    notes = last_page_of(session, EntryKind.NOTE, reference, limit=last_notes)
    row = record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail=WITHOUT_WORDS)
    page = EntryPage(EntryKind.ADDITION, rows, rows[-1].number if len(found) > limit else None)
    return Opening(concern, page, count, row.number, notes)


def read_sealed_concern(engine: Engine, reference: str) -> bytes:
    """Return the sealed text of a concern whose opening is recorded. Raises `ConcernErased` if it went since."""
    with Session(engine) as session:
        sealed = read_concern(session, reference)
    if sealed is None:
        raise ConcernErased
    return sealed
